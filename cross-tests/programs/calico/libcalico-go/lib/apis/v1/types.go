// Package v1 has types of an API.
// +k8s:deepcopy-gen=package
package v1

// BlockAffinity is copied deeply.
type BlockAffinity struct {
	CIDR  string            `json:"cidr"`
	Hosts []string          `json:"hosts"`
	More  map[string]string `json:"more"`
}
