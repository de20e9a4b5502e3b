package client

import (
	"context"

	"nhip"
)

// retentionAnswer is the answer of both requests about retention.
type retentionAnswer struct {
	Streams []nhip.Retention `json:"streams"`
}

// Retention returns, for each stream, which rows are older than the retention policy keeps.
func (c *Client) Retention(ctx context.Context) ([]nhip.Retention, error) {
	var answer retentionAnswer
	if err := c.get(ctx, "/v1/retention", nil, &answer); err != nil {
		return nil, err
	}
	return answer.Streams, nil
}

// ApplyRetention deletes the rows that Retention lists. Readings that are not summed up yet are held.
func (c *Client) ApplyRetention(ctx context.Context) ([]nhip.Retention, error) {
	var answer retentionAnswer
	if err := c.post(ctx, "/v1/retention", nil, &answer); err != nil {
		return nil, err
	}
	return answer.Streams, nil
}
