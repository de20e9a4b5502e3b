// Package torturetest sets the number of rounds and the random seed of tests that inject faults: a few rounds in
// `make test`, many in `make torture`. Only tests may import it.
package torturetest

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Times returns the number of rounds of a test: few by default, full if the environment variable TORTURE is "full", and
// the value of TORTURE if that is a number.
func Times(t testing.TB, few, full int) int {
	t.Helper()
	switch v := os.Getenv("TORTURE"); v {
	case "":
		return few
	case "full":
		return full
	default:
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("TORTURE: must be full or a number above 0, got %q", v)
		}
		return n
	}
}

// Pick returns few in make test, and full if the environment variable TORTURE is set.
func Pick[T any](few, full T) T {
	if os.Getenv("TORTURE") == "" {
		return few
	}
	return full
}

// Seed returns the random seed of a test: the environment variable TORTURE_SEED or, without it, a new seed for each
// run. It logs the seed.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if v := os.Getenv("TORTURE_SEED"); v != "" {
		var err error
		if seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatalf("TORTURE_SEED: must be a number, got %q", v)
		}
	}
	t.Logf("TORTURE_SEED=%d repeats this run", seed)
	return seed
}

// Rand returns a random number generator for a seed and a stream number. Goroutines must not share one.
func Rand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }
