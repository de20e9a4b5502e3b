package influx

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nhip"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

// AppendRollup appends r as one line of line protocol, newline included, and returns the longer slice. near is
// what the neighbourhood makes of an hour, 0 where it was not asked; made is when.
func AppendRollup(dst []byte, r *nhip.Rollup, near nhip.Flag, made time.Time) []byte {
	dst = append(dst, RollupMeasurement...)
	dst = appendTag(dst, colLevel, string(r.Quality))
	dst = appendTag(dst, colPeriod, r.Period)
	dst = appendTag(dst, colQuantity, string(r.Quantity))
	dst = appendTag(dst, colStation, r.Station)
	dst = appendReceived(dst, made)
	dst = appendFloat(dst, colCapture, r.Capture)
	dst = appendInt(dst, colCount, int64(r.Count))
	dst = appendInt(dst, colFlag, int64(r.Flag))
	dst = appendFloat(dst, colMax, r.Max)
	dst = appendOptFloat(dst, colMax1h, r.Max1h)
	dst = appendOptFloat(dst, colMax8h, r.Max8h)
	dst = appendFloat(dst, colMean, r.Mean)
	dst = appendFloat(dst, colMedian, r.Median)
	dst = appendFloat(dst, colMin, r.Min)
	if near != 0 {
		dst = appendInt(dst, colNear, int64(near))
	}
	dst = appendFloat(dst, colP98, r.P98)
	return appendTime(dst, r.Time)
}

// RollupQuery asks for roll-ups.
type RollupQuery struct {
	Station  string        // "" for all
	Quantity nhip.Quantity // "" for all
	Period   string        // nhip.HourPeriod and its like
	Quality  nhip.Quality  // nhip.Reviewed also finds what is automatic, where nobody decided
	From     time.Time     // exclusive
	To       time.Time     // inclusive
	Brief    bool          // without medians and neighbours, which none but the collector needs
}

// Rolled is a roll-up as it is kept.
type Rolled struct {
	nhip.Rollup
	Near nhip.Flag // what the neighbourhood made of the hour; 0 where it was not asked
}

// rollupWindow is how much time one question covers, by period: some 50,000 rows of a city, or of a station
// with six quantities as many as it has.
func rollupWindow(q *RollupQuery) time.Duration {
	const day = 24 * time.Hour
	switch {
	case q.Period != nhip.HourPeriod:
		return 366 * day
	case q.Station == "":
		return day
	}
	return 92 * day
}

// Rollups calls yield for each roll-up that was asked for, sorted by time, then quantity, then station. Errors are
// those of Readings.
func (db *DB) Rollups(ctx context.Context, q RollupQuery, yield func(Rolled) error) error {
	if err := checkInterval(q.From, q.To); err != nil {
		return err
	}
	end := millis(q.To)
	for from := millis(q.From); from.Before(end); from = from.Add(rollupWindow(&q)) {
		to := from.Add(rollupWindow(&q))
		if to.After(end) {
			to = end
		}
		if err := db.rollupsIn(ctx, &q, from, to, yield); err != nil {
			return err
		}
	}
	return nil
}

// rollupsIn yields the answer to one question. Of an hour that was reviewed there are two rows, the automatic one
// first; it is passed over.
func (db *DB) rollupsIn(ctx context.Context, q *RollupQuery, from, to time.Time, yield func(Rolled) error) error {
	var held *Rolled
	release := func() error {
		if held == nil {
			return nil
		}
		r := *held
		held = nil
		return yield(r)
	}
	err := db.query(ctx, "rollups", q.flux(db.dialect.bucket(), from, to), func(rec *query.FluxRecord) error {
		r, err := rolledOf(rec, q)
		if err != nil {
			return err
		}
		if held != nil && held.Station == r.Station && held.Quantity == r.Quantity && held.Time.Equal(r.Time) {
			held = nil
		}
		if err := release(); err != nil {
			return err
		}
		held = &r
		return nil
	})
	if err != nil {
		return err
	}
	return release()
}

func (q *RollupQuery) flux(bucket string, from, to time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "from(bucket: %s)\n|> %s\n|> filter(fn: (r) => r._measurement == %s and r.%s == %s", quoteFlux(bucket),
		fluxRange(from, to), quoteFlux(RollupMeasurement), colPeriod, quoteFlux(q.Period))
	if q.Quality == nhip.Reviewed {
		fmt.Fprintf(&b, " and (r.%s == %s or r.%s == %s)", colLevel, quoteFlux(string(nhip.Automatic)), colLevel, quoteFlux(string(nhip.Reviewed)))
	} else {
		fmt.Fprintf(&b, " and r.%s == %s", colLevel, quoteFlux(string(q.Quality)))
	}
	if q.Station != "" {
		fmt.Fprintf(&b, " and r.%s == %s", colStation, quoteFlux(tagValue(q.Station)))
	}
	if q.Quantity != "" {
		fmt.Fprintf(&b, " and r.%s == %s", colQuantity, quoteFlux(string(q.Quantity)))
	}
	fmt.Fprintf(&b, ")\n|> filter(fn: (r) => r._field != %s", quoteFlux(colReceived))
	if q.Brief {
		fmt.Fprintf(&b, " and r._field != %s and r._field != %s", quoteFlux(colMedian), quoteFlux(colNear))
	}
	b.WriteString(")\n")
	fmt.Fprintf(&b, "|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n")
	fmt.Fprintf(&b, "|> drop(columns: [\"_start\", \"_stop\", \"_measurement\", %q])\n", colPeriod)
	fmt.Fprintf(&b, "|> group()\n|> sort(columns: [\"_time\", %q, %q, %q])", colQuantity, colStation, colLevel)
	return b.String()
}

func rolledOf(rec *query.FluxRecord, q *RollupQuery) (Rolled, error) {
	row := rec.Values()
	at, ok1 := row["_time"].(time.Time)
	quantity, ok2 := row[colQuantity].(string)
	station, ok3 := row[colStation].(string)
	level, ok4 := row[colLevel].(string)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return Rolled{}, nhip.Errorf(nhip.Internal, "", "a row of %s in InfluxDB is not of the schema: %v", RollupMeasurement, row)
	}
	number := func(name string) float64 { v, _ := row[name].(float64); return v }
	whole := func(name string) int64 { v, _ := row[name].(int64); return v }
	return Rolled{
		Rollup: nhip.Rollup{
			Station: tagText(station), Quantity: nhip.Quantity(quantity), Period: q.Period, Quality: nhip.Quality(level), Time: at.UTC(),
			Stats: nhip.Stats{
				Mean: number(colMean), Min: number(colMin), Max: number(colMax), P98: number(colP98), Median: number(colMedian),
				Max1h: floatOf(row, colMax1h), Max8h: floatOf(row, colMax8h),
				Count: int(whole(colCount)), Capture: number(colCapture), Flag: nhip.Flag(whole(colFlag)),
			},
		},
		Near: nhip.Flag(whole(colNear)),
	}, nil
}
