package collector

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/ledger"
	"nhip/internal/awaittest"

	"github.com/google/go-cmp/cmp"
)

// ledger waits until nothing is pending and returns all rows of the ledger, by device and hour.
func (h *harness) ledger(t *testing.T) map[string]nhip.LedgerRow {
	t.Helper()
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	return h.ledgerNow(t)
}

// ledgerNow returns all rows of the ledger by device and hour. It fails the test if one does not balance.
func (h *harness) ledgerNow(t *testing.T) map[string]nhip.LedgerRow {
	t.Helper()
	rows := make(map[string]nhip.LedgerRow)
	for q := (nhip.LedgerQuery{}); ; {
		page, err := h.Ledger(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			if !r.Balanced() || r.Collector != "c" {
				t.Errorf("row %+v", r)
			}
			rows[r.Device+" "+r.Hour.Format("15:04")] = r
		}
		if page.Next == "" {
			return rows
		}
		q.After = page.Next
	}
}

// checkLedger compares the ledger with counts written as "received stored duplicate revised pending rejected".
func (h *harness) checkLedger(t *testing.T, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	for key, r := range h.ledger(t) {
		got[key] = fmt.Sprintf("%d %d %d %d %d %v", r.Received, r.Stored, r.Duplicate, r.Revised, r.Pending, r.Rejected)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

func TestDuplicatesAndRevisionsAreCounted(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.1))
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.1))                      // redelivered
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.2))                      // a revision
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21.2))                      // a duplicate of the revision
	h.accept(t, "nhip/in/position/1", positionAt(noon.Add(-90*time.Minute), 21.3)) // late
	h.accept(t, "nhip/in/reading/s", pm25At(noon, 5))
	h.accept(t, "nhip/in/reading/s", pm25At(noon, 6))
	want := map[string]string{
		"bus/hanoi/1 12:00": "4 1 2 1 0 map[]",
		"bus/hanoi/1 10:00": "1 1 0 0 0 map[]",
		"air/s 12:00":       "2 1 0 1 0 map[]",
	}
	h.checkLedger(t, want)
	var revisions []string
	for _, row := range h.store.rows() {
		if at, _, _ := strings.Cut(row, " "); strings.Contains(at, "_revision") {
			revisions = append(revisions, at)
		}
	}
	slices.Sort(revisions)
	if diff := cmp.Diff([]string{
		"position_revision,agency=hanoi,event=vp,revision=1,vehicle=1",
		"reading_revision,period=1h,quantity=pm25,revision=1,station=s",
	}, revisions); diff != "" || len(h.store.rows()) != 5 {
		t.Errorf("stored rows %q\n%s", h.store.rows(), diff)
	}

	for name, end := range map[string]func(*testing.T){"stop": h.stop, "crash": h.crash} {
		end(t)
		h.start(t)
		h.accept(t, "nhip/in/position/1", positionAt(noon, 21.1))
		if r := h.ledger(t)["bus/hanoi/1 12:00"]; r.Stored != 1 || r.Revised != 1 || r.Duplicate != r.Received-2 {
			t.Errorf("after a %s, a duplicate is counted as %+v", name, r)
		}
	}
}

func TestUndatedDuplicates(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	const payload = `{"serialno":"84fce612f5b8","pm02":7,"atmp":25.9}`
	send := func(after time.Duration) {
		h.clock.set(noon.Add(after))
		h.accept(t, "airgradient/readings/84fce612f5b8", payload)
	}
	send(0)
	send(2 * time.Second) // redelivered
	send(time.Minute)     // a new measurement with the same values
	rows := h.ledger(t)
	for key, r := range rows {
		if r.Received != 6 || r.Stored != 4 || r.Duplicate != 2 || r.Revised != 0 {
			t.Errorf("%s: %+v", key, r)
		}
	}
	if len(rows) != 1 {
		t.Errorf("ledger %v, want one row", rows)
	}
}

func TestStuckClockRevisionsAreLimited(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	for i := range ledger.MaxRevisions + 5 {
		h.accept(t, "nhip/in/position/1", positionAt(noon, 21+float64(i)/1000))
	}
	h.checkLedger(t, map[string]string{"bus/hanoi/1 12:00": "104 1 0 99 0 map[stuck_clock:4]"})
}

func TestRejectedRowsAreCountedByDeviceOrTopic(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/position/1", positionAt(noon.Add(-time.Hour), 95))                // in the hour of its time
	h.accept(t, "nhip/in/position/1", positionAt(noon.AddDate(1, 0, 0), 21))               // in the hour of arrival
	h.accept(t, "nhip/in/position/1", `{`)                                                 // by topic
	h.accept(t, "nhip/in/position/"+strings.Repeat("x", 300), positionAt(noon, 21))        // an invalid id: by topic
	h.accept(t, "nhip/in/reading/a%2Fb", strings.Replace(pm25At(noon, 1), "pm25", "x", 1)) // by topic
	h.checkLedger(t, map[string]string{
		"bus/hanoi/1 11:00":                                             "1 0 0 0 0 map[out_of_range:1]",
		"bus/hanoi/1 12:00":                                             "1 0 0 0 0 map[future:1]",
		"topic/nhip/in/position/1 12:00":                                "1 0 0 0 0 map[malformed:1]",
		"topic/nhip/in/reading/a%2Fb 12:00":                             "1 0 0 0 0 map[unknown_field:1]",
		"topic/nhip/in/position/" + strings.Repeat("x", 300) + " 12:00": "1 0 0 0 0 map[out_of_range:1]",
	})
}

// TestUplinkCopiesAreDuplicates delivers uplinks again, also with the metadata of other gateways.
func TestUplinkCopiesAreDuplicates(t *testing.T) {
	const fields = "air.pm2_5=pm25, temperature=temperature °F"
	for _, c := range []struct {
		format, filter string
		copies         []string
	}{
		{"tts", "v3/#", []string{"decoded", "redelivered", "one-gateway-of-two"}},
		{"chirpstack", "application/#", []string{"decoded", "gateways-reversed", "decoded"}},
	} {
		t.Run(c.format, func(t *testing.T) {
			h := newHarness(t)
			h.clock.set(noon.Add(4 * time.Hour))
			h.feed = &decode.Feed{Topic: c.filter, Format: c.format, Agency: "hanoi"}
			var err error
			if h.feed.Fields, err = decode.ParseFields(fields); err != nil {
				t.Fatal(err)
			}
			h.start(t)
			for _, name := range c.copies {
				h.accept(t, golden(t, c.format, name, "topic.txt"), golden(t, c.format, name, "payload.json"))
			}
			for key, r := range h.ledger(t) {
				if r.Received != 6 || r.Stored != 2 || r.Duplicate != 4 {
					t.Errorf("%s: %+v", key, r)
				}
			}
		})
	}
}

func golden(t *testing.T, format, name, file string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("decode", format, "testdata", name, file))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}
