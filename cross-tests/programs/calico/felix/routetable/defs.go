// Package routetable has an enumeration, whose names stringer makes.
package routetable

//go:generate stringer -type=RouteClass

// RouteClass is a kind of route.
type RouteClass int

const (
	RouteClassLocalWorkload RouteClass = iota
	RouteClassIPAMTunnel
)
