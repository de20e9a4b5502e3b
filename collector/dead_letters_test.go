package collector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/deadletter"
	"nhip/collector/decode"
	"nhip/internal/awaittest"
)

// allLetters returns all letters that match q, page by page.
func (h *harness) allLetters(t *testing.T, q nhip.DeadLetterQuery) (all []nhip.DeadLetter, pages int) {
	t.Helper()
	for {
		page, err := h.Letters(t.Context(), q)
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

func (h *harness) replayLetters(t *testing.T, ids ...string) []nhip.ReplayResult {
	t.Helper()
	results, err := h.Replay(t.Context(), nhip.ReplayQuery{IDs: ids})
	if err != nil || len(results.Results) != len(ids) {
		t.Fatalf("replay of %q: %+v, %v", ids, results, err)
	}
	return results.Results
}

// A message of which only the beginning arrives is no message, although a decoder may accept the beginning.
func TestCutMessageBecomesDeadLetter(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	done := make(chan error, 1)
	m := nhip.Message{
		Client: "source", Topic: "nhip/in/position/1", Payload: []byte(positionAt(noon, 21)), Size: 1 << 20, Received: noon,
	}
	h.Accept(m, func(err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var letters []nhip.DeadLetter
	awaittest.True(t, "the letter is listed", func() bool {
		letters, _ = h.allLetters(t, nhip.DeadLetterQuery{})
		return len(letters) > 0
	})
	if l := letters[0]; len(letters) != 1 || l.Code != nhip.CodeTooLarge ||
		!strings.Contains(l.Rule, "has 1048576 bytes") || l.Payload != string(m.Payload) {
		t.Errorf("letters %+v", letters)
	}
	if r := h.replayLetters(t, letters[0].ID)[0]; r.Passed > 0 || r.Code != nhip.CodeTooLarge {
		t.Errorf("replay: %+v", r)
	}
}

func TestDeadLetterQueries(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	for i := range 5 {
		h.accept(t, "nhip/in/position/1", fmt.Sprintf(`{"n":%d`, i))
	}
	h.accept(t, "nhip/in/position/2", positionAt(noon, 91))
	h.clock.set(noon.Add(24 * time.Hour))
	h.accept(t, "nhip/in/position/3", positionAt(noon, 92))
	devices := func(q nhip.DeadLetterQuery) (out []string) {
		letters, _ := h.allLetters(t, q)
		for _, l := range letters {
			out = append(out, l.Device)
		}
		return out
	}
	all := devices(nhip.DeadLetterQuery{})
	if len(all) != 7 || all[0] != "bus/hanoi/3" || all[1] != "bus/hanoi/2" {
		t.Errorf("letters of %q, want 7, the newest first", all)
	}
	if got, pages := h.allLetters(t, nhip.DeadLetterQuery{Limit: 2}); len(got) != 7 || pages < 4 {
		t.Errorf("%d letters on %d pages, want 7 on 4", len(got), pages)
	}
	for _, c := range []struct {
		q    nhip.DeadLetterQuery
		want int
	}{
		{nhip.DeadLetterQuery{Code: nhip.CodeOutOfRange}, 2},
		{nhip.DeadLetterQuery{Device: "2"}, 1},
		{nhip.DeadLetterQuery{Device: "bus/hanoi/3"}, 1},
		{nhip.DeadLetterQuery{Device: "1"}, 5}, // the last level of the topic
		{nhip.DeadLetterQuery{From: noon.Add(time.Hour)}, 1},
		{nhip.DeadLetterQuery{To: noon.Add(time.Hour)}, 6},
		{nhip.DeadLetterQuery{From: noon.Add(time.Hour), To: noon.Add(2 * time.Hour)}, 0},
	} {
		if got := devices(c.q); len(got) != c.want {
			t.Errorf("%+v: letters of %q, want %d", c.q, got, c.want)
		}
	}
	for _, after := range []string{"x", "2026-02-16.jsonl", "../2026-02-16.jsonl:1", "2026-02-16.jsonl:-1"} {
		_, err := h.Letters(t.Context(), nhip.DeadLetterQuery{After: after})
		if nhip.ErrorCode(err) != nhip.CodeInvalid {
			t.Errorf("after %q: %v, want code %s", after, err, nhip.CodeInvalid)
		}
	}
}

func TestLetterReturnsWholePayloadInChunks(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	payload := strings.Repeat("\xff\x00abc", 10_000)
	h.accept(t, "nhip/in/position/1", payload)
	all, _ := h.allLetters(t, nhip.DeadLetterQuery{})
	if len(all) != 1 || all[0].Size != len(payload) || len(all[0].PayloadB) != deadletter.MaxExcerpt {
		t.Fatalf("letters %+v", all)
	}
	var whole []byte
	for len(whole) < len(payload) {
		l, err := h.Letter(t.Context(), nhip.DeadLetterChunk{ID: all[0].ID, Offset: len(whole)})
		if err != nil || len(l.PayloadB) == 0 {
			t.Fatalf("chunk of %d bytes: %v", len(l.PayloadB), err)
		}
		whole = append(whole, l.PayloadB...)
	}
	if string(whole) != payload {
		t.Error("the chunks differ from the payload")
	}
	for _, c := range []struct {
		chunk nhip.DeadLetterChunk
		want  nhip.Code
	}{
		{nhip.DeadLetterChunk{ID: "x"}, nhip.CodeInvalid},
		{nhip.DeadLetterChunk{ID: "20260216-9.9"}, nhip.CodeNotFound},
		{nhip.DeadLetterChunk{ID: "20260101-1.0"}, nhip.CodeNotFound},
		{nhip.DeadLetterChunk{ID: all[0].ID, Offset: len(payload) + 1}, nhip.CodeInvalid},
	} {
		if _, err := h.Letter(t.Context(), c.chunk); nhip.ErrorCode(err) != c.want {
			t.Errorf("%+v: %v, want code %s", c.chunk, err, c.want)
		}
	}
}

// TestDecoderPanicRejectsOneMessage lets a decoder panic, and replays the message when the decoder is repaired.
func TestDecoderPanicRejectsOneMessage(t *testing.T) {
	h := newHarness(t)
	var repaired func(decode.Input, *nhip.Facts) error
	h.tune = func(c *Collector) {
		repaired = c.feeds[0].decoder.Decode
		c.feeds[0].decoder.Decode = func(decode.Input, *nhip.Facts) error { panic("broken") }
	}
	h.start(t)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.1))
	h.accept(t, "nhip/in/reading/s", pm25At(noon, 5))
	h.checkLedger(t, map[string]string{
		"topic/nhip/in/position/1 12:00": "1 0 0 0 0 map[internal:1]",
		"air/s 12:00":                    "1 1 0 0 0 map[]",
	})
	all, _ := h.allLetters(t, nhip.DeadLetterQuery{})
	if len(all) != 1 || all[0].Code != nhip.CodeInternal || all[0].Payload != positionAt(noon, 21.1) {
		t.Fatalf("letters %+v", all)
	}
	h.stop(t)
	h.tune = func(c *Collector) { c.feeds[0].decoder.Decode = repaired }
	h.start(t)
	for i := range 3 { // repetition is harmless
		results := h.replayLetters(t, all[0].ID, "20260216-99.0", "nonsense")
		if r := results[0]; r.Passed != 1 || r.Code != "" {
			t.Errorf("replay %d: %+v", i, r)
		}
		if results[1].Code != nhip.CodeNotFound || results[2].Code != nhip.CodeInvalid {
			t.Errorf("replay of missing letters: %+v", results)
		}
	}
	rows := h.ledger(t)
	if r := rows["bus/hanoi/1 12:00"]; r.Stored != 1 || r.Duplicate != 2 {
		t.Errorf("ledger after the replays: %+v", r)
	}
	again, _ := h.allLetters(t, nhip.DeadLetterQuery{})
	if len(again) != 1 || again[0].Replay == nil || again[0].Replay.Passed != 1 {
		t.Errorf("letters after the replays: %+v", again)
	}
}

func TestFailedReplayMakesNoNewLetter(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/position/1", `{"time":"2026-02-16T12:00:00Z","lat":1}`)
	all, _ := h.allLetters(t, nhip.DeadLetterQuery{})
	if r := h.replayLetters(t, all[0].ID)[0]; r.Code != nhip.CodeMissing || r.Passed != 0 {
		t.Fatalf("%+v, want code %s", r, nhip.CodeMissing)
	}
	all, _ = h.allLetters(t, nhip.DeadLetterQuery{})
	if len(all) != 1 || all[0].Replay == nil || all[0].Replay.Code != nhip.CodeMissing {
		t.Errorf("letters %+v", all)
	}
	h.checkLedger(t, map[string]string{"topic/nhip/in/position/1 12:00": "2 0 0 0 0 map[missing:2]"})
}

func TestReplayLimitsLetters(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	_, err := h.Replay(t.Context(), nhip.ReplayQuery{IDs: make([]string, nhip.MaxReplay+1)})
	if nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Errorf("%v, want code %s", err, nhip.CodeInvalid)
	}
}

// TestRejectedRowCanBeWrittenAgain lets the database reject a row and later accept it.
func TestRejectedRowCanBeWrittenAgain(t *testing.T) {
	h := newHarness(t)
	h.store.fail = rejectVehicle7
	h.start(t)
	h.accept(t, "nhip/in/position/7", positionAt(noon, 21))
	h.accept(t, "nhip/in/position/8", positionAt(noon, 21))
	h.checkLedger(t, map[string]string{
		"bus/hanoi/7 12:00": "1 0 0 0 0 map[refused:1]", "bus/hanoi/8 12:00": "1 1 0 0 0 map[]",
	})
	all, _ := h.allLetters(t, nhip.DeadLetterQuery{Code: nhip.CodeRefused})
	if len(all) != 1 || !strings.Contains(all[0].LineProtocol, "vehicle=7 ") {
		t.Fatalf("letters %+v", all)
	}
	h.store.setFail(nil)
	if r := h.replayLetters(t, all[0].ID)[0]; r.Passed != 1 {
		t.Fatalf("%+v, want one row passed", r)
	}
	h.checkLedger(t, map[string]string{
		"bus/hanoi/7 12:00": "2 1 0 0 0 map[refused:1]", "bus/hanoi/8 12:00": "1 1 0 0 0 map[]",
	})
}

// TestFloodOfInvalidMessages sends thousands of invalid messages. All must be counted and only some stored, without
// an effect on another sender.
func TestFloodOfInvalidMessages(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	const flood = 3_000
	for i := range flood {
		h.accept(t, "nhip/in/position/noisy", fmt.Sprintf("garbage %d", i))
	}
	h.accept(t, "nhip/in/position/1", "garbage")
	rows := h.ledger(t)
	r := rows["topic/nhip/in/position/noisy 12:00"]
	if r.Received != flood || r.Rejected[nhip.CodeMalformed] != flood {
		t.Errorf("ledger %+v, want %d rejected rows", r, flood)
	}
	noisy, _ := h.allLetters(t, nhip.DeadLetterQuery{Device: "noisy"})
	reported := 0
	for _, l := range noisy {
		reported += 1 + l.Unkept
	}
	const most = deadletter.QuotaLetters + flood/deadletter.SampleOneIn
	if len(noisy) < deadletter.QuotaLetters || len(noisy) > most || reported < flood-deadletter.SampleOneIn {
		t.Errorf("%d letters report %d messages", len(noisy), reported)
	}
	if quiet, _ := h.allLetters(t, nhip.DeadLetterQuery{Device: "1"}); len(quiet) != 1 {
		t.Errorf("letters of another sender: %+v, want one", quiet)
	}
}

func TestOversizedMessageBecomesDeadLetter(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	if err := h.tryAccept(longMessage(0)); err != nil {
		t.Fatal(err)
	}
	payload := []byte("[" + strings.Repeat(" ", 2*maxRecord) + "]")
	m := nhip.Message{Topic: "nhip/in/reading/s", Payload: payload, Received: noon}
	if err := h.tryAccept(m); err != nil {
		t.Fatalf("%v, so that the sender would redeliver it for ever", err)
	}
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	all, _ := h.allLetters(t, nhip.DeadLetterQuery{Device: "s"})
	if len(all) != 1 || all[0].Size != maxRecord/2 {
		t.Errorf("letters %+v, want one with a cut payload", all)
	}
}

func TestPruneDeletesOldDeadLetters(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	for day := range 4 {
		h.clock.set(noon.AddDate(0, 0, day))
		h.accept(t, "nhip/in/position/1", strings.Repeat("x", 1000))
	}
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	h.clock.set(noon.Add(nhip.LateWindow).AddDate(0, 0, 2))
	h.keeper.pruneDeadLetters()
	if all, _ := h.allLetters(t, nhip.DeadLetterQuery{}); len(all) != 2 {
		t.Errorf("%d letters left, want those of two days", len(all))
	}
	h.keeper.maxDeadBytes = 10
	h.keeper.pruneDeadLetters()
	if all, _ := h.allLetters(t, nhip.DeadLetterQuery{}); len(all) != 1 {
		t.Errorf("%d letters left, want that of the newest day", len(all))
	}
}
