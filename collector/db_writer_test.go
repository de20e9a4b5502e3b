package collector

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/journal"
)

// acceptOne accepts positions one at a time, so that each gets its own outbox record.
func (h *harness) acceptOne(t *testing.T, vehicle string, positions int) {
	t.Helper()
	first := h.outbox.LastSeq()
	for i := range positions {
		h.accept(t, "nhip/in/position/"+vehicle, positionAt(noon.Add(time.Duration(i)*time.Second), 21))
		want := first + uint64(i) + 1
		awaittest.True(t, "the row is in the outbox", func() bool { return h.outbox.LastSeq() == want })
	}
}

func TestFreshRowsAreWrittenBeforeBacklog(t *testing.T) {
	h := newHarness(t)
	down := h.store.outage()
	h.tune = func(c *Collector) { c.writer.freshFor = 50 * time.Millisecond }
	h.start(t)
	down.Store(true)
	h.acceptOne(t, "old", 20)
	if rows := h.ledgerNow(t); rows["bus/hanoi/old 12:00"].Pending != 20 {
		t.Errorf("the ledger shows the backlog as %+v", rows)
	}
	down.Store(false)
	awaittest.True(t, "the backlog becomes a gap", func() bool { return h.writer.progress.head() > 20 })
	h.accept(t, "nhip/in/position/new", positionAt(noon, 21))
	h.checkLedger(t, map[string]string{
		"bus/hanoi/old 12:00": "20 20 0 0 0 map[]", "bus/hanoi/new 12:00": "1 1 0 0 0 map[]",
	})
	if n := len(h.store.rows()); n != 21 {
		t.Errorf("%d rows written, want 21", n)
	}
}

// TestBacklogRateLimit limits the backlog to one row per hour. Fresh rows must still be written, also after a crash.
func TestBacklogRateLimit(t *testing.T) {
	h := newHarness(t)
	down := h.store.outage()
	h.tune = func(c *Collector) {
		c.writer.freshFor = time.Nanosecond
		c.writer.rate.SetLimit(1.0 / 3600)
		c.writer.rate.SetBurst(1)
	}
	h.start(t)
	down.Store(true)
	h.acceptOne(t, "old", 5)
	down.Store(false)
	awaittest.True(t, "the backlog becomes a gap", func() bool { return h.writer.progress.head() > 5 })
	for _, restart := range []func(*testing.T){func(*testing.T) {}, h.crash} {
		restart(t)
		if h.Collector == nil {
			h.start(t)
		}
		before := len(h.store.rows())
		h.accept(t, "nhip/in/position/new", positionAt(noon.Add(time.Duration(before)*time.Second), 21))
		awaittest.True(t, "the fresh row is stored", func() bool {
			return strings.Contains(strings.Join(h.store.rows()[before:], "\n"), "vehicle=new")
		})
	}
	h.tune = nil
	h.stop(t)
	h.start(t)
	rows := h.ledger(t)
	if old := rows["bus/hanoi/old 12:00"]; old.Stored != 5 {
		t.Errorf("the backlog: %+v", old)
	}
}

func TestFullOutboxStopsIntakeOnly(t *testing.T) {
	h := newHarness(t)
	down := h.store.outage()
	down.Store(true)
	h.start(t)
	if !h.Taking() {
		t.Fatal("an empty journal is full")
	}
	accepted, err := fillUp(t, h)
	if !errors.Is(err, journal.ErrFull) || h.Taking() {
		t.Fatalf("after %d messages: %v, taking %v", accepted, err, h.Taking())
	}
	down.Store(false)
	h.awaitAccepted(t, longMessage(accepted))
	h.awaitStored(t, accepted+1)
}

// fillUp accepts messages until one fails, and returns that error.
func fillUp(t *testing.T, h *harness) (accepted int, err error) {
	t.Helper()
	for {
		if err = h.tryAccept(longMessage(accepted)); err != nil {
			return accepted, err
		}
		if accepted++; accepted > 1_000 {
			t.Fatal("the journals are not bounded")
		}
	}
}

// tryAccept returns the outcome of Accept.
func (h *harness) tryAccept(m nhip.Message) error {
	done := make(chan error, 1)
	h.Accept(m, func(err error) { done <- err })
	return <-done
}

// awaitAccepted waits until a message is accepted, once, and there is room for more.
func (h *harness) awaitAccepted(t *testing.T, m nhip.Message) {
	t.Helper()
	accepted := false
	awaittest.True(t, "messages are accepted again", func() bool {
		accepted = accepted || h.tryAccept(m) == nil
		return accepted && h.Taking()
	})
}

const longMessageRows = 300

// longMessage returns the n-th message of many positions with long texts, whose record has half a megabyte.
func longMessage(n int) nhip.Message {
	long := strings.Repeat("x", 250)
	var rows []string
	for i := range longMessageRows {
		at := noon.Add(-time.Duration(n*longMessageRows+i) * time.Second)
		rows = append(rows, fmt.Sprintf(
			`{"time":%q,"lat":21,"lon":105,"headsign":%q,"trip":%q,"stop":%q,"next_stop":%q,"line":%q,"route":%q}`,
			at.Format(time.RFC3339), long, long, long, long, long, long))
	}
	payload := []byte("[" + strings.Join(rows, ",") + "]")
	return nhip.Message{Topic: "nhip/in/position/1", Payload: payload, Received: noon}
}

// awaitStored waits until the rows of so many long messages are stored, and checks that each is stored once.
func (h *harness) awaitStored(t *testing.T, messages int) {
	t.Helper()
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	var stored, received int64
	for _, r := range h.ledgerNow(t) {
		stored += r.Stored
		received += r.Received
	}
	want, written := int64(messages*longMessageRows), int64(len(h.store.rows()))
	if stored != want || received != want || written != want {
		t.Errorf("%d rows received, %d stored, %d written, want %d", received, stored, written, want)
	}
}
