package client

import (
	"context"
	"iter"
	"time"

	"nhip"
)

// AuditQuery selects entries of the audit log. Empty fields select all.
type AuditQuery struct {
	Who, Kind, Object string
	From, To          time.Time // From inclusive, To exclusive
	Limit             int       // of entries on a page; 0 leaves it to the API
}

func (q *AuditQuery) values() query {
	v := query{}
	v.text("who", q.Who)
	v.text("kind", q.Kind)
	v.text("object", q.Object)
	v.preciseTime("from", q.From)
	v.preciseTime("to", q.To) // a page begins at a millisecond
	v.number("limit", q.Limit)
	return v
}

// AuditPage is a page of the audit log, newest first.
type AuditPage struct {
	Entries []nhip.AuditEntry `json:"entries"`
	Next    time.Time         `json:"next,omitzero"` // for AuditQuery.To; zero on the last page
}

// Audit returns a page of what staff have done.
func (c *Client) Audit(ctx context.Context, q AuditQuery) (*AuditPage, error) {
	page := new(AuditPage)
	if err := c.get(ctx, "/v1/audit", q.values(), page); err != nil {
		return nil, err
	}
	return page, nil
}

// AuditPages returns the page that q selects and those of earlier times. It ends after the first error.
func (c *Client) AuditPages(ctx context.Context, q AuditQuery) iter.Seq2[*AuditPage, error] {
	return func(yield func(*AuditPage, error) bool) {
		for {
			page, err := c.Audit(ctx, q)
			if !yield(page, err) || err != nil || page.Next.IsZero() {
				return
			}
			q.To = page.Next
		}
	}
}
