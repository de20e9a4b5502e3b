package httpserver

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip/internal/awaittest"
)

func TestWorkSlotsBoundWhatRuns(t *testing.T) {
	w := newWorkSlots(2)
	var running, most atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			s, ok := w.enter(t.Context())
			if !ok {
				t.Error("no slot")
				return
			}
			n := running.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			running.Add(-1)
			w.leave(s)
			w.leave(s) // has no effect
		})
	}
	all.Wait()
	if most.Load() > 2 || len(w.free) != 2 {
		t.Errorf("%d ran at a time, %d slots are free", most.Load(), len(w.free))
	}
}

// TestBlockedHoldersDoNotKeepSlots takes all slots and never gives them back.
func TestBlockedHoldersDoNotKeepSlots(t *testing.T) {
	w := newWorkSlots(2)
	var held []workSlot
	for range 8 {
		s, ok := w.enter(t.Context())
		if !ok {
			t.Fatal("no slot")
		}
		held = append(held, s)
	}
	for _, s := range held {
		w.leave(s)
	}
	if len(w.free) != 2 {
		t.Errorf("%d slots are free, want 2", len(w.free))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = w.enter(t.Context())
	_, _ = w.enter(t.Context())
	if _, ok := w.enter(ended); ok {
		t.Error("a slot although the client is gone")
	}
}

// TestStreamsLeaveWorkToOthers opens more streams than there are slots, and then requests pages.
func TestStreamsLeaveWorkToOthers(t *testing.T) {
	w := newWorkSlots(1)
	s, _ := serve(t, func(o *Options) { o.Work = w })
	for range 5 {
		c := dialFrom(t, s, "127.0.0.1")
		send(t, c, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	began := time.Now()
	for range 20 {
		resp, err := http.Get(s.URL() + "/page")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if took := time.Since(began); took > awaittest.Timeout {
		t.Errorf("20 pages took %s", took)
	}
}
