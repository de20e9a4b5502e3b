package stafftext_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/fleet"
	"nhip/internal/stafftext"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// lines splits text and joins the cells of each line with one blank.
func lines(text string) []string {
	all := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := range all {
		all[i] = strings.Join(strings.Fields(all[i]), " ")
	}
	return all
}

func wantLines(t *testing.T, text string, want ...string) {
	t.Helper()
	if got := lines(text); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func ledgerRows() []client.LedgerRow {
	return []client.LedgerRow{
		{LedgerRow: nhip.LedgerRow{
			Hour: noon, Device: "air/hn-01", Collector: "main", Received: 3, Stored: 2,
			Rejected: map[nhip.Code]int64{nhip.CodeFuture: 1},
		}},
		{
			LedgerRow: nhip.LedgerRow{Hour: noon, Device: "bus/hanoi/1", Collector: "main"}, Differs: true,
			Counted: &client.RowCount{Stored: 7},
		},
	}
}

// TestLedgerTableHasSumAndRemarks prints a row with a rejection and one that differs from the database.
func TestLedgerTableHasSumAndRemarks(t *testing.T) {
	var out strings.Builder
	var sum stafftext.LedgerSum
	p := stafftext.NewLedgerTable(&out)
	rows := ledgerRows()
	for i := range rows {
		sum.Add(&rows[i])
		if err := p.Row(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.End(&sum); err != nil {
		t.Fatal(err)
	}
	wantLines(t, out.String(),
		"HOUR DEVICE COLLECTOR RECEIVED STORED DUPLICATE REVISED REJECTED LOST PENDING",
		"2026-02-16T12Z air/hn-01 main 3 2 0 0 1 0 0 future 1",
		"2026-02-16T12Z bus/hanoi/1 main 0 0 0 0 0 0 0 THE DATABASE HOLDS 7 AND 0 REVISED",
		"all 2 rows 3 2 0 0 1 0 0 future 1")
	if err := sum.Fault(false); err != nil {
		t.Errorf("a difference is a fault of a ledger that was not verified: %v", err)
	}
	if err := sum.Fault(true); err == nil || !strings.Contains(err.Error(), "1 of 2 rows differ") {
		t.Errorf("got %v", err)
	}
}

// TestLedgerJSONIsOneObject decodes what is printed of two rows, and of none.
func TestLedgerJSONIsOneObject(t *testing.T) {
	for n := range 3 {
		var out strings.Builder
		p := stafftext.NewLedgerJSON(&out)
		rows := ledgerRows()[:n]
		for i := range rows {
			if err := p.Row(&rows[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.End(new(stafftext.LedgerSum)); err != nil {
			t.Fatal(err)
		}
		var page client.LedgerPage
		if err := json.Unmarshal([]byte(out.String()), &page); err != nil || len(page.Rows) != n || page.Rows == nil {
			t.Errorf("%d rows: %v in %s", n, err, out.String())
		}
	}
}

// TestDevicesShowWhatIsNotKnown tells a device that was never heard of from one whose gateways were not asked.
func TestDevicesShowWhatIsNotKnown(t *testing.T) {
	off := stafftext.NewDevice(&fleet.Device{ID: "a", Feed: "hfp", Topics: []string{"x/+"}, Disabled: true}, nil)
	on := stafftext.NewDevice(&fleet.Device{ID: "b", Feed: "hfp", Topics: []string{"x/+"}}, nil)
	on.DeviceKnown = stafftext.NewDeviceKnown(&nhip.DeviceState{
		Connected: true, ConnectedSince: noon, Refused: &nhip.DeviceEvent{Time: noon, Reason: "password"},
	})
	var out strings.Builder
	if err := stafftext.DeviceTable(&out, []stafftext.Device{off, on}); err != nil {
		t.Fatal(err)
	}
	wantLines(t, out.String(),
		"DEVICE FEED STATE SECRETS CONNECTED HEARD REFUSED TOPICS",
		"a hfp disabled 0 ? ? ? x/+",
		"b hfp enabled 0 since 2026-02-16T12:00:00Z never 2026-02-16T12:00:00Z password x/+")
	out.Reset()
	if err := on.Print(&out); err != nil || !strings.Contains(out.String(), "taken over  never") {
		t.Errorf("%v in\n%s", err, out.String())
	}
}

// TestDeadLettersSayWhyAndWhatBecameOfThem lists a letter whose replay was rejected again.
func TestDeadLettersSayWhyAndWhatBecameOfThem(t *testing.T) {
	letter := nhip.DeadLetter{
		Collector: "main", ID: "7", Received: noon, Device: "bus/hanoi/1", Code: nhip.CodeOutOfRange, Field: "lat",
		Rule: "must be between -90 and 90", Replay: &nhip.Replay{Time: noon, Code: nhip.CodeOutOfRange},
	}
	var out strings.Builder
	if err := stafftext.DeadLetters(&out, []nhip.DeadLetter{letter}); err != nil {
		t.Fatal(err)
	}
	wantLines(t, out.String(), "ID RECEIVED DEVICE CODE WHY REPLAYED",
		"main/7 2026-02-16T12:00:00Z bus/hanoi/1 out_of_range lat: must be between -90 and 90 "+
			"out_of_range again 2026-02-16T12:00:00Z")
	out.Reset()
	if err := stafftext.DeadLetters(&out, nil); err != nil || out.String() != "no dead letters\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	if err := stafftext.DeadLetter(&out, &letter); err != nil || strings.Contains(out.String(), "topic") {
		t.Errorf("a value that is not known is printed: %v in\n%s", err, out.String())
	}
}

// TestRetentionSaysWhatIsHeld prints a stream whose rows may not be deleted yet, and one that is kept for ever.
func TestRetentionSaysWhatIsHeld(t *testing.T) {
	var out strings.Builder
	err := stafftext.Retention(&out, []nhip.Retention{
		{Stream: "positions", Keep: 90, Oldest: noon, Rows: 5, Until: noon, Held: "not aggregated"},
		{Stream: "readings"},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, out.String(), "STREAM KEPT OLDEST ROWS TO DELETE UP TO STATE",
		"positions 90 days 2026-02-16 5 2026-02-16 held: not aggregated", "readings forever - 0 - nothing")
}
