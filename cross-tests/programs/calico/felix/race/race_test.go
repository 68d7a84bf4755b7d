package race

import "testing"

// Both write, and nothing says who is first.
func TestRace(t *testing.T) {
	value, done := 0, make(chan struct{})
	go func() {
		value++
		close(done)
	}()
	value++
	<-done
	if value == 0 {
		t.Fail()
	}
}
