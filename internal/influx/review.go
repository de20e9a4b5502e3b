package influx

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nhip"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

// beginning is before anything that is kept.
var beginning = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)

// Reviews returns the reviews of a station that were decided up to a time, in the order of that; "" is all
// stations. One that was sent again with its id is there once, as it was first.
func (db *DB) Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "from(bucket: %s)\n|> %s\n|> filter(fn: (r) => r._measurement == %s", quoteFlux(db.dialect.bucket()),
		fluxRange(beginning, until), quoteFlux(ReviewMeasurement))
	if station != "" {
		fmt.Fprintf(&b, " and r.%s == %s", colStation, quoteFlux(tagValue(station)))
	}
	fmt.Fprintf(&b, ")\n|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n|> group()\n|> sort(columns: [\"_time\", %q])", colID)
	var out []nhip.Review
	seen := make(map[string]bool)
	err := db.query(ctx, "reviews", b.String(), func(rec *query.FluxRecord) error {
		if r := reviewOf(rec.Values()); !seen[r.ID] {
			seen[r.ID] = true
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

func reviewOf(row map[string]any) nhip.Review {
	text := func(name string) string { s, _ := row[name].(string); return s }
	moment := func(name string) time.Time { ms, _ := row[name].(int64); return time.UnixMilli(ms).UTC() }
	at, _ := row["_time"].(time.Time)
	return nhip.Review{
		ID: tagText(text(colID)), Station: tagText(text(colStation)), Quantity: nhip.Quantity(text(colQuantity)),
		From: moment(colFrom), To: moment(colTo), Action: nhip.Action(text(colAction)), By: text(colBy), Why: text(colWhy), Time: at.UTC(),
	}
}
