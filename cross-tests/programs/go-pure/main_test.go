package main

import (
	"os"
	"runtime"
	"testing"
)

func TestItRunsOnTheTarget(t *testing.T) {
	if want := os.Getenv("GOARCH"); runtime.GOARCH != want {
		t.Errorf("built for %s, not for %s", runtime.GOARCH, want)
	}
}
