package ledger

import (
	"strings"
	"time"

	"nhip"
)

// Limits of a page: rows in it, and devices scanned for it. A page for a device with few rows may be short or empty
// and still not be the last.
const (
	maxRows    = 200
	maxScanned = 1 << 20
)

// query is a parsed LedgerQuery.
type query struct {
	first, last int64 // hours, both inclusive
	device      string
	fullName    bool     // device is a full name, otherwise it may be the last part of one
	after       position // the page begins after it
	limit       int
}

// position is a row's place in the order of pages.
type position struct {
	hour   int64
	device string
}

func (p position) String() string { return formatHour(p.hour) + " " + p.device }

func parseQuery(q nhip.LedgerQuery) (*query, error) {
	parsed := &query{
		first: firstHour, last: lastHour, device: q.Device, fullName: strings.Contains(q.Device, "/"), limit: q.Limit,
	}
	if q.Limit < 0 {
		return nil, nhip.Errorf(nhip.CodeInvalid, "limit", "must not be negative")
	}
	if q.Limit == 0 || q.Limit > maxRows {
		parsed.limit = maxRows
	}
	if !q.From.IsZero() {
		parsed.first = hourOf(q.From.Add(time.Hour - time.Millisecond).UnixMilli())
	}
	if !q.To.IsZero() {
		parsed.last = hourOf(q.To.Add(-time.Millisecond).UnixMilli())
	}
	if q.After == "" {
		parsed.after.hour = firstHour - 1
		return parsed, nil
	}
	hour, device, ok := strings.Cut(q.After, " ")
	parsed.after.device = device
	var isHour bool
	if parsed.after.hour, isHour = parseHour(hour); !ok || !isHour {
		return nil, nhip.Errorf(nhip.CodeInvalid, "after", "must be the next value of the previous page")
	}
	parsed.first = max(parsed.first, parsed.after.hour)
	return parsed, nil
}

// matches reports whether the query selects a device.
func (q *query) matches(device string) bool {
	return (&nhip.LedgerQuery{Device: q.device}).Selects(device)
}

// isAfter reports whether a row comes after the previous pages.
func (q *query) isAfter(p position) bool {
	return p.hour > q.after.hour || p.hour == q.after.hour && p.device > q.after.device
}

// start returns the first device name that may match in an hour.
func (q *query) start(hour int64) string {
	name := ""
	if hour == q.after.hour {
		name = q.after.device
	}
	if q.fullName {
		name = max(name, q.device)
	}
	return name
}
