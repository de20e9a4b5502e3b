package ledgercheck

import (
	"errors"
	"testing"
	"time"

	"nhip"
	"nhip/client"
	"nhip/internal/influx"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func row(device, collector string, stored, pending int64) client.LedgerRow {
	return client.LedgerRow{LedgerRow: nhip.LedgerRow{
		Device: device, Hour: noon, Collector: collector, Stored: stored, Pending: pending,
	}}
}

// TestRowsAreComparedWithTheirBounds compares rows of two collectors with what a database holds: as many rows as one of
// them stored, up to the rows of both.
func TestRowsAreComparedWithTheirBounds(t *testing.T) {
	key := func(device string) influx.RowCountKey { return influx.RowCountKey{Device: device, Hour: noon} }
	for _, c := range []struct {
		name    string
		held    int64
		differs bool
	}{
		{"fewer than one collector stored", 4, true},
		{"as many as one stored", 5, false},
		{"as many as both stored, and those that wait", 10, false},
		{"more than any of them can have written", 11, true},
	} {
		east, west := row("bus/hanoi/1", "east", 5, 2), row("bus/hanoi/1", "west", 3, 0)
		page := client.LedgerPage{Rows: []client.LedgerRow{east, west}}
		markCounted(&page, &influx.RowCounts{
			Counts: map[influx.RowCountKey]influx.RowCount{key("bus/hanoi/1"): {Stored: c.held}},
		}, "")
		for _, r := range page.Rows {
			if r.Differs != c.differs || r.Counted.Stored != c.held || r.Deleted {
				t.Errorf("%s: %+v", c.name, r)
			}
		}
	}
}

// TestRowsThatOnlyTheDatabaseHasAreAdded adds a row of the queried device, and none of another one.
func TestRowsThatOnlyTheDatabaseHasAreAdded(t *testing.T) {
	page := client.LedgerPage{Rows: []client.LedgerRow{row("bus/hanoi/2", "main", 1, 0)}}
	markCounted(&page, &influx.RowCounts{Counts: map[influx.RowCountKey]influx.RowCount{
		{Device: "bus/hanoi/1", Hour: noon}: {Stored: 3},
		{Device: "bus/hanoi/2", Hour: noon}: {Stored: 1},
		{Device: "air/hn-01", Hour: noon}:   {Stored: 9},
	}}, "1")
	if len(page.Rows) != 2 || page.Rows[0].Device != "bus/hanoi/1" || !page.Rows[0].Differs || page.Rows[1].Differs {
		t.Errorf("got %+v", page.Rows)
	}
}

// TestFaultOfLedgerEndsTheComparison fails if rows are counted although the ledger could not be read.
func TestFaultOfLedgerEndsTheComparison(t *testing.T) {
	fault := errors.New("no answer")
	pages := func(yield func(*client.LedgerPage, error) bool) { yield(nil, fault) }
	n := 0
	for page, err := range Pages(t.Context(), influx.Options{URL: "http://127.0.0.1:1"}, client.LedgerQuery{}, pages) {
		if n++; page != nil || !errors.Is(err, fault) {
			t.Errorf("got %v, %v", page, err)
		}
	}
	if n != 1 {
		t.Errorf("%d pages", n)
	}
}
