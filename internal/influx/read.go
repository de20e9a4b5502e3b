package influx

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// ReadingQuery selects a station's readings.
type ReadingQuery struct {
	Station  string
	Quantity nhip.Quantity // "" for all
	From     time.Time     // exclusive
	To       time.Time     // inclusive
	Limit    int           // maximum number, the oldest first; 0 for all
}

// validate returns an *nhip.Error with the code Invalid.
func (q *ReadingQuery) validate() error {
	var broken *nhip.Error
	switch {
	case errors.As(nhip.CheckID("station", q.Station), &broken):
		return nhip.Errorf(nhip.CodeInvalid, broken.Field, "%s", broken.Rule)
	case q.Quantity != "" && !q.Quantity.Known():
		return nhip.Errorf(nhip.CodeInvalid, "quantity", "%q is not a known quantity", string(q.Quantity))
	case q.Limit < 0:
		return nhip.Errorf(nhip.CodeInvalid, "limit", "must be 0 or more, got %d", q.Limit)
	}
	return checkInterval(q.From, q.To)
}

// The columns of a reading, as readingOf expects them.
const (
	readingQuantity = iota
	readingPeriod
	readingValue
	readingFlag
	readingLat
	readingLon
	readingOrigin
	readingChannelA
	readingChannelB
	readingAuto
	readingCorrected
	readingRule
	readingTests
	readingEnd // behind the last one
)

var readingColumns = columnsOf(withAssessment(readingSchema()), colQuantity, colPeriod, colValue, colFlag, colLat,
	colLon, colOrigin, colChannelA, colChannelB, colAuto, colCorrected, colRule, colTests)

// readingsAtOnce is more than the readings of a station that end at one time: quantities times periods.
const readingsAtOnce = 500

// Readings calls yield for each selected reading as it arrives, sorted by time, then quantity, then the text of the
// period. An error of yield ends the query and is returned unchanged. Other errors are an *nhip.Error: Invalid for a
// wrong query, Unavailable if InfluxDB can't be reached or its result breaks off, possibly after some readings were
// yielded.
func (h History) Readings(ctx context.Context, q ReadingQuery, yield func(nhip.AssessedReading) error) error {
	if err := q.validate(); err != nil {
		return err
	}
	left := q.Limit
	errEnough := errors.New("enough readings")
	group := timeGroup[assessedRow]{compare: compareReadings, yield: func(r *assessedRow) error {
		if err := yield(r.AssessedReading); err != nil {
			return err
		}
		if left--; left == 0 {
			return errEnough
		}
		return nil
	}}
	err := h.Source.Select(ctx, q.selection(), func(row *Row) error {
		r, ok, err := readingOf(row, q.Station)
		if err != nil || !ok {
			return err
		}
		return group.add(row.Time, &r)
	})
	if err == nil {
		err = group.flush()
	}
	if err == errEnough {
		return nil
	}
	return err
}

func (q *ReadingQuery) selection() *Selection {
	s := &Selection{
		Measurement: ReadingMeasurement, Columns: readingColumns, Where: []TagCondition{where(colStation, q.Station)},
		From: after(q.From), To: after(q.To),
	}
	if q.Quantity != "" {
		s.Where = append(s.Where, where(colQuantity, string(q.Quantity)))
	}
	if q.Limit > 0 {
		// The rows of the last time may be cut off, so there must be more than are needed.
		s.Limit = q.Limit + readingsAtOnce
	}
	return s
}

// assessedRow is a reading with the text of its period, by which readings are sorted.
type assessedRow struct {
	nhip.AssessedReading
	period string
}

func compareReadings(a, b *assessedRow) int {
	return cmp.Or(strings.Compare(string(a.Quantity), string(b.Quantity)), strings.Compare(a.period, b.period))
}

// readingOf reads a reading from a row. ok is false for a row without a value: an assessment that was stored before its
// reading.
func readingOf(row *Row, station string) (r assessedRow, ok bool, err error) {
	quantity := row.TagText(readingQuantity)
	r.period = row.Text(readingPeriod)
	period, err := time.ParseDuration(r.period)
	if quantity == "" || err != nil {
		return r, false, errSchema(ReadingMeasurement, "quantity "+quantity+", period "+r.period)
	}
	value, hasValue := row.Float(readingValue)
	r.Reading = nhip.Reading{
		Station: station, Quantity: nhip.Quantity(quantity), Time: row.At(), Period: period, Value: value,
		Flag: flagOf(row, readingFlag), Point: pointOf(row, readingLat, readingLon),
		Origin: nhip.Origin(row.Text(readingOrigin)),
	}
	a, ok1 := row.Float(readingChannelA)
	b, ok2 := row.Float(readingChannelB)
	if ok1 && ok2 {
		r.Channels = nhip.Some([2]float64{a, b})
	}
	r.Assessment = assessmentOf(row)
	return r, hasValue, nil
}

// flagOf reads a flag, nhip.FlagNotEvaluated if the row has none. InfluxDB writes the fields of a row one after the
// other, so that a query may see a value before its flag.
func flagOf(row *Row, column int) nhip.Flag {
	if flag, ok := row.Int(column); ok && flag != 0 {
		return nhip.Flag(flag)
	}
	return nhip.FlagNotEvaluated
}

// pointOf reads a location from two columns.
func pointOf(row *Row, latColumn, lonColumn int) nhip.Opt[orb.Point] {
	lat, ok1 := row.Float(latColumn)
	lon, ok2 := row.Float(lonColumn)
	if !ok1 || !ok2 {
		return nhip.Opt[orb.Point]{}
	}
	return nhip.Some(orb.Point{lon, lat})
}

// Count returns the number of a measurement's rows after from and up to to, inclusive.
func (h History) Count(ctx context.Context, measurement string, from, to time.Time) (int, error) {
	if err := checkInterval(from, to); err != nil {
		return 0, err
	}
	return h.count(ctx, &Selection{
		Measurement: measurement, Columns: receivedColumn, From: after(from), To: after(to), Function: Count,
	})
}

// count returns the sum of the counts of a selection.
func (h History) count(ctx context.Context, s *Selection) (total int, err error) {
	err = h.Source.Select(ctx, s, func(row *Row) error {
		n, _ := row.Int(0)
		total += int(n)
		return nil
	})
	return total, err
}

// receivedColumn is a field that every row has that was stored for a device.
var receivedColumn = []Column{{colReceived, Int, ""}}
