package records

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/rest"
)

func TestRowDateIsLocal(t *testing.T) {
	zone := time.FixedZone("", 7*3600)
	end := time.Date(2026, 2, 28, 17, 0, 0, 0, time.UTC) // the end of February in Hanoi
	for by, want := range map[resolution]string{byReading: "", byHour: "", byDay: "2026-02-28", byMonth: "2026-02"} {
		q := query{by: by, zone: zone}
		if got := q.date(end); got != want || q.offset(end) != "+07:00" {
			t.Errorf("%s: %q, %s", by.name, got, q.offset(end))
		}
	}
}

func TestSpanOfQuery(t *testing.T) {
	for _, c := range []struct {
		name, query string
		by          resolution
		from, to    time.Time // zero: an error
	}{
		{"default", "", byReading, noon.Add(-day), noon},
		{"default of hours", "", byHour, noon.Add(-7 * day), noon},
		{
			"local days", "from=2026-02-14&to=2026-02-14", byDay,
			time.Date(2026, 2, 13, 17, 0, 0, 0, time.UTC), time.Date(2026, 2, 14, 17, 0, 0, 0, time.UTC),
		},
		{"cursor", "cursor=2026-02-16T11:00:00Z", byReading, noon.Add(-time.Hour), noon},
		{"cursor before the span", "cursor=2026-01-01T00:00:00Z", byReading, noon.Add(-day), noon},
		{
			"future end", "from=2026-02-16T00:00:00Z&to=2030-01-01", byReading, noon.Add(-12 * time.Hour),
			noon.Add(nhip.FutureTolerance),
		},
		{name: "reversed", query: "from=2026-02-16&to=2026-02-15", by: byReading},
		{name: "too long", query: "from=2024-01-01", by: byReading},
	} {
		p := rest.ReadQuery(httptest.NewRequest("GET", "/?"+c.query, nil), "from", "to", "cursor")
		q := query{by: c.by, zone: time.FixedZone("", 7*3600)}
		q.readSpan(p, noon)
		if p.Err != nil || c.to.IsZero() {
			if (p.Err != nil) != c.to.IsZero() || nhip.ErrorCode(p.Err) != nhip.CodeInvalid {
				t.Errorf("%s: %v", c.name, p.Err)
			}
			continue
		}
		if !q.from.Equal(c.from) || !q.to.Equal(c.to) {
			t.Errorf("%s: %s to %s, want %s to %s", c.name, q.from, q.to, c.from, c.to)
		}
	}
}

func TestTooLongSpanNamesItsLimit(t *testing.T) {
	p := rest.ReadQuery(httptest.NewRequest("GET", "/?from=2020-01-01", nil), "from", "to", "cursor")
	q := query{by: resolution{name: "several stations", span: 31 * day, maxSpan: maxSpanOfAll}, zone: time.UTC}
	q.readSpan(p, noon)
	if p.Err == nil || !strings.Contains(p.Err.Error(), "at most 367 days before to for several stations") {
		t.Errorf("%v", p.Err)
	}
}
