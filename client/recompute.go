package client

import (
	"context"

	"nhip"
)

// Recompute makes the collectors assess and aggregate readings again, from the raw values. It returns how much work
// there is; RecomputeProgress reports how much is left.
func (c *Client) Recompute(ctx context.Context, q nhip.RecomputeQuery) (nhip.RecomputeProgress, error) {
	var progress nhip.RecomputeProgress
	err := c.post(ctx, "/v1/recompute", q, &progress)
	return progress, err
}

// RecomputeProgress returns how much a recomputation has left to do, for one station or, for "", for all.
func (c *Client) RecomputeProgress(ctx context.Context, station string) (nhip.RecomputeProgress, error) {
	q := query{}
	q.text("station", station)
	var progress nhip.RecomputeProgress
	err := c.get(ctx, "/v1/recompute", q, &progress)
	return progress, err
}
