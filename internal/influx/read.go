package influx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"nhip"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
	"github.com/paulmach/orb"
)

// readWindow is how much time one question covers, so that InfluxDB, which sorts an answer in its
// memory, is never asked for years at once. It is the width of its own shards: 8 quantities each
// minute make 80,000 rows of it, a third of a second.
const readWindow = 7 * 24 * time.Hour

// ReadingQuery asks for a station's readings.
type ReadingQuery struct {
	Station  string
	Quantity nhip.Quantity // "" for all
	From     time.Time     // exclusive
	To       time.Time     // inclusive
	Limit    int           // at most so many, the oldest; 0 for all
}

// validate returns an *nhip.Error with the code Invalid.
func (q *ReadingQuery) validate() error {
	var broken *nhip.Error
	switch {
	case errors.As(nhip.CheckID("station", q.Station), &broken):
		return nhip.Errorf(nhip.Invalid, broken.Field, "%s", broken.Rule)
	case q.Quantity != "" && !q.Quantity.Known():
		return nhip.Errorf(nhip.Invalid, "quantity", "%q is not a known quantity", string(q.Quantity))
	case q.Limit < 0:
		return nhip.Errorf(nhip.Invalid, "limit", "must be 0 or more, got %d", q.Limit)
	}
	return checkInterval(q.From, q.To)
}

// Readings calls yield for each reading that was asked for, sorted by time, then quantity, then
// the period's text, as they come from InfluxDB. An error of yield ends it and is returned as it is.
// Other errors are an *nhip.Error: Invalid for what was asked, Unavailable when InfluxDB can't be
// reached or breaks off, after which some may have been yielded.
func (db *DB) Readings(ctx context.Context, q ReadingQuery, yield func(nhip.Judged) error) error {
	if err := q.validate(); err != nil {
		return err
	}
	left, end := q.Limit, millis(q.To)
	for from := millis(q.From); from.Before(end); {
		to := from.Add(readWindow)
		if to.After(end) {
			to = end
		}
		n, err := db.readWindow(ctx, q.flux(db.dialect.bucket(), from, to, left), q.Station, yield)
		if err != nil {
			return err
		}
		if left -= n; q.Limit > 0 && left <= 0 {
			return nil
		}
		from = to
	}
	return nil
}

// readWindow yields the answer to one question and returns how many readings it had.
func (db *DB) readWindow(ctx context.Context, flux, station string, yield func(nhip.Judged) error) (int, error) {
	n := 0
	err := db.query(ctx, "readings", flux, func(rec *query.FluxRecord) error {
		r, ok, err := readingOf(rec, station)
		if err != nil {
			return err
		}
		n++
		if !ok {
			return nil
		}
		return yield(r)
	})
	return n, err
}

// flux writes the question for the part (from, to] of q's time. Filters come first, since only
// those are left to InfluxDB's index.
func (q *ReadingQuery) flux(bucket string, from, to time.Time, limit int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "from(bucket: %s)\n|> %s\n", quoteFlux(bucket), fluxRange(from, to))
	fmt.Fprintf(&b, "|> filter(fn: (r) => r._measurement == %s and r.%s == %s", quoteFlux(ReadingMeasurement), colStation, quoteFlux(tagValue(q.Station)))
	if q.Quantity != "" {
		fmt.Fprintf(&b, " and r.%s == %s", colQuantity, quoteFlux(tagValue(string(q.Quantity))))
	}
	fmt.Fprintf(&b, ")\n|> filter(fn: (r) => r._field != %s)\n", quoteFlux(colReceived))
	// One row a reading; then one table, which only now can be: until here a table's values are of
	// one type, and those of value and flag differ.
	fmt.Fprintf(&b, "|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n")
	fmt.Fprintf(&b, "|> drop(columns: [\"_start\", \"_stop\", \"_measurement\", %q])\n", colStation)
	fmt.Fprintf(&b, "|> group()\n|> sort(columns: [\"_time\", %q, %q])", colQuantity, colPeriod)
	if limit > 0 {
		fmt.Fprintf(&b, "\n|> limit(n: %d)", limit)
	}
	return b.String()
}

// readingOf reads a row. One without a value is a verdict whose reading is on its way: false.
func readingOf(rec *query.FluxRecord, station string) (r nhip.Judged, ok bool, err error) {
	row := rec.Values()
	value, hasValue := row[colValue].(float64)
	quantity, hasQuantity := row[colQuantity].(string)
	at, hasTime := row["_time"].(time.Time)
	text, _ := row[colPeriod].(string)
	period, err := time.ParseDuration(text)
	if !hasQuantity || !hasTime || err != nil {
		return r, false, nhip.Errorf(nhip.Internal, "", "a row of %s in InfluxDB is not of the schema: %v", ReadingMeasurement, row)
	}
	flag, _ := row[colFlag].(int64)
	origin, _ := row[colOrigin].(string)
	r.Reading = nhip.Reading{
		Station: station, Quantity: nhip.Quantity(tagText(quantity)), Time: at.UTC(), Period: period,
		Value: value, Flag: nhip.Flag(flag), Point: pointOf(row), Origin: nhip.Origin(origin), Channels: channelsOf(row),
	}
	r.Verdict = verdictOf(row)
	return r, hasValue, nil
}

func channelsOf(row map[string]any) nhip.Opt[[2]float64] {
	a, ok1 := row[colChannelA].(float64)
	b, ok2 := row[colChannelB].(float64)
	if !ok1 || !ok2 {
		return nhip.Opt[[2]float64]{}
	}
	return nhip.Some([2]float64{a, b})
}

func pointOf(row map[string]any) nhip.Opt[orb.Point] {
	lat, ok1 := row[colLat].(float64)
	lon, ok2 := row[colLon].(float64)
	if !ok1 || !ok2 {
		return nhip.Opt[orb.Point]{}
	}
	return nhip.Some(orb.Point{lon, lat})
}

// Count counts a measurement's rows between from, exclusive, and to, inclusive.
func (db *DB) Count(ctx context.Context, measurement string, from, to time.Time) (int, error) {
	if err := checkInterval(from, to); err != nil {
		return 0, err
	}
	if !millis(from).Before(millis(to)) {
		return 0, nil
	}
	total := 0
	flux := fmt.Sprintf("from(bucket: %s)\n|> %s\n|> filter(fn: (r) => r._measurement == %s and r._field == %s)\n|> count()\n|> group()\n|> sum()",
		quoteFlux(db.dialect.bucket()), fluxRange(from, to), quoteFlux(measurement), quoteFlux(colReceived))
	err := db.query(ctx, "count", flux, func(rec *query.FluxRecord) error {
		n, _ := rec.Value().(int64)
		total += int(n)
		return nil
	})
	return total, err
}
