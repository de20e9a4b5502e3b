package influx

import (
	"cmp"
	"context"
	"strings"
	"time"

	"nhip"
)

// AppendRollup appends r as one line of line protocol, including the newline, and returns the extended slice.
// network is what the comparison with other monitors needs of a raw hour; the zero NetworkHour for other roll-ups.
// computed is the time of the computation.
func AppendRollup(dst []byte, r *nhip.Rollup, network NetworkHour, computed time.Time) []byte {
	return appendRollup(dst, r, network, "", computed)
}

func appendRollup(dst []byte, r *nhip.Rollup, network NetworkHour, hours string, computed time.Time) []byte {
	dst = append(dst, RollupMeasurement...)
	dst = appendTag(dst, colLevel, string(r.Quality))
	dst = appendTag(dst, colPeriod, r.Period)
	dst = appendTag(dst, colQuantity, string(r.Quantity))
	dst = appendTag(dst, colStation, r.Station)
	dst = appendReceived(dst, computed)
	dst = appendFloat(dst, colCapture, r.Capture)
	dst = appendOptFloat(dst, colCapture8h, r.Capture8h)
	dst = appendInt(dst, colCount, int64(r.Count))
	dst = appendInt(dst, colFlag, int64(r.Flag))
	dst = appendText(dst, colHours, hours)
	dst = appendFloat(dst, colMax, r.Max)
	dst = appendOptFloat(dst, colMax1h, r.Max1h)
	dst = appendOptFloat(dst, colMax8h, r.Max8h)
	dst = appendFloat(dst, colMean, r.Mean)
	dst = appendFloat(dst, colMedian, r.Median)
	dst = appendFloat(dst, colMin, r.Min)
	rawHour := r.Quality == nhip.QualityRaw && r.Period == nhip.PeriodHour
	if rawHour {
		dst = appendMaybeEmptyText(dst, colNetwork, network.Tests) // it replaces an earlier one
	}
	dst = appendFloat(dst, colP98, r.P98)
	if rawHour {
		dst = appendOptFloat(dst, colRoughness, network.Roughness)
		dst = appendOptFloat(dst, colTypical, network.Typical)
	}
	return appendTime(dst, r.Time)
}

// RollupQuery selects roll-ups.
type RollupQuery struct {
	Station  string        // "" for all
	Quantity nhip.Quantity // "" for all
	Period   string        // nhip.PeriodHour, PeriodDay or PeriodMonth
	Quality  nhip.Quality  // nhip.QualityReviewed also selects automatic roll-ups without a reviewed one
	// Levels, if there are any, take the place of Quality: roll-ups of each, those of one time and quantity by level.
	Levels []nhip.Quality
	From   time.Time // exclusive
	To     time.Time // inclusive
	Brief  bool      // leaves out medians and the network, which only the collector needs
}

// RollupRow is a roll-up as stored.
type RollupRow struct {
	nhip.Rollup
	Network NetworkHour
}

// NetworkHour is what the comparison of monitors needs of an hour of one of them, and its outcome. It is stored with
// the hour's raw roll-up only.
type NetworkHour struct {
	// Typical is the median of the corrected values that may be compared (qc.Result.Comparable), in the quantity's unit;
	// empty if they are too few.
	Typical nhip.Opt[float64]
	// Roughness is the median absolute difference of successive values, in the quantity's unit; empty if they are few.
	Roughness nhip.Opt[float64]
	// Tests lists the checks against other monitors that were not passed, "neighbours=4,network_gain=3".
	Tests string
}

// The columns of a roll-up, as rollupOf expects them. Those of a brief one end before rollupMedian.
const (
	rollupQuantity = iota
	rollupStation
	rollupLevel
	rollupMean
	rollupMin
	rollupMax
	rollupP98
	rollupMax1h
	rollupMax8h
	rollupCapture8h
	rollupCount
	rollupCapture
	rollupFlag
	rollupMedian
	rollupNetwork
	rollupRoughness
	rollupTypical
)

var rollupColumns = columnsOf(rollupSchema(), colQuantity, colStation, colLevel, colMean, colMin, colMax, colP98,
	colMax1h, colMax8h, colCapture8h, colCount, colCapture, colFlag, colMedian, colNetwork, colRoughness, colTypical)

// Rollups calls yield for each selected roll-up, sorted by time, then quantity, then station. Errors are those of
// Readings.
func (h History) Rollups(ctx context.Context, q RollupQuery, yield func(RollupRow) error) error {
	if err := checkInterval(q.From, q.To); err != nil {
		return err
	}
	// A reviewed span has two roll-ups, of which the automatic one comes first and is skipped.
	var pending *RollupRow // not yielded before the next one shows that it is not superseded
	flush := func() error {
		if pending == nil {
			return nil
		}
		r := *pending
		pending = nil
		return yield(r)
	}
	group := timeGroup[RollupRow]{compare: compareRollups, yield: func(r *RollupRow) error {
		if len(q.Levels) > 0 {
			return yield(*r)
		}
		if pending != nil && pending.Station == r.Station && pending.Quantity == r.Quantity && pending.Time.Equal(r.Time) {
			pending = nil
		}
		if err := flush(); err != nil {
			return err
		}
		next := *r
		pending = &next
		return nil
	}}
	err := h.Source.Select(ctx, q.selection(), func(row *Row) error {
		r := rollupOf(row, &q)
		return group.add(row.Time, &r)
	})
	if err == nil {
		err = group.flush()
	}
	if err != nil {
		return err
	}
	return flush()
}

func (q *RollupQuery) selection() *Selection {
	s := &Selection{
		Measurement: RollupMeasurement, Columns: rollupColumns, From: after(q.From), To: after(q.To),
		Where: []TagCondition{where(colPeriod, q.Period)},
	}
	if q.Brief {
		s.Columns = rollupColumns[:rollupMedian]
	}
	if len(q.Levels) > 0 {
		levels := make([]string, len(q.Levels))
		for i, level := range q.Levels {
			levels[i] = string(level)
		}
		s.Where = append(s.Where, where(colLevel, levels...))
	} else if q.Quality == nhip.QualityReviewed {
		s.Where = append(s.Where, where(colLevel, string(nhip.QualityAutomatic), string(nhip.QualityReviewed)))
	} else {
		s.Where = append(s.Where, where(colLevel, string(q.Quality)))
	}
	if q.Station != "" {
		s.Where = append(s.Where, where(colStation, q.Station))
	}
	if q.Quantity != "" {
		s.Where = append(s.Where, where(colQuantity, string(q.Quantity)))
	}
	return s
}

func compareRollups(a, b *RollupRow) int {
	return cmp.Or(strings.Compare(string(a.Quantity), string(b.Quantity)), strings.Compare(a.Station, b.Station),
		strings.Compare(string(a.Quality), string(b.Quality)))
}

// rollupOf reads a roll-up from a row. Missing columns give zero values.
func rollupOf(row *Row, q *RollupQuery) RollupRow {
	number := func(i int) float64 { v, _ := row.Float(i); return v }
	whole := func(i int) int64 { v, _ := row.Int(i); return v }
	r := RollupRow{Rollup: nhip.Rollup{
		Station: row.TagText(rollupStation), Quantity: nhip.Quantity(row.Text(rollupQuantity)), Period: q.Period,
		Quality: nhip.Quality(row.Text(rollupLevel)), Time: row.At(),
		RollupStats: nhip.RollupStats{
			Mean: number(rollupMean), Min: number(rollupMin), Max: number(rollupMax), P98: number(rollupP98),
			Max1h: floatOf(row, rollupMax1h), Max8h: floatOf(row, rollupMax8h),
			Capture8h: floatOf(row, rollupCapture8h),
			Count:     int(whole(rollupCount)), Capture: number(rollupCapture), Flag: flagOf(row, rollupFlag),
		},
	}}
	if !q.Brief {
		r.Median = number(rollupMedian)
		r.Network = NetworkHour{
			Typical: floatOf(row, rollupTypical), Roughness: floatOf(row, rollupRoughness), Tests: row.Text(rollupNetwork),
		}
	}
	return r
}
