package client

import (
	"context"
	"iter"
	"net/url"
	"strings"
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

// DeadLetterName returns the name of a dead letter: its collector and its id, with a slash between them.
func DeadLetterName(l *nhip.DeadLetter) string { return l.Collector + "/" + l.ID }

// ParseDeadLetterName splits a name. Without a collector it is that of a letter of "main", the default collector.
func ParseDeadLetterName(name string) (collector, id string) {
	if collector, id, ok := strings.Cut(name, "/"); ok {
		return collector, id
	}
	return "main", name
}

// ReplayNamed is ReplayDeadLetters for any number of letters of several collectors. It yields the name of each letter
// and its result, as many at a time as one request may hold, and ends after the first error.
func (c *Client) ReplayNamed(ctx context.Context, names []string) iter.Seq2[NamedReplay, error] {
	return func(yield func(NamedReplay, error) bool) {
		for len(names) > 0 {
			collector, ids := nextReplay(names)
			results, err := c.ReplayDeadLetters(ctx, collector, ids)
			if err != nil {
				yield(NamedReplay{}, err)
				return
			}
			for i := range results {
				if !yield(NamedReplay{collector + "/" + results[i].ID, results[i]}, nil) {
					return
				}
			}
			names = names[len(ids):]
		}
	}
}

// NamedReplay is the result of replaying one dead letter.
type NamedReplay struct {
	Name string // see DeadLetterName
	nhip.ReplayResult
}

// nextReplay returns the ids of the first names, as many of one collector as a request may hold.
func nextReplay(names []string) (collector string, ids []string) {
	collector, id := ParseDeadLetterName(names[0])
	ids = []string{id}
	for _, name := range names[1:] {
		other, id := ParseDeadLetterName(name)
		if other != collector || len(ids) == nhip.MaxReplay {
			break
		}
		ids = append(ids, id)
	}
	return collector, ids
}
