package gateway

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"nhip/internal/awaittest"
)

// TestDamagedSectorOfForwardJournal zeroes a record in the middle of the journal while upstream is away. All others are
// forwarded, and the lost one is counted.
func TestDamagedSectorOfForwardJournal(t *testing.T) {
	const messages, lost = 10, 4
	dir := t.TempDir()
	e := newTestForwarder(t, dir, newTCPRelay(t).url(), "")
	for i := range messages {
		e.accept(t, "0", fmt.Sprintf("0 %d", i))
	}
	e.halt(t)
	path := filepath.Join(dir, "00000000000000000001.seg")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at, next := bytes.Index(b, fmt.Appendf(nil, "/hfp/0/%d", lost)), bytes.Index(b, fmt.Appendf(nil, "/hfp/0/%d", lost+1))
	clear(b[at-30 : next-35]) // with the header of its frame
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	d := &fakeAcceptor{}
	e = newTestForwarder(t, dir, startUpstream(t, d).URL(), accounts.Operator.String())
	awaittest.True(t, "the others arrive", func() bool { return distinct(d) == messages-1 && e.Pending() == 0 })
	for _, m := range d.messages() {
		if string(m.Payload) == fmt.Sprintf("0 %d", lost) {
			t.Error("the lost message arrived")
		}
	}
	if e.value(t, "lost_total") != 1 || e.Intact() {
		t.Errorf("%v lost, intact %v", e.value(t, "lost_total"), e.Intact())
	}
}

// TestForwardJournalOlderThanCursor removes the journal's segments and keeps the cursor, as a copy of the live folder
// may: new messages are forwarded.
func TestForwardJournalOlderThanCursor(t *testing.T) {
	dir := t.TempDir()
	d := &fakeAcceptor{}
	url := startUpstream(t, d).URL()
	e := newTestForwarder(t, dir, url, accounts.Operator.String())
	for i := range 10 {
		e.accept(t, "0", fmt.Sprintf("0 %d", i))
	}
	awaittest.True(t, "the first messages arrive", func() bool { return distinct(d) == 10 && e.Pending() == 0 })
	e.halt(t)
	segments, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range segments {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	e = newTestForwarder(t, dir, url, accounts.Operator.String())
	for i := range 10 {
		e.accept(t, "1", fmt.Sprintf("1 %d", i))
	}
	awaittest.True(t, "all arrive", func() bool { return distinct(d) == 20 && e.Pending() == 0 })
	if e.value(t, "lost_total") != 0 || e.Intact() {
		t.Errorf("%v lost, intact %v; want it reported, and none lost", e.value(t, "lost_total"), e.Intact())
	}
}

// distinct returns how many different messages have arrived. One that is forwarded again after a lost connection
// arrives twice.
func distinct(d *fakeAcceptor) int {
	payloads := make(map[string]bool)
	for _, m := range d.messages() {
		payloads[string(m.Payload)] = true
	}
	return len(payloads)
}
