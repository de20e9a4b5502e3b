package cache

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func TestTimedSurvivesPanicOfRead(t *testing.T) {
	c := NewTimed[int](3, 1)
	defer c.Close()
	_, err := c.Get(t.Context(), noon, time.Hour, func(context.Context) (int, error) { panic("a fault") })
	if nhip.ErrorCode(err) != nhip.CodeInternal {
		t.Errorf("a panic of read returns %v", err)
	}
	v, err := c.Get(t.Context(), noon, time.Hour, func(context.Context) (int, error) { return 7, nil })
	if v != 7 || err != nil {
		t.Errorf("after the panic: %d, %v", v, err)
	}
}

func TestTimedCloseCancelsReads(t *testing.T) {
	c := NewTimed[int](3, 1)
	began, answer := make(chan struct{}), make(chan error)
	go func() {
		_, err := c.Get(t.Context(), noon, time.Hour, func(ctx context.Context) (int, error) {
			close(began)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		answer <- err
	}()
	<-began
	c.Close()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("the read returns %v", err)
	}
	if _, err := c.Get(t.Context(), noon.Add(time.Hour), time.Hour, nil); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("after Close: %v", err)
	}
}

func TestTimedReadsEachMomentOnce(t *testing.T) {
	c := NewTimed[int](3, 1)
	defer c.Close()
	var reads atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			v, err := c.Get(t.Context(), noon, time.Hour, func(context.Context) (int, error) { return int(reads.Add(1)), nil })
			if v != 1 || err != nil {
				t.Errorf("got %d, %v", v, err)
			}
		})
	}
	wg.Wait()
}

func TestTimedEvictsLeastRecentlyUsed(t *testing.T) {
	c := NewTimed[int](2, 1)
	defer c.Close()
	reads := 0
	get := func(hour int) {
		t.Helper()
		_, err := c.Get(t.Context(), noon.Add(time.Duration(hour)*time.Hour), time.Hour, func(context.Context) (int, error) {
			reads++
			return hour, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, hour := range []int{0, 1, 0, 2, 0} {
		get(hour)
	}
	if reads != 3 || c.Len() != 2 {
		t.Errorf("%d reads, %d entries; want 3 and 2", reads, c.Len())
	}
	get(1)
	if reads != 4 {
		t.Errorf("the evicted moment was read %d times, want 4", reads)
	}
	c.Clear()
	if c.Len() != 0 {
		t.Errorf("%d entries after Clear", c.Len())
	}
}

func TestLifetimeOfRecentMomentsIsShort(t *testing.T) {
	if recent, settled := Lifetime(time.Hour), Lifetime(SettledAge); recent != time.Minute || settled != 10*time.Minute {
		t.Errorf("lifetimes %s and %s", recent, settled)
	}
}

func TestPanicOfReadIsNotShown(t *testing.T) {
	c := NewTimed[int](1, 1)
	defer c.Close()
	_, err := c.Get(t.Context(), noon, time.Minute, func(context.Context) (int, error) { panic("s3cret") })
	var shown *nhip.Error
	if err == nil || errors.As(err, &shown) {
		t.Errorf("a client sees %v", err)
	}
}
