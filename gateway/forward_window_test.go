package gateway

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWindowPosition(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWindow(10)
		seq, inFlight := uint64(10), map[uint64]uint64{} // seq by ticket
		r.Repeat(map[string]func(*rapid.T){
			"add": func(r *rapid.T) {
				seq += rapid.Uint64Range(1, 3).Draw(r, "step") // a damaged journal has gaps
				ticket, err := w.add(t.Context(), seq, time.Unix(int64(seq), 0))
				if err != nil {
					r.Fatal(err)
				}
				inFlight[ticket] = seq
			},
			"ack": func(r *rapid.T) {
				if len(inFlight) == 0 {
					r.Skip("nothing is in flight")
				}
				var tickets []uint64
				for at := range w.next {
					if inFlight[at] != 0 {
						tickets = append(tickets, at)
					}
				}
				ticket := rapid.SampledFrom(tickets).Draw(r, "ticket")
				w.ack(ticket)
				delete(inFlight, ticket)
			},
			"": func(r *rapid.T) { checkWindow(r, w, seq, inFlight) },
		})
	})
}

func checkWindow(t *rapid.T, w *window, last uint64, inFlight map[uint64]uint64) {
	first := uint64(0)
	for _, seq := range inFlight {
		if first == 0 || seq < first {
			first = seq
		}
	}
	at, any := w.oldest()
	if any != (first != 0) || any && at.Unix() != int64(first) {
		t.Fatalf("oldest is %v (%v), want %d", at, any, first)
	}
	switch done := w.position(); {
	case first == 0 && done != last:
		t.Fatalf("position %d, want %d", done, last)
	case first != 0 && done >= first:
		t.Fatalf("position %d, but %d is not acknowledged", done, first)
	}
}

func TestWindowWaitsWhileFull(t *testing.T) {
	w := newWindow(0)
	for i := range uint64(windowSize) {
		if _, err := w.add(t.Context(), i+1, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.add(ended, windowSize+1, time.Time{}); err == nil {
		t.Fatal("added to a full window")
	}
	w.ack(1) // not the oldest, so its slot is not free yet
	if _, err := w.add(ended, windowSize+1, time.Time{}); err == nil {
		t.Fatal("added to a slot behind one in use")
	}
	added := make(chan error)
	go func() {
		_, err := w.add(t.Context(), windowSize+1, time.Time{})
		added <- err
	}()
	w.ack(0)
	if err := <-added; err != nil || w.position() != 2 {
		t.Errorf("after the oldest was acknowledged: %v, position %d", err, w.position())
	}
}
