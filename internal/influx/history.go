package influx

import (
	"context"
	"time"
)

// Source is a database that answers selections.
type Source interface {
	// Select calls yield for each row of a selection, in ascending order of time; rows of one time have no order. With
	// Selection.GroupBy, the rows of one combination of tags follow one another, in the order of the tags. An error of
	// yield ends the query and is returned unchanged.
	Select(ctx context.Context, s *Selection, yield func(*Row) error) error
	// Expiry returns how long the database keeps rows, or 0 for ever.
	Expiry(ctx context.Context) (time.Duration, error)
}

// History reads what is stored in a Source.
type History struct{ Source Source }

// Expiry returns how long the bucket keeps rows, or 0 for ever.
func (db *DB) Expiry(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, db.opts.Timeout)
	defer cancel()
	keep, err := db.dialect.expiry(ctx)
	if err != nil {
		return 0, db.explain(err)
	}
	return keep, nil
}
