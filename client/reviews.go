package client

import (
	"context"
	"net/url"
	"time"

	"nhip"
)

// NewReview is a decision about a span of a station's readings.
type NewReview struct {
	ID       string            `json:"id,omitempty"`       // makes a repeated request harmless; "": the API makes one
	Station  string            `json:"station"`            //
	Quantity nhip.Quantity     `json:"quantity,omitempty"` // "": all quantities
	From     time.Time         `json:"from"`               // exclusive
	To       time.Time         `json:"to"`                 // inclusive, at most nhip.MaxReviewSpan after From
	Action   nhip.ReviewAction `json:"action"`
	By       string            `json:"by,omitempty"` // ignored: the name is that of the key
	Why      string            `json:"why"`
}

// CreateReview stores a review. It returns when a collector has the review on disk.
func (c *Client) CreateReview(ctx context.Context, r NewReview) (*nhip.Review, error) {
	stored := new(nhip.Review)
	if err := c.post(ctx, "/v1/reviews", r, stored); err != nil {
		return nil, err
	}
	return stored, nil
}

// ReviewEffect is what a review would change.
type ReviewEffect struct {
	Station  string            `json:"station"`
	Quantity nhip.Quantity     `json:"quantity,omitempty"`
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to"`
	Action   nhip.ReviewAction `json:"action"`
	Of       string            `json:"of,omitempty"` // of an undo: the id of the review
	Effect
}

// PreviewReview returns what a review of at most 31 days would change. It stores nothing, and needs no ID, By or Why.
func (c *Client) PreviewReview(ctx context.Context, r NewReview) (*ReviewEffect, error) {
	return c.previewReview(ctx, struct {
		Station  string            `json:"station"`
		Quantity nhip.Quantity     `json:"quantity,omitempty"`
		From     time.Time         `json:"from"`
		To       time.Time         `json:"to"`
		Action   nhip.ReviewAction `json:"action"`
	}{r.Station, r.Quantity, r.From, r.To, r.Action})
}

// PreviewUndo returns what undoing a review would change. It stores nothing.
func (c *Client) PreviewUndo(ctx context.Context, id string) (*ReviewEffect, error) {
	return c.previewReview(ctx, struct {
		Action nhip.ReviewAction `json:"action"`
		Of     string            `json:"of"`
	}{nhip.ActionUndo, id})
}

func (c *Client) previewReview(ctx context.Context, body any) (*ReviewEffect, error) {
	effect := new(ReviewEffect)
	if err := c.post(ctx, "/v1/reviews/preview", body, effect); err != nil {
		return nil, err
	}
	return effect, nil
}

// UndoReview takes back one review; by may be empty, for the name of the client's key. Of a review that is undone
// already it returns the first undo.
func (c *Client) UndoReview(ctx context.Context, id, by, why string) (*nhip.Review, error) {
	body := struct {
		By  string `json:"by,omitempty"`
		Why string `json:"why"`
	}{by, why}
	undo := new(nhip.Review)
	if err := c.post(ctx, "/v1/reviews/"+url.PathEscape(id)+"/undo", body, undo); err != nil {
		return nil, err
	}
	return undo, nil
}

// Reviews returns the reviews of a station or, for "", of all stations, in the order in which they were decided.
func (c *Client) Reviews(ctx context.Context, station string) ([]nhip.Review, error) {
	q := query{}
	q.text("station", station)
	var answer struct {
		Reviews []nhip.Review `json:"reviews"`
	}
	if err := c.get(ctx, "/v1/reviews", q, &answer); err != nil {
		return nil, err
	}
	return answer.Reviews, nil
}
