package collector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/await"
	"nhip/internal/influx"
)

// dead returns all letters that a question gets, page by page.
func (b *bench) dead(t *testing.T, q nhip.LetterQuery) (all []nhip.DeadLetter, pages int) {
	t.Helper()
	for {
		page, err := b.Letters(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		pages++
		all = append(all, page.Letters...)
		if page.Next == "" {
			return all, pages
		}
		q.After = page.Next
	}
}

func TestLettersCanBeAskedFor(t *testing.T) {
	b := newBench(t)
	b.start(t)
	for i := range 5 {
		b.accept(t, "nhip/in/position/1", fmt.Sprintf(`{"n":%d`, i))
	}
	b.accept(t, "nhip/in/position/2", fix(noon, 91))
	b.clock.set(noon.Add(24 * time.Hour))
	b.accept(t, "nhip/in/position/3", fix(noon, 92))
	rules := func(q nhip.LetterQuery) (out []string) {
		letters, _ := b.dead(t, q)
		for _, l := range letters {
			out = append(out, l.Device)
		}
		return out
	}
	all := rules(nhip.LetterQuery{})
	if len(all) != 7 || all[0] != "bus/hanoi/3" || all[1] != "bus/hanoi/2" {
		t.Errorf("newest first: %q", all)
	}
	if got, pages := b.dead(t, nhip.LetterQuery{Limit: 2}); len(got) != 7 || pages < 4 {
		t.Errorf("%d letters on %d pages", len(got), pages)
	}
	for _, c := range []struct {
		q    nhip.LetterQuery
		want int
	}{
		{nhip.LetterQuery{Code: nhip.OutOfRange}, 2},
		{nhip.LetterQuery{Device: "2"}, 1},
		{nhip.LetterQuery{Device: "bus/hanoi/3"}, 1},
		{nhip.LetterQuery{Device: "1"}, 5}, // by the end of the topic
		{nhip.LetterQuery{From: noon.Add(time.Hour)}, 1},
		{nhip.LetterQuery{To: noon.Add(time.Hour)}, 6},
		{nhip.LetterQuery{From: noon.Add(time.Hour), To: noon.Add(2 * time.Hour)}, 0},
	} {
		if got := rules(c.q); len(got) != c.want {
			t.Errorf("%+v: %q, want %d", c.q, got, c.want)
		}
	}
	for _, after := range []string{"x", "2026-02-16.jsonl", "../2026-02-16.jsonl:1", "2026-02-16.jsonl:-1"} {
		if _, err := b.Letters(t.Context(), nhip.LetterQuery{After: after}); nhip.ErrorCode(err) != nhip.Invalid {
			t.Errorf("after %q: %v", after, err)
		}
	}
}

func TestALetterIsShownWhole(t *testing.T) {
	b := newBench(t)
	b.start(t)
	payload := strings.Repeat("\xff\x00abc", 10_000)
	b.accept(t, "nhip/in/position/1", payload)
	all, _ := b.dead(t, nhip.LetterQuery{})
	if len(all) != 1 || all[0].Size != len(payload) || len(all[0].PayloadB) != shownPayload {
		t.Fatalf("listed as %+v", all)
	}
	var whole []byte
	for len(whole) < len(payload) {
		l, err := b.Letter(t.Context(), nhip.LetterPart{ID: all[0].ID, Offset: len(whole)})
		if err != nil || len(l.PayloadB) == 0 {
			t.Fatalf("%d bytes: %v", len(l.PayloadB), err)
		}
		whole = append(whole, l.PayloadB...)
	}
	if string(whole) != payload {
		t.Error("the parts are another payload")
	}
	for id, want := range map[string]nhip.Code{"x": nhip.Invalid, "20260216-9.9": nhip.NotFound, "20260101-1.0": nhip.NotFound} {
		if _, err := b.Letter(t.Context(), nhip.LetterPart{ID: id}); nhip.ErrorCode(err) != want {
			t.Errorf("%s: %v, want %s", id, err, want)
		}
	}
	if _, err := b.Letter(t.Context(), nhip.LetterPart{ID: all[0].ID, Offset: len(payload) + 1}); nhip.ErrorCode(err) != nhip.Invalid {
		t.Errorf("beyond the payload: %v", err)
	}
}

// TestADecoderThatFailsCostsItsMessageOnly breaks a decoder, and cures it.
func TestADecoderThatFailsCostsItsMessageOnly(t *testing.T) {
	b := newBench(t)
	broken := func(in decode.Input, out *nhip.Facts) error { panic("poison") }
	var sound func(decode.Input, *nhip.Facts) error
	b.tune = func(c *Collector) {
		sound = c.feeds[0].decoder.Decode
		c.feeds[0].decoder.Decode = broken
	}
	b.start(t)
	b.accept(t, "nhip/in/position/1", fix(noon, 21.1))
	b.accept(t, "nhip/in/reading/s", pm(noon, 5))
	b.checkLedger(t, map[string]string{
		"topic/nhip/in/position/1 12:00": "1 0 0 0 0 map[internal:1]",
		"air/s 12:00":                    "1 1 0 0 0 map[]",
	})
	all, _ := b.dead(t, nhip.LetterQuery{})
	if len(all) != 1 || all[0].Code != nhip.Internal || all[0].Payload != fix(noon, 21.1) {
		t.Fatalf("letters %+v", all)
	}
	b.stop(t)
	b.tune = func(c *Collector) { c.feeds[0].decoder.Decode = sound }
	b.start(t)
	for i := range 3 { // again does no harm
		page, err := b.Replay(t.Context(), nhip.ReplayQuery{IDs: []string{all[0].ID, "20260216-99.0", "nonsense"}})
		if err != nil || len(page.Replayed) != 3 {
			t.Fatalf("%+v, %v", page, err)
		}
		if r := page.Replayed[0]; r.Passed != 1 || r.Code != "" {
			t.Errorf("replay %d: %+v", i, r)
		}
		if page.Replayed[1].Code != nhip.NotFound || page.Replayed[2].Code != nhip.Invalid {
			t.Errorf("what is not there: %+v", page.Replayed)
		}
	}
	rows := b.ledger(t)
	if r := rows["bus/hanoi/1 12:00"]; r.Stored != 1 || r.Duplicate != 2 {
		t.Errorf("the cured bus: %+v", r)
	}
	again, _ := b.dead(t, nhip.LetterQuery{})
	if len(again) != 1 || again[0].Replay == nil || again[0].Replay.Passed != 1 {
		t.Errorf("after the replays: %+v", again)
	}
}

func TestAReplayThatFailsMakesNoNewLetter(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.accept(t, "nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":1}`)
	all, _ := b.dead(t, nhip.LetterQuery{})
	page, err := b.Replay(t.Context(), nhip.ReplayQuery{IDs: []string{all[0].ID}})
	if err != nil || page.Replayed[0].Code != nhip.Missing || page.Replayed[0].Passed != 0 {
		t.Fatalf("%+v, %v", page, err)
	}
	all, _ = b.dead(t, nhip.LetterQuery{})
	if len(all) != 1 || all[0].Replay == nil || all[0].Replay.Code != nhip.Missing {
		t.Errorf("letters %+v", all)
	}
	b.checkLedger(t, map[string]string{"topic/nhip/in/position/1 12:00": "2 0 0 0 0 map[missing:2]"})
	if _, err := b.Replay(t.Context(), nhip.ReplayQuery{IDs: make([]string, nhip.MaxReplay+1)}); nhip.ErrorCode(err) != nhip.Invalid {
		t.Errorf("too many: %v", err)
	}
}

// TestARefusedRowCanBeSentAgain lets the database refuse a row, and take it later.
func TestARefusedRowCanBeSentAgain(t *testing.T) {
	b := newBench(t)
	b.shelf.fail = func(lines string) error {
		if strings.Contains(lines, "vehicle=7 ") {
			return &influx.WriteError{Kind: influx.Rejected, Status: 400, Err: errors.New("field type conflict")}
		}
		return nil
	}
	b.start(t)
	b.accept(t, "nhip/in/position/7", fix(noon, 21))
	b.accept(t, "nhip/in/position/8", fix(noon, 21))
	b.checkLedger(t, map[string]string{
		"bus/hanoi/7 12:00": "1 0 0 0 0 map[refused:1]", "bus/hanoi/8 12:00": "1 1 0 0 0 map[]",
	})
	all, _ := b.dead(t, nhip.LetterQuery{Code: nhip.Refused})
	if len(all) != 1 || !strings.Contains(all[0].Line, "vehicle=7 ") {
		t.Fatalf("letters %+v", all)
	}
	b.shelf.mu.Lock()
	b.shelf.fail = nil
	b.shelf.mu.Unlock()
	if page, err := b.Replay(t.Context(), nhip.ReplayQuery{IDs: []string{all[0].ID}}); err != nil || page.Replayed[0].Passed != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	b.checkLedger(t, map[string]string{
		"bus/hanoi/7 12:00": "2 1 0 0 0 map[refused:1]", "bus/hanoi/8 12:00": "1 1 0 0 0 map[]",
	})
}

// TestAFloodOfGarbage says thousands of wrong things: all are counted, some are kept, and others are
// served.
func TestAFloodOfGarbage(t *testing.T) {
	b := newBench(t)
	b.start(t)
	const flood = 3_000
	for i := range flood {
		b.accept(t, "nhip/in/position/noisy", fmt.Sprintf("garbage %d", i))
	}
	b.accept(t, "nhip/in/position/1", "one mistake")
	rows := b.ledger(t)
	if r := rows["topic/nhip/in/position/noisy 12:00"]; r.Received != flood || r.Rejected[nhip.Malformed] != flood {
		t.Errorf("counted as %+v", r)
	}
	noisy, _ := b.dead(t, nhip.LetterQuery{Device: "noisy"})
	told := 0
	for _, l := range noisy {
		told += 1 + l.Unkept
	}
	if len(noisy) < sampleLetters || len(noisy) > sampleLetters+flood/sampleOneIn || told < flood-sampleOneIn {
		t.Errorf("%d letters tell of %d", len(noisy), told)
	}
	if quiet, _ := b.dead(t, nhip.LetterQuery{Device: "1"}); len(quiet) != 1 {
		t.Errorf("the other's letter: %+v", quiet)
	}
}

func TestAMessageThatNoRecordHolds(t *testing.T) {
	b := newBench(t)
	b.start(t)
	m := big(0)
	rows := []string{string(m.Payload[1 : len(m.Payload)-1])}
	m.Payload = []byte("[" + strings.Join(slices.Repeat(rows, 1), ",") + "]")
	if err := b.try(m); err != nil {
		t.Fatal(err)
	}
	over := nhip.Message{Topic: "nhip/in/reading/s", Payload: []byte("[" + strings.Repeat(" ", 2*maxRecord) + "]"), Received: noon}
	if err := b.try(over); err != nil {
		t.Fatalf("it would come again for ever: %v", err)
	}
	await.True(t, "it is kept", func() bool { return b.Pending() == 0 })
	if all, _ := b.dead(t, nhip.LetterQuery{Device: "s"}); len(all) != 1 || all[0].Size != maxRecord/2 {
		t.Errorf("letters %+v", all)
	}
}

func TestOldLettersGo(t *testing.T) {
	b := newBench(t)
	b.start(t)
	for day := range 4 {
		b.clock.set(noon.AddDate(0, 0, day))
		b.accept(t, "nhip/in/position/1", strings.Repeat("x", 1000))
	}
	await.True(t, "all are kept", func() bool { return b.Pending() == 0 })
	b.clock.set(noon.Add(nhip.LateWindow).AddDate(0, 0, 2))
	b.tidyDead()
	if all, _ := b.dead(t, nhip.LetterQuery{}); len(all) != 2 {
		t.Errorf("%d letters are left of two days", len(all))
	}
	b.Collector.dead = 10
	b.tidyDead()
	if all, _ := b.dead(t, nhip.LetterQuery{}); len(all) != 1 {
		t.Errorf("%d letters are left, the newest day stays", len(all))
	}
}
