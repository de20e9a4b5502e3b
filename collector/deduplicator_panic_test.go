package collector

import (
	"strings"
	"testing"

	"nhip"
	"nhip/internal/awaittest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestDeduplicatorPanicCostsOneMessage lets the deduplicator panic at every reading. Messages without readings before
// and behind them are stored, and every row is counted once.
func TestDeduplicatorPanicCostsOneMessage(t *testing.T) {
	h := newHarness(t)
	h.tune = func(c *Collector) { c.dedup.series = nil } // to which the first reading of a series is added
	h.start(t)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.03))
	h.accept(t, "nhip/in/reading/hn-01", strings.Replace(pm25At(noon, 20), `{"pm25":20}`, `{"pm25":20,"pm10":30}`, 1))
	h.accept(t, "nhip/in/position/2", positionAt(noon, 21.04))
	settled := func() bool { return h.dedup.behind() == 0 && h.Pending() == 0 }
	awaittest.True(t, "all messages are classified", settled)
	if rows := h.store.rows(); len(rows) != 2 {
		t.Errorf("%d rows stored, want the two positions: %v", len(rows), rows)
	}
	h.checkLedger(t, map[string]string{
		"bus/hanoi/1 12:00": "1 1 0 0 0 map[]", "bus/hanoi/2 12:00": "1 1 0 0 0 map[]",
		"air/hn-01 12:00": "2 0 0 0 0 map[internal:2]",
	})
	letters := storedLetters(t, h.dir)
	if len(letters) != 1 || letters[0].Code != nhip.CodeInternal || letters[0].Rows != 2 || letters[0].Size == 0 {
		t.Errorf("dead letters: %+v", letters)
	}
	if n := testutil.ToFloat64(h.guard.Count(partDeduplicator)); n != 1 {
		t.Errorf("%v panics counted, want 1", n)
	}
	h.crash(t) // the records are classified the same way again
	h.start(t)
	awaittest.True(t, "all messages are classified again", settled)
	if n := len(storedLetters(t, h.dir)); n != 1 {
		t.Errorf("%d dead letters after a crash, want 1", n)
	}
}
