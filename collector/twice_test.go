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
	"nhip/internal/await"

	"github.com/google/go-cmp/cmp"
)

// ledger returns all rows of the ledger, when everything accepted is in the database or turned away.
func (b *bench) ledger(t *testing.T) map[string]nhip.LedgerRow {
	t.Helper()
	await.True(t, "nothing is pending", func() bool { return b.Pending() == 0 })
	return b.ledgerNow(t)
}

// ledgerNow returns all rows by device and hour, and fails where a sum does not hold.
func (b *bench) ledgerNow(t *testing.T) map[string]nhip.LedgerRow {
	t.Helper()
	rows := make(map[string]nhip.LedgerRow)
	for q := (nhip.LedgerQuery{}); ; {
		page, err := b.Ledger(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			if !r.Balanced() || r.Collector != "c" {
				t.Errorf("the row %+v", r)
			}
			rows[r.Device+" "+r.Hour.Format("15:04")] = r
		}
		if page.Next == "" {
			return rows
		}
		q.After = page.Next
	}
}

// checkLedger compares counts, written as "received stored duplicate revised pending rejected".
func (b *bench) checkLedger(t *testing.T, want map[string]string) {
	t.Helper()
	got := make(map[string]string)
	for key, r := range b.ledger(t) {
		got[key] = fmt.Sprintf("%d %d %d %d %d %v", r.Received, r.Stored, r.Duplicate, r.Revised, r.Pending, r.Rejected)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the ledger (- want, + got):\n%s", diff)
	}
}

func TestNothingCountsTwice(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.accept(t, "nhip/in/position/1", fix(noon, 21.1))
	b.accept(t, "nhip/in/position/1", fix(noon, 21.1))                      // redelivered
	b.accept(t, "nhip/in/position/1", fix(noon, 21.2))                      // the same moment, another place
	b.accept(t, "nhip/in/position/1", fix(noon, 21.2))                      // which is known by now
	b.accept(t, "nhip/in/position/1", fix(noon.Add(-90*time.Minute), 21.3)) // late
	b.accept(t, "nhip/in/reading/s", pm(noon, 5))
	b.accept(t, "nhip/in/reading/s", pm(noon, 6))
	want := map[string]string{
		"bus/hanoi/1 12:00": "4 1 2 1 0 map[]",
		"bus/hanoi/1 10:00": "1 1 0 0 0 map[]",
		"air/s 12:00":       "2 1 0 1 0 map[]",
	}
	b.checkLedger(t, want)
	var revisions []string
	for _, row := range b.shelf.rows() {
		if at, _, _ := strings.Cut(row, " "); strings.Contains(at, "_revision") {
			revisions = append(revisions, at)
		}
	}
	slices.Sort(revisions)
	if diff := cmp.Diff([]string{
		"position_revision,agency=hanoi,event=vp,revision=1,route=32,vehicle=1",
		"reading_revision,period=1h,quantity=pm25,revision=1,station=s",
	}, revisions); diff != "" || len(b.shelf.rows()) != 5 {
		t.Errorf("stored %q\n%s", b.shelf.rows(), diff)
	}

	for name, again := range map[string]func(*testing.T){"stop": b.stop, "crash": b.crash} {
		again(t)
		b.start(t)
		b.accept(t, "nhip/in/position/1", fix(noon, 21.1))
		if r := b.ledger(t)["bus/hanoi/1 12:00"]; r.Stored != 1 || r.Revised != 1 || r.Duplicate != r.Received-2 {
			t.Errorf("after a %s, what was said before is %+v", name, r)
		}
	}
}

func TestADeviceWithoutAClock(t *testing.T) {
	b := newBench(t)
	b.start(t)
	const payload = `{"serialno":"84fce612f5b8","pm02":7,"atmp":25.9}`
	say := func(after time.Duration) {
		b.clock.set(noon.Add(after))
		b.accept(t, "airgradient/readings/84fce612f5b8", payload)
	}
	say(0)
	say(2 * time.Second) // redelivered
	say(time.Minute)     // the air has not changed
	rows := b.ledger(t)
	for key, r := range rows {
		if r.Received != 6 || r.Stored != 4 || r.Duplicate != 2 || r.Revised != 0 {
			t.Errorf("%s: %+v", key, r)
		}
	}
	if len(rows) != 1 {
		t.Errorf("the ledger %v", rows)
	}
}

func TestAClockThatStandsStill(t *testing.T) {
	b := newBench(t)
	b.start(t)
	for i := range ledger.MaxRevisions + 5 {
		b.accept(t, "nhip/in/position/1", fix(noon, 21+float64(i)/1000))
	}
	b.checkLedger(t, map[string]string{"bus/hanoi/1 12:00": "104 1 0 99 0 map[stuck_clock:4]"})
}

func TestTheLedgerKnowsWhomItSpeaksOf(t *testing.T) {
	b := newBench(t)
	b.start(t)
	b.accept(t, "nhip/in/position/1", fix(noon.Add(-time.Hour), 95))                   // its own hour
	b.accept(t, "nhip/in/position/1", fix(noon.AddDate(1, 0, 0), 21))                  // no hour to look for
	b.accept(t, "nhip/in/position/1", `{`)                                             // by its topic
	b.accept(t, "nhip/in/position/"+strings.Repeat("x", 300), fix(noon, 21))           // a name that can't be
	b.accept(t, "nhip/in/reading/a%2Fb", strings.Replace(pm(noon, 1), "pm25", "x", 1)) // by its topic
	b.checkLedger(t, map[string]string{
		"bus/hanoi/1 11:00":                                             "1 0 0 0 0 map[out_of_range:1]",
		"bus/hanoi/1 12:00":                                             "1 0 0 0 0 map[future:1]",
		"topic/nhip/in/position/1 12:00":                                "1 0 0 0 0 map[malformed:1]",
		"topic/nhip/in/reading/a%2Fb 12:00":                             "1 0 0 0 0 map[unknown_field:1]",
		"topic/nhip/in/position/" + strings.Repeat("x", 300) + " 12:00": "1 0 0 0 0 map[out_of_range:1]",
	})
}

// TestACopyOfAnUplinkIsADuplicate delivers uplinks again, also with other gateways' metadata.
func TestACopyOfAnUplinkIsADuplicate(t *testing.T) {
	const fields = "air.pm2_5=pm25, temperature=temperature °F"
	for _, c := range []struct {
		format, filter string
		copies         []string
	}{
		{"tts", "v3/#", []string{"decoded", "redelivered", "one-gateway-of-two"}},
		{"chirpstack", "application/#", []string{"decoded", "gateways-reversed", "decoded"}},
	} {
		t.Run(c.format, func(t *testing.T) {
			b := newBench(t)
			b.clock.set(noon.Add(4 * time.Hour))
			b.feed = &decode.Feed{Topic: c.filter, Format: c.format, Agency: "hanoi"}
			var err error
			if b.feed.Fields, err = decode.ParseFields(fields); err != nil {
				t.Fatal(err)
			}
			b.start(t)
			for _, name := range c.copies {
				b.accept(t, golden(t, c.format, name, "topic.txt"), golden(t, c.format, name, "payload.json"))
			}
			for key, r := range b.ledger(t) {
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
