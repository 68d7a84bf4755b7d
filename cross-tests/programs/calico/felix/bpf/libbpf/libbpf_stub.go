//go:build !cgo || !linux

// Package libbpf without cgo has no libbpf.
package libbpf

import "hash/crc32"

// Version says so.
func Version() string { return "no libbpf" }

// Checksum is Go's own.
func Checksum(text string) uint32 { return crc32.ChecksumIEEE([]byte(text)) }

// IsELF knows nothing.
func IsELF() bool { return false }
