// Package store has an interface to mock, and a suite.
package store

// Store keeps values.
type Store interface {
	Get(key string) (string, error)
	Watch(keys ...string) <-chan string
}

// Names asks a store for names, all at once.
func Names(store Store, keys []string) []string {
	names := make([]string, len(keys))
	done := make(chan struct{})
	for i, key := range keys {
		go func() {
			names[i], _ = store.Get(key)
			done <- struct{}{}
		}()
	}
	for range keys {
		<-done
	}
	return names
}
