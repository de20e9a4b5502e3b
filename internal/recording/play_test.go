package recording

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestPlayKeepsThePace plays two messages, 995 ms apart, at a tenth of their time and without a pace.
func TestPlayKeepsThePace(t *testing.T) {
	path := write(t, "a.rec", sample, false)
	play := func(speed float64) (times []time.Time) {
		in, err := OpenAll([]string{path})
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		n, err := in.Play(t.Context(), speed, func(Entry) error {
			times = append(times, time.Now())
			return nil
		})
		if n != 2 || err != nil || len(times) != 2 {
			t.Fatalf("played %d of 2, %v", n, err)
		}
		return times
	}
	const due = 99 * time.Millisecond // 994.7 ms at ten times the speed
	if at := play(10); at[1].Sub(at[0]) < due {
		t.Errorf("the second message comes after %s", at[1].Sub(at[0]))
	}
	play(0)
}

// TestPlayEnds ends playing with the context, while it waits for the second message, and with a message that is not
// taken.
func TestPlayEnds(t *testing.T) {
	path := write(t, "a.rec", sample, false)
	ctx, cancel := context.WithCancel(t.Context())
	full := errors.New("full")
	for _, c := range []struct {
		yield func(Entry) error
		n     int
		want  error
	}{
		{func(Entry) error { return full }, 0, full},
		{func(Entry) error { cancel(); return nil }, 1, context.Canceled},
	} {
		in, err := OpenAll([]string{path})
		if err != nil {
			t.Fatal(err)
		}
		const slow = 1e-6 // the second message is due in eleven days
		if n, err := in.Play(ctx, slow, c.yield); n != c.n || !errors.Is(err, c.want) {
			t.Errorf("played %d, %v; want %d, %v", n, err, c.n, c.want)
		}
		if err := in.Close(); err != nil {
			t.Error(err)
		}
	}
}
