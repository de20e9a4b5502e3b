package influx

import (
	"context"
	"time"
)

// Deletion is a row that says up to which time the rows of a measurement were deleted. It is written to the database
// that the rows are deleted from, because others than the collector that deletes need to know it.
type Deletion struct {
	Measurement string
	Until       time.Time // inclusive
	Time        time.Time // of the deletion
}

// AppendDeletion appends d as one line of line protocol, including the newline, and returns the extended slice.
func AppendDeletion(dst []byte, d *Deletion) []byte {
	dst = append(dst, DeletionMeasurement...)
	dst = appendTag(dst, colMeasurement, d.Measurement)
	dst = appendReceived(dst, d.Time)
	dst = appendInt(dst, colUntil, d.Until.UnixMilli())
	return appendTime(dst, d.Time)
}

// latestRow is behind every stored row.
var latestRow = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// deletions returns up to which time, inclusive, rows of each measurement were deleted.
func (h History) deletions(ctx context.Context) (map[string]time.Time, error) {
	until := make(map[string]time.Time)
	s := &Selection{
		Measurement: DeletionMeasurement, Columns: columnsOf(deletionSchema(), colUntil), From: epoch, To: latestRow,
		Function: Max, GroupBy: []string{colMeasurement},
	}
	err := h.Source.Select(ctx, s, func(row *Row) error {
		ms, _ := row.Int(0)
		until[tagText(row.Tags[0])] = time.UnixMilli(ms).UTC()
		return nil
	})
	return until, err
}
