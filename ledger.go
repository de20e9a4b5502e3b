package nhip

import "time"

// LedgerRow is one line of a collector's ledger: what became of what one device said of one hour.
// It counts rows, of which a position and a reading are one each, and so is a message that can't be
// decoded.
//
// Received = Stored + Duplicate + Revised + the sum of Rejected + Pending, always.
type LedgerRow struct {
	Collector string `json:"collector"`

	// Device is "bus/<agency>/<vehicle>" or "air/<station>", as its live topic ends, or
	// "topic/<topic>" where a message does not say of whom it speaks.
	Device string `json:"device"`

	// Hour begins the hour (UTC) in which the rows' device time lies; for rows without one, the hour
	// of arrival.
	Hour time.Time `json:"hour"`

	Received  int64          `json:"received"`
	Stored    int64          `json:"stored"`    // in InfluxDB
	Duplicate int64          `json:"duplicate"` // said before, with the same content
	Revised   int64          `json:"revised"`   // said before with another content; in InfluxDB beside the first
	Rejected  map[Code]int64 `json:"rejected"`  // among the dead letters, by reason
	Pending   int64          `json:"pending"`   // on disk, on their way to InfluxDB
}

// AllRejected sums up Rejected.
func (r *LedgerRow) AllRejected() int64 {
	var n int64
	for _, k := range r.Rejected {
		n += k
	}
	return n
}

// Balanced reports whether the row's sum holds. One that does not is a fault of ours.
func (r *LedgerRow) Balanced() bool {
	return r.Received == r.Stored+r.Duplicate+r.Revised+r.AllRejected()+r.Pending && r.Pending >= 0
}

// placeLayout writes an hour so that the order of texts is that of time.
const placeLayout = "2006-01-02T15"

// Place is where a row stands in the order of pages: what LedgerQuery.After takes to begin behind it.
// Places sort as texts.
func (r *LedgerRow) Place() string { return r.Hour.UTC().Format(placeLayout) + " " + r.Device }

// LedgerQuery asks a collector for a page of its ledger, in the order of hour, then device. Both
// ends of the time are hours' beginnings; a zero one is open.
type LedgerQuery struct {
	Device string    `json:"device,omitempty"` // whole, or what follows its last slash; "" for all
	From   time.Time `json:"from,omitzero"`    // inclusive
	To     time.Time `json:"to,omitzero"`      // exclusive
	After  string    `json:"after,omitempty"`  // a place: the page begins behind it
	Limit  int       `json:"limit"`            // most rows; what a page holds is bounded anyway
}

// LedgerPage answers a LedgerQuery.
type LedgerPage struct {
	Rows []LedgerRow `json:"rows"`
	Next string      `json:"next,omitempty"` // the place up to which it looked; "" when it is the last page
}
