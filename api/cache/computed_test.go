package cache

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestComputedDoesNotHoldItsLock(t *testing.T) {
	var c Computed[string, int]
	started, release := make(chan struct{}), make(chan struct{})
	var computed atomic.Int64
	slow := func() int {
		computed.Add(1)
		close(started)
		<-release
		return 1
	}
	var waiting sync.WaitGroup
	for range 3 {
		waiting.Go(func() {
			if got := c.Get("slow", slow); got != 1 {
				t.Errorf("%d", got)
			}
		})
	}
	<-started
	if got := c.Get("quick", func() int { return 2 }); got != 2 { // while the slow one is being computed
		t.Errorf("%d", got)
	}
	var other Computed[string, int]
	other.CopyFrom(&c)
	close(release)
	waiting.Wait()
	if got := other.Get("slow", func() int { return 3 }); got != 1 || computed.Load() != 1 {
		t.Errorf("%d, computed %d times", got, computed.Load())
	}
}

func TestComputedIsBounded(t *testing.T) {
	c := Computed[int, int]{Max: 10}
	for i := range 100 {
		c.Get(i, func() int { return i })
		if n := len(c.values); n > 10 {
			t.Fatalf("%d values", n)
		}
	}
	again := c.Get(99, func() int { return -1 })
	first := c.Get(0, func() int { return -1 })
	if again != 99 || first != -1 {
		t.Errorf("%d %d", again, first)
	}
}
