// Package greeting is what the vendor directory holds: a module that no proxy has.
package greeting

// For greets.
func For(name string) string { return "hello " + name }
