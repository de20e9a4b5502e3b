package client

import (
	"context"
	"iter"
	"time"

	"nhip"
)

// LedgerQuery selects rows of the ledger. A zero field selects everything.
type LedgerQuery struct {
	Collector string
	Device    string    // "bus/<agency>/<vehicle>", "air/<station>", or what follows the last slash
	From      time.Time // the first hour of device time, inclusive
	To        time.Time // exclusive
	Verify    bool      // the database counts its rows, too
	Limit     int       // of rows on a page; 0 leaves it to the API
	After     string    // LedgerPage.Next of the page before
}

func (q *LedgerQuery) values() query {
	v := query{}
	v.text("collector", q.Collector)
	v.text("device", q.Device)
	v.time("from", q.From)
	v.time("to", q.To)
	if q.Verify {
		v.text("verify", "true")
	}
	v.number("limit", q.Limit)
	v.text("after", q.After)
	return v
}

// LedgerPage is a page of the ledger, in the order of hour, device and collector.
type LedgerPage struct {
	Rows   []LedgerRow `json:"rows"`
	Next   string      `json:"next,omitempty"`   // for LedgerQuery.After; "" on the last page
	Silent []string    `json:"silent,omitempty"` // collectors that did not answer: the page lacks their rows
}

// LedgerRow is a row of a collector's ledger with what the API found about it.
type LedgerRow struct {
	nhip.LedgerRow
	Unbalanced bool      `json:"unbalanced,omitempty"` // the row's sum does not hold: a fault of Nhịp
	Counted    *RowCount `json:"counted,omitempty"`    // by the database; nil unless LedgerQuery.Verify is set
	Deleted    bool      `json:"deleted,omitempty"`    // rows are missing that a retention policy may have deleted
	Differs    bool      `json:"differs,omitempty"`    // Counted is not what the collectors stored
}

// RowCount is how many rows of a device and hour the database holds.
type RowCount struct {
	Stored  int64 `json:"stored"`
	Revised int64 `json:"revised"` // a later value with the same identity, kept beside the first
}

// Ledger returns a page of the ledger.
func (c *Client) Ledger(ctx context.Context, q LedgerQuery) (*LedgerPage, error) {
	var page LedgerPage
	if err := c.get(ctx, "/v1/ledger", q.values(), &page); err != nil {
		return nil, err
	}
	return &page, nil
}

// LedgerPages returns the page that q selects and the pages behind it. It ends after the first error.
func (c *Client) LedgerPages(ctx context.Context, q LedgerQuery) iter.Seq2[*LedgerPage, error] {
	return func(yield func(*LedgerPage, error) bool) {
		for {
			page, err := c.Ledger(ctx, q)
			if !yield(page, err) || err != nil || page.Next == "" {
				return
			}
			q.After = page.Next
		}
	}
}
