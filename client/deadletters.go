package client

import (
	"context"
	"iter"
	"net/url"
	"time"

	"nhip"
)

// DeadLetterQuery selects dead letters. A zero field selects everything.
type DeadLetterQuery struct {
	Collector string
	Device    string // as in LedgerQuery, or "topic/<topic>"
	Code      nhip.Code
	From      time.Time // of arrival, inclusive
	To        time.Time // exclusive
	Limit     int       // of letters on a page; 0 leaves it to the API
	After     string    // DeadLetterPage.Next of the page before
}

func (q *DeadLetterQuery) values() query {
	v := query{}
	v.text("collector", q.Collector)
	v.text("device", q.Device)
	v.text("code", string(q.Code))
	v.time("from", q.From)
	v.time("to", q.To)
	v.number("limit", q.Limit)
	v.text("after", q.After)
	return v
}

// DeadLetterPage is a page of dead letters: of one collector after the other, the newest letter first. Payloads are
// cut to their first kilobyte.
type DeadLetterPage struct {
	Letters []nhip.DeadLetter `json:"letters"`
	Next    string            `json:"next,omitempty"`   // for DeadLetterQuery.After; "" on the last page
	Silent  []string          `json:"silent,omitempty"` // collectors that did not answer: the page lacks their letters
}

// DeadLetters returns a page of dead letters.
func (c *Client) DeadLetters(ctx context.Context, q DeadLetterQuery) (*DeadLetterPage, error) {
	var page DeadLetterPage
	if err := c.get(ctx, "/v1/dead", q.values(), &page); err != nil {
		return nil, err
	}
	return &page, nil
}

// DeadLetterPages returns the page that q selects and the pages behind it. It ends after the first error.
func (c *Client) DeadLetterPages(ctx context.Context, q DeadLetterQuery) iter.Seq2[*DeadLetterPage, error] {
	return func(yield func(*DeadLetterPage, error) bool) {
		for {
			page, err := c.DeadLetters(ctx, q)
			if !yield(page, err) || err != nil || page.Next == "" {
				return
			}
			q.After = page.Next
		}
	}
}

// DeadLetter returns one dead letter with its whole payload.
func (c *Client) DeadLetter(ctx context.Context, collector, id string) (*nhip.DeadLetter, error) {
	var letter nhip.DeadLetter
	path := "/v1/dead/" + url.PathEscape(collector) + "/" + url.PathEscape(id)
	if err := c.get(ctx, path, nil, &letter); err != nil {
		return nil, err
	}
	return &letter, nil
}

// ReplayDeadLetters runs dead letters of one collector, at most nhip.MaxReplay, through today's decoders. Rows that
// pass are stored; those that are stored already count as passed, too.
func (c *Client) ReplayDeadLetters(ctx context.Context, collector string, ids []string) ([]nhip.ReplayResult, error) {
	body := struct {
		Collector string   `json:"collector"`
		IDs       []string `json:"ids"`
	}{collector, ids}
	var answer nhip.ReplayResults
	if err := c.post(ctx, "/v1/dead/replay", body, &answer); err != nil {
		return nil, err
	}
	return answer.Results, nil
}
