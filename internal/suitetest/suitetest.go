// Package suitetest lets a test that takes long have a small form in make test and its full form in make suites.
package suitetest

import (
	"os"
	"testing"
)

// variable is the environment variable that make suites sets to "full".
const variable = "SUITES"

// Full reports whether the full form is wanted.
func Full() bool { return os.Getenv(variable) == "full" }

// Only skips a test that has no small form, with a line that says how to run it.
func Only(t testing.TB) {
	t.Helper()
	if !Full() {
		t.Skip("takes long; make suites runs it")
	}
}

// Pick returns full where the full form is wanted, and small otherwise.
func Pick[T any](small, full T) T {
	if Full() {
		return full
	}
	return small
}
