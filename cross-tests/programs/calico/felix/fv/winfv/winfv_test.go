//go:build windows

package winfv

import (
	"os/user"
	"testing"
)

func TestUser(t *testing.T) {
	if _, err := user.Current(); err != nil {
		t.Fatal(err)
	}
}
