package influx

import (
	"context"
	"strings"
	"time"

	"nhip"
)

// AppendReview appends r as one line of line protocol, including the newline, and returns the extended slice. received
// is the time when r reached the platform.
func AppendReview(dst []byte, r *nhip.Review, received time.Time) []byte {
	dst = append(dst, ReviewMeasurement...)
	dst = appendTag(dst, colID, r.ID)
	dst = appendTag(dst, colStation, r.Station)
	dst = appendReceived(dst, received)
	dst = appendText(dst, colAction, string(r.Action))
	dst = appendText(dst, colBy, r.By)
	dst = appendInt(dst, colFrom, r.From.UnixMilli())
	dst = appendText(dst, colOf, r.Of)
	dst = appendText(dst, colQuantity, string(r.Quantity))
	dst = appendInt(dst, colTo, r.To.UnixMilli())
	dst = appendText(dst, colWhy, r.Why)
	return appendTime(dst, r.Time)
}

// AppendAck appends a as AppendReview appends a review.
func AppendAck(dst []byte, a *nhip.Ack, received time.Time) []byte {
	dst = append(dst, AckMeasurement...)
	dst = appendTag(dst, colAlert, a.Alert)
	dst = appendReceived(dst, received)
	dst = appendText(dst, colBy, a.By)
	dst = appendText(dst, colNote, a.Note)
	return appendTime(dst, a.Time)
}

// The columns of a review, as reviewOf expects them.
const (
	reviewID = iota
	reviewStation
	reviewQuantity
	reviewFrom
	reviewTo
	reviewAction
	reviewBy
	reviewWhy
	reviewOfID
)

var reviewColumns = columnsOf(reviewSchema(), colID, colStation, colQuantity, colFrom, colTo, colAction, colBy, colWhy,
	colOf)

// Reviews returns the reviews of a station, or of all stations if station is "", that were decided up to until, in the
// order of their decision, then of their ids. Of several reviews with the same id, only the first is returned.
func (h History) Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error) {
	s := &Selection{Measurement: ReviewMeasurement, Columns: reviewColumns, From: epoch, To: after(until)}
	if station != "" {
		s.Where = []TagCondition{where(colStation, station)}
	}
	var out []nhip.Review
	seen := make(map[string]bool)
	group := timeGroup[nhip.Review]{
		compare: func(a, b *nhip.Review) int { return strings.Compare(a.ID, b.ID) },
		yield: func(r *nhip.Review) error {
			if !seen[r.ID] {
				seen[r.ID] = true
				out = append(out, *r)
			}
			return nil
		},
	}
	err := h.Source.Select(ctx, s, func(row *Row) error {
		r := reviewOf(row)
		return group.add(row.Time, &r)
	})
	if err == nil {
		err = group.flush()
	}
	return out, err
}

func reviewOf(row *Row) nhip.Review {
	moment := func(i int) time.Time { ms, _ := row.Int(i); return time.UnixMilli(ms).UTC() }
	return nhip.Review{
		ID: row.TagText(reviewID), Station: row.TagText(reviewStation), Quantity: nhip.Quantity(row.Text(reviewQuantity)),
		From: moment(reviewFrom), To: moment(reviewTo), Action: nhip.ReviewAction(row.Text(reviewAction)),
		Of: row.Text(reviewOfID), By: row.Text(reviewBy), Why: row.Text(reviewWhy), Time: row.At(),
	}
}
