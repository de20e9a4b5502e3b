package sim

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"nhip"
)

// startRun runs a simulator in the background. stop ends it and returns Run's result.
func startRun(t *testing.T, s *Simulator) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}

// TestRunWithReplayClock uses a clock that starts with the first message. Then buses send at its rate, and the backlog
// is published.
func TestRunWithReplayClock(t *testing.T) {
	clock := nhip.NewReplayClock(at(8, 0), 120)
	type message struct {
		isBus bool
		at    time.Time
	}
	out := make(chan message, 100_000)
	s, err := New(Options{
		Clock: clock, Buses: 20, Stations: 5, History: time.Hour,
		Publish: func(topic string, payload []byte) error {
			clock.Begin() // as the collector does at the first device message
			out <- message{strings.HasPrefix(topic, positionTopic), clock.Now()}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := startRun(t, s)
	fixes, reports := 0, 0
	var last time.Time
	for fixes < 20*20 || reports < 5*11+5 { // 20 intervals and nearly all of the backlog: one monitor is faulty
		m := <-out
		last = m.at
		if m.isBus {
			fixes++
		} else {
			reports++
		}
	}
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if last.Before(at(8, 3)) { // 20 intervals, minus outages
		t.Errorf("%d fixes of 20 buses were published by %s", fixes, last)
	}
}

func TestRunLogsFailureAndRecoveryOnce(t *testing.T) {
	var log bytes.Buffer
	calls := make(chan int, 100_000)
	n := 0
	s, err := New(Options{
		Clock: nhip.NewReplayClock(at(8, 0), 1), Stations: 10, Buses: None, History: time.Hour,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Publish: func(string, []byte) error {
			n++
			calls <- n
			if n <= 20 {
				return errors.New("no broker")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := startRun(t, s)
	for <-calls < 30 {
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(log.String(), "\n"); got != 2 {
		t.Errorf("%d log lines for 20 failures and a recovery, want 2:\n%s", got, &log)
	}
}

func TestRunFailsAfterCalendarEnds(t *testing.T) {
	f := givenFeed(t)
	clock := nhip.NewReplayClock(time.Date(2026, 1, 31, 23, 59, 59, 0, hanoi), 1000)
	s, err := New(Options{
		Feed: f, Clock: clock, Buses: 5, Stations: None, Publish: func(string, []byte) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	clock.Begin()
	if err := s.Run(t.Context()); nhip.ErrorCode(err) != nhip.CodeInvalid || !strings.Contains(err.Error(), "20260131") {
		t.Errorf("after the calendar's end: got %v", err)
	}
}

func TestRunRequiresPublish(t *testing.T) {
	if err := newSim(t, Options{}, at(8, 0)).Run(t.Context()); nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

func TestPauseFollowsClockRate(t *testing.T) {
	s := newSim(t, Options{Buses: 1, Stations: None}, at(8, 0))
	s.Step(at(8, 0))
	s.Step(at(8, 0)) // the bus has sent; it is due again in 10 s
	for _, c := range []struct {
		clock   nhip.Clock
		backlog bool
		want    time.Duration
	}{
		{fixedClock(at(8, 0)), false, maxPause},
		{fixedClock(at(8, 0)), true, backlogPause},
		{fixedClock(at(8, 0).Add(9800 * time.Millisecond)), false, 200 * time.Millisecond},
		{fixedClock(at(8, 1)), false, minPause},
		{nhip.NewReplayClock(at(8, 0), 100), false, 100 * time.Millisecond},
	} {
		s.opt.Clock = c.clock
		if got := s.pause(c.backlog); got != c.want {
			t.Errorf("at %s with backlog %v: %s, want %s", c.clock.Now(), c.backlog, got, c.want)
		}
	}
}
