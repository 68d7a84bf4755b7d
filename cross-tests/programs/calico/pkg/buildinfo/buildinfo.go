// Package buildinfo holds what the linker is told: -ldflags "-X …".
package buildinfo

var Version, BuildDate, GitRevision string
