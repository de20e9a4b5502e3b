package influx

import (
	"context"
	"math"
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
		current.Means = append(current.Means, MeanAt{row.Time, completeMean(row)})
		return nil
	})
	if err != nil {
		return err
	}
	return finish()
}

// completeMean returns the mean of a roll-up whose first columns are the mean and the flag; NaN if it is not complete.
func completeMean(row *Row) float64 {
	value, _ := row.Float(0)
	flag, _ := row.Int(1)
	if s := (nhip.RollupStats{Flag: nhip.Flag(flag)}); !s.Complete() {
		return math.NaN()
	}
	return value
}

// supersede returns the means of both lists in the order of time, of one time those of later.
func supersede(means, later []MeanAt) []MeanAt {
	if len(later) == 0 {
		return means
	}
	out := make([]MeanAt, 0, len(means)+len(later))
	for len(means) > 0 && len(later) > 0 {
		if means[0].End < later[0].End {
			out, means = append(out, means[0]), means[1:]
			continue
		}
		if means[0].End == later[0].End {
			means = means[1:]
		}
		out, later = append(out, later[0]), later[1:]
	}
	return append(append(out, means...), later...)
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
