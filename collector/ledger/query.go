package ledger

import (
	"strings"
	"time"

	"nhip"
)

// What a page holds at most, and how many devices are looked at for it: a page of a device that
// says little may be short, or empty, and still not be the last.
const (
	maxRows    = 200
	maxScanned = 1 << 20
)

// query is a LedgerQuery that was understood.
type query struct {
	first, last int64 // hours, both included
	device      string
	whole       bool     // device is a whole name, and not perhaps the end of one
	after       position // the page begins behind it
	limit       int
}

// position is a row's place in the order of pages.
type position struct {
	hour   int64
	device string
}

func (p position) String() string { return formatHour(p.hour) + " " + p.device }

func parseQuery(q nhip.LedgerQuery) (*query, error) {
	asked := &query{first: firstHour, last: lastHour, device: q.Device, whole: strings.Contains(q.Device, "/"), limit: q.Limit}
	if q.Limit < 0 {
		return nil, nhip.Errorf(nhip.Invalid, "limit", "must not be negative")
	}
	if q.Limit == 0 || q.Limit > maxRows {
		asked.limit = maxRows
	}
	if !q.From.IsZero() {
		asked.first = hourOf(q.From.Add(time.Hour - time.Millisecond).UnixMilli())
	}
	if !q.To.IsZero() {
		asked.last = hourOf(q.To.Add(-time.Millisecond).UnixMilli())
	}
	if q.After == "" {
		asked.after.hour = firstHour - 1
		return asked, nil
	}
	hour, device, ok := strings.Cut(q.After, " ")
	asked.after.device = device
	var isHour bool
	if asked.after.hour, isHour = parseHour(hour); !ok || !isHour {
		return nil, nhip.Errorf(nhip.Invalid, "after", "must be what the page before says is next")
	}
	asked.first = max(asked.first, asked.after.hour)
	return asked, nil
}

// matches reports whether the question is about a device.
func (q *query) matches(device string) bool {
	if q.device == "" || q.device == device {
		return true
	}
	return !q.whole && device[strings.LastIndexByte(device, '/')+1:] == q.device
}

// behind reports whether a row comes after those of the pages before.
func (q *query) behind(p position) bool {
	return p.hour > q.after.hour || p.hour == q.after.hour && p.device > q.after.device
}

// start returns the first name that may be asked for in an hour.
func (q *query) start(hour int64) string {
	name := ""
	if hour == q.after.hour {
		name = q.after.device
	}
	if q.whole {
		name = max(name, q.device)
	}
	return name
}
