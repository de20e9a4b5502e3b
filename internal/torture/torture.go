// Package torture says how much a test that tries to break something tries: a little in `make test`,
// everything in `make torture`.
package torture

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Times returns how often a test does what it does: few times or, where TORTURE is "full", as
// often as it takes to meet what is rare. TORTURE may also be a number.
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

// Seed returns what the chances of a test come from: another number each time, which the test's log
// tells, or the one in TORTURE_SEED.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if v := os.Getenv("TORTURE_SEED"); v != "" {
		var err error
		if seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatalf("TORTURE_SEED: must be a number, got %q", v)
		}
	}
	t.Logf("TORTURE_SEED=%d has the same chances", seed)
	return seed
}

// Chances returns the stream'th source of random numbers of a seed. Each goroutine needs one of its own.
func Chances(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }
