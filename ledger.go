package nhip

import (
	"strings"
	"time"
)

// LedgerRow is one row of a collector's ledger: the outcome of one device's facts of one hour. A position, a reading
// and a user action count as one each, and so does a message that can't be decoded.
//
// Received = Stored + Duplicate + Revised + the sum of Rejected + Lost + Pending, always.
type LedgerRow struct {
	Collector string `json:"collector"`

	// Device is "bus/<agency>/<vehicle>" or "air/<station>", like the end of the live topic, or "topic/<topic>" where a
	// message identifies no device, or LostDevice.
	Device string `json:"device"`

	// Hour is the start of the hour (UTC) of the facts' device time; of arrival where there is none.
	Hour time.Time `json:"hour"`

	Received  int64          `json:"received"`
	Stored    int64          `json:"stored"`    // in InfluxDB
	Duplicate int64          `json:"duplicate"` // repeated with the same content
	Revised   int64          `json:"revised"`   // repeated with other content; in InfluxDB beside the first
	Rejected  map[Code]int64 `json:"rejected"`  // dead letters, by reason
	Lost      int64          `json:"lost"`      // acknowledged, then lost with a journal on the collector's disk
	Pending   int64          `json:"pending"`   // on disk, not yet in InfluxDB
}

// LostDevice is the Device of messages that were lost before the collector determined their devices. Such a message
// counts as one, in the hour in which the collector noticed the loss.
const LostDevice = "journal/intake"

// TotalRejected returns the sum of Rejected.
func (r *LedgerRow) TotalRejected() int64 {
	var n int64
	for _, k := range r.Rejected {
		n += k
	}
	return n
}

// Balanced reports whether the row's sum holds. An unbalanced row is a fault of the collector.
func (r *LedgerRow) Balanced() bool {
	return r.Received == r.Stored+r.Duplicate+r.Revised+r.TotalRejected()+r.Lost+r.Pending && r.Pending >= 0
}

// cursorLayout formats an hour so that lexical order is chronological order.
const cursorLayout = "2006-01-02T15"

// Cursor returns the row's position in the order of pages, for LedgerQuery.After. Cursors sort lexically.
func (r *LedgerRow) Cursor() string { return r.Hour.UTC().Format(cursorLayout) + " " + r.Device }

// ParseLedgerCursor returns the hour and the device of a cursor. It returns an *Error for the field after.
func ParseLedgerCursor(cursor string) (hour time.Time, device string, err error) {
	text, device, ok := strings.Cut(cursor, " ")
	hour, err = time.Parse(cursorLayout, text)
	if !ok || err != nil {
		return time.Time{}, "", Errorf(CodeInvalid, "after", "must be the next value of the previous page")
	}
	return hour, device, nil
}

// LedgerQuery asks a collector for a page of its ledger, ordered by hour, then device. From and To are starts of hours;
// a zero time is unbounded.
type LedgerQuery struct {
	Device string    `json:"device,omitempty"` // the whole name, or the part after its last slash; "" for all
	From   time.Time `json:"from,omitzero"`    // inclusive
	To     time.Time `json:"to,omitzero"`      // exclusive
	After  string    `json:"after,omitempty"`  // a cursor: the page starts after it
	Limit  int       `json:"limit"`            // maximum rows; the size of a page is bounded as well
}

// Selects reports whether the query's Device matches the name of a device.
func (q *LedgerQuery) Selects(device string) bool {
	if q.Device == "" || q.Device == device {
		return true
	}
	return !strings.Contains(q.Device, "/") && device[strings.LastIndexByte(device, '/')+1:] == q.Device
}

// LedgerPage answers a LedgerQuery.
type LedgerPage struct {
	Rows []LedgerRow `json:"rows"`
	Next string      `json:"next,omitempty"` // cursor of the next page; "" on the last page
}
