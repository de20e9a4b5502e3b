package influx

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"nhip"
)

// MeanQuery selects the means of roll-ups of many stations over a long time.
type MeanQuery struct {
	Stations   []string        // empty for all
	Quantities []nhip.Quantity // empty for all
	Period     string          // nhip.PeriodHour, PeriodDay or PeriodMonth
	Quality    nhip.Quality    // as in RollupQuery
	From       time.Time       // exclusive
	To         time.Time       // inclusive
}

// MeanSeries are the means of one quantity at one station.
type MeanSeries struct {
	Station  string
	Quantity nhip.Quantity
	Means    []MeanAt // sorted by END
}

// MeanAt is a mean. Value is NaN if the roll-up is not complete.
type MeanAt struct {
	End   int64 // END, ms since 1970
	Value float64
}

// meanColumns are what is read of a roll-up. The tags come with the group, not with every row.
var meanColumns = columnsOf(rollupSchema(), colMean, colFlag)

// Means calls yield for each quantity of each station that has roll-ups, sorted by quantity, then station. One series
// is held in memory at a time, beside the reviewed means, which are few; it is yield's to keep. Errors are those of
// Readings.
func (h History) Means(ctx context.Context, q MeanQuery, yield func(MeanSeries) error) error {
	if err := checkInterval(q.From, q.To); err != nil {
		return err
	}
	reviewed := make(map[stationQuantity][]MeanAt)
	if q.Quality == nhip.QualityReviewed {
		err := h.means(ctx, &q, nhip.QualityReviewed, func(s MeanSeries) error {
			reviewed[stationQuantity{s.Station, s.Quantity}] = s.Means
			return nil
		})
		if err != nil {
			return err
		}
		q.Quality = nhip.QualityAutomatic // a reviewed roll-up stands beside an automatic one
	}
	return h.means(ctx, &q, q.Quality, func(s MeanSeries) error {
		s.Means = supersede(s.Means, reviewed[stationQuantity{s.Station, s.Quantity}])
		return yield(s)
	})
}

type stationQuantity struct {
	station  string
	quantity nhip.Quantity
}

// means calls yield for each series of one quality.
func (h History) means(ctx context.Context, q *MeanQuery, quality nhip.Quality, yield func(MeanSeries) error) error {
	var current MeanSeries
	finish := func() error {
		if len(current.Means) == 0 {
			return nil
		}
		return yield(current)
	}
	err := h.Source.Select(ctx, q.selection(quality), func(row *Row) error {
		if quantity, station := nhip.Quantity(row.Tags[0]), tagText(row.Tags[1]); station != current.Station ||
			quantity != current.Quantity {
			if err := finish(); err != nil {
				return err
			}
			current = MeanSeries{Station: station, Quantity: quantity}
		}
		value, _ := row.Float(0)
		flag, _ := row.Int(1)
		if s := (nhip.RollupStats{Flag: nhip.Flag(flag)}); !s.Complete() {
			value = math.NaN()
		}
		current.Means = append(current.Means, MeanAt{row.Time, value})
		return nil
	})
	if err != nil {
		return err
	}
	return finish()
}

// supersede replaces means by the reviewed ones of the same times.
func supersede(means, reviewed []MeanAt) []MeanAt {
	for _, m := range reviewed {
		i, found := slices.BinarySearchFunc(means, m.End, func(a MeanAt, end int64) int { return cmp.Compare(a.End, end) })
		if !found {
			means = slices.Insert(means, i, m)
		}
		means[i] = m
	}
	return means
}

func (q *MeanQuery) selection(quality nhip.Quality) *Selection {
	s := &Selection{
		Measurement: RollupMeasurement, Columns: meanColumns, From: after(q.From), To: after(q.To),
		Where:   []TagCondition{where(colPeriod, q.Period), where(colLevel, string(quality))},
		GroupBy: []string{colQuantity, colStation}, // in alphabetical order, which InfluxDB sorts the groups by
	}
	if len(q.Stations) > 0 {
		s.Where = append(s.Where, where(colStation, q.Stations...))
	}
	if len(q.Quantities) > 0 {
		texts := make([]string, len(q.Quantities))
		for i, quantity := range q.Quantities {
			texts[i] = string(quantity)
		}
		s.Where = append(s.Where, where(colQuantity, texts...))
	}
	return s
}
