// Package asm is generated for by a generator of the project's own.
package asm

//go:generate go run ../../../hack/gen -type=OpCode -output=opcode_gen.go
//go:generate sh -c "echo $GOARCH $GOFILE >generated_for.txt"

// OpCode is one of BPF's.
type OpCode uint8
