package cache

import (
	"sync"
	"testing"

	"nhip"
)

func newStrings(limit int) *Sized[string, string] {
	return NewSized[string](limit, func(s string) int { return len(s) })
}

func TestSizedBuildsOnce(t *testing.T) {
	c := newStrings(100)
	built, hold := 0, make(chan struct{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			got, err := c.Get("k", func() (string, error) {
				built++ // if builds overlapped, the race detector would report it
				<-hold
				return "tile", nil
			})
			if got != "tile" || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	close(hold)
	wg.Wait()
	if s := c.Stats(); built != 1 || s != (Stats{Hits: 49, Built: 1, Cost: 4}) {
		t.Errorf("built %d times, %+v", built, s)
	}
}

func TestSizedDoesNotCacheErrors(t *testing.T) {
	c := newStrings(100)
	built := 0
	for range 2 {
		_, err := c.Get("bad", func() (string, error) {
			built++
			return "", nhip.Errorf(nhip.CodeInternal, "", "no")
		})
		if err == nil {
			t.Error("no error")
		}
	}
	if built != 2 || c.Len() != 0 {
		t.Errorf("built %d times, %d entries", built, c.Len())
	}
}

func TestSizedEvictsLeastRecentlyUsed(t *testing.T) {
	c := NewSized[int](64<<20, func(b []byte) int { return len(b) + 512 })
	big := func() ([]byte, error) { return make([]byte, 1<<20), nil }
	for i := range 200 {
		for _, key := range []int{i, 0} {
			if _, err := c.Get(key, big); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s := c.Stats(); s.Cost > 64<<20 || c.Len() < 60 || s.Built != 200 {
		t.Errorf("%d entries, %+v", c.Len(), s)
	}
}

func TestSizedBuildsAgainAfterPanic(t *testing.T) {
	c := newStrings(100)
	func() {
		defer func() { _ = recover() }()
		_, _ = c.Get("k", func() (string, error) { panic("a fault") })
	}()
	if got, err := c.Get("k", func() (string, error) { return "tile", nil }); got != "tile" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
