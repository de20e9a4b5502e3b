package influx

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"nhip"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

// Said is one thing that a monitor said of a moment.
type Said struct {
	nhip.Judged
	Received time.Time // when it reached the first hop of ours
	Revision int       // 0 for what was said first
}

// Said returns all that a station said of a quantity at a moment: what it said first of each averaging period, and
// behind that its revisions.
func (db *DB) Said(ctx context.Context, station string, quantity nhip.Quantity, at time.Time) ([]Said, error) {
	var out []Said
	for _, measurement := range []string{ReadingMeasurement, ReadingRevision} {
		flux := fmt.Sprintf("from(bucket: %s)\n|> %s\n|> filter(fn: (r) => r._measurement == %s and r.%s == %s and r.%s == %s)\n"+
			"|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n|> group()",
			quoteFlux(db.dialect.bucket()), fluxRange(at.Add(-time.Millisecond), at), quoteFlux(measurement),
			colStation, quoteFlux(tagValue(station)), colQuantity, quoteFlux(string(quantity)))
		err := db.query(ctx, "said", flux, func(rec *query.FluxRecord) error {
			r, ok, err := readingOf(rec, station)
			if err != nil || !ok {
				return err
			}
			s := Said{Judged: r}
			if ms, ok := rec.Values()[colReceived].(int64); ok {
				s.Received = time.UnixMilli(ms).UTC()
			}
			if text, ok := rec.Values()[colRevision].(string); ok {
				s.Revision, _ = strconv.Atoi(text) // it is a number of ours
			}
			out = append(out, s)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
