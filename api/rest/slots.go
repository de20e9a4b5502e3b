package rest

import (
	"context"
	"time"

	"nhip"
)

// Limits of concurrent history queries. The database sorts the rows of each query in memory.
const (
	maxQueries = 16
	maxExports = 2
	queryWait  = 2 * time.Second // for a free slot
)

// QuerySlots limits the number of concurrent history queries.
type QuerySlots chan struct{}

// NewQuerySlots returns slots that are all free.
func NewQuerySlots() QuerySlots { return make(QuerySlots, maxQueries) }

// NewExportSlots returns the slots of exports, each of which may read millions of rows.
func NewExportSlots() QuerySlots { return make(QuerySlots, maxExports) }

// Acquire takes a slot, which the caller must release after its query. If no slot becomes free within 2 s, it returns
// an error with nhip.CodeUnavailable.
func (s QuerySlots) Acquire(ctx context.Context) (release func(), err error) {
	wait := time.NewTimer(queryWait)
	defer wait.Stop()
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	case <-wait.C:
	case <-ctx.Done():
	}
	return nil, nhip.Errorf(nhip.CodeUnavailable, "", "too many history queries are running; try again")
}
