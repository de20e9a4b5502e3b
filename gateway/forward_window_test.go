package gateway

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheWindowKnowsUpToWhereNothingIsMissing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWindow(10)
		seq, away := uint64(10), map[uint64]uint64{} // seq by ticket
		r.Repeat(map[string]func(*rapid.T){
			"enter": func(r *rapid.T) {
				seq += rapid.Uint64Range(1, 3).Draw(r, "step") // a damaged journal has gaps
				ticket, ok := w.enter(t.Context(), seq, time.Unix(int64(seq), 0))
				if !ok {
					r.Fatal("no room")
				}
				away[ticket] = seq
			},
			"leave": func(r *rapid.T) {
				if len(away) == 0 {
					r.Skip("nothing is on its way")
				}
				var tickets []uint64
				for at := range w.next {
					if away[at] != 0 {
						tickets = append(tickets, at)
					}
				}
				ticket := rapid.SampledFrom(tickets).Draw(r, "ticket")
				w.leave(ticket)
				delete(away, ticket)
			},
			"": func(r *rapid.T) { checkWindow(r, w, seq, away) },
		})
	})
}

func checkWindow(t *rapid.T, w *window, last uint64, away map[uint64]uint64) {
	first := uint64(0)
	for _, seq := range away {
		if first == 0 || seq < first {
			first = seq
		}
	}
	at, any := w.oldest()
	if any != (first != 0) || any && at.Unix() != int64(first) {
		t.Fatalf("the oldest is of %v (%v), want of %d", at, any, first)
	}
	switch done := w.position(); {
	case first == 0 && done != last:
		t.Fatalf("all is acknowledged up to %d, want %d", done, last)
	case first != 0 && done >= first:
		t.Fatalf("all is acknowledged up to %d, but %d is not", done, first)
	}
}

func TestAFullWindowWaits(t *testing.T) {
	w := newWindow(0)
	for i := range uint64(windowSize) {
		w.enter(t.Context(), i+1, time.Time{})
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	if _, ok := w.enter(over, windowSize+1, time.Time{}); ok {
		t.Fatal("a full window takes one more")
	}
	w.leave(1) // not the oldest, so there is no room yet
	if _, ok := w.enter(over, windowSize+1, time.Time{}); ok {
		t.Fatal("a slot is given away behind one that is in use")
	}
	entered := make(chan bool)
	go func() {
		_, ok := w.enter(t.Context(), windowSize+1, time.Time{})
		entered <- ok
	}()
	w.leave(0)
	if !<-entered || w.position() != 2 {
		t.Errorf("no room after the oldest has left, all acknowledged up to %d", w.position())
	}
}
