package records

import (
	"context"
	"errors"
	"net/http"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/internal/airreport"
	"nhip/internal/influx"
)

// row is one row of an answer.
type row struct {
	time     time.Time // end of the period
	quantity nhip.Quantity
	period   string
	value    nhip.Opt[float64] // the mean; unknown if it failed
	stats    *nhip.RollupStats // nil for a reading
	index    nhip.Opt[float64] // sub-index of the quantity
	flag     nhip.Flag
	quality  nhip.Quality
	tests    string
	rule     string
	origin   nhip.Origin

	aqi *nhip.AQI // of the station, in a list of indices; then only time is set, too

	record any // of an export; then only time is set, too

	exceedance *airreport.Exceedance // in a list of exceedances; then nothing else is set
}

// listReadings answers GET /v1/stations/{id}/readings.
func (h *Handler) listReadings(w http.ResponseWriter, r *http.Request) error {
	q, err := h.readingsQuery(r)
	if err != nil {
		return err
	}
	return h.withSlot(r, q.station, q.quality, q.format, func() error {
		return h.stream(r, newRowWriter(w, q, newEncoder(q.format)), h.readings)
	})
}

// errPageFull is returned by rowWriter.add to end a page.
var errPageFull = errors.New("page full")

// source yields the rows of a query, oldest first.
type source func(ctx context.Context, q *query, yield func(*row) error) error

// stream writes the rows of a source. After the first bytes are sent, it aborts the connection on an error, so that
// the client notices that its answer is incomplete.
func (h *Handler) stream(r *http.Request, out *rowWriter, rows source) error {
	err := rows(r.Context(), out.q, out.add)
	if errors.Is(err, errPageFull) {
		err = nil
	}
	if err == nil {
		err = out.end()
	}
	switch {
	case err == nil:
		return nil
	case out.failed || r.Context().Err() != nil:
		panic(http.ErrAbortHandler) // the client is gone or too slow
	case out.begun:
		h.Logger.Warn("history query failed, incomplete answer aborted", "error", err)
		panic(http.ErrAbortHandler)
	}
	return h.historyError(r, err)
}

// readings is the source of readings and roll-ups.
func (h *Handler) readings(ctx context.Context, q *query, yield func(*row) error) error {
	switch q.by.period {
	case "":
		return h.rawRows(ctx, q, yield)
	case nhip.PeriodHour:
		return h.hourRows(ctx, q, yield)
	}
	return h.History.Rollups(ctx, q.rollups(q.from), func(r influx.RollupRow) error {
		return yield(q.rollupWithIndex(&r, nil))
	})
}

// rollupRow returns the row of a roll-up.
func rollupRow(r *influx.RollupRow) *row {
	x := &row{
		time: r.Time, quantity: r.Quantity, period: r.Period, stats: &r.RollupStats, flag: r.Flag, quality: r.Quality,
	}
	if r.Count > 0 {
		x.value = nhip.Some(r.Mean)
	}
	return x
}

// rawRows yields readings. A reading that failed the checks has no value, unless raw values are requested.
func (h *Handler) rawRows(ctx context.Context, q *query, yield func(*row) error) error {
	var reviews []nhip.Review
	if q.quality == nhip.QualityReviewed {
		var err error
		if reviews, err = h.History.Reviews(ctx, q.station, h.Clock.Now().Add(nhip.FutureTolerance)); err != nil {
			return err
		}
	}
	readings := influx.ReadingQuery{Station: q.station, Quantity: q.quantity, From: q.from, To: q.to}
	return h.History.Readings(ctx, readings, func(r nhip.AssessedReading) error {
		return yield(readingRow(&r, q.quality, reviews))
	})
}

// readingRow returns the row of a reading at a level. Without a decision of a reviewer its level is the automatic one
// instead of the reviewed one. reviews are empty for other levels.
func readingRow(r *nhip.AssessedReading, level nhip.Quality, reviews []nhip.Review) *row {
	value, flag := r.At(level)
	x := &row{
		time: r.Time, quantity: r.Quantity, period: nhip.FormatPeriod(r.Period), quality: level, origin: r.Origin,
		tests: r.Assessment.Tests, rule: r.Assessment.Rule,
	}
	if level == nhip.QualityReviewed {
		decided, ok := nhip.Decide(reviews, r.Quantity, r.Time, flag)
		if flag = decided; !ok {
			_, flag = r.At(level)
			x.quality = nhip.QualityAutomatic
		}
	}
	x.flag = flag
	if level == nhip.QualityRaw || flag != nhip.FlagFail {
		x.value = nhip.Some(value)
	}
	return x
}

// hourRows yields hours with their sub-indices. It reads windowHours more than it yields.
func (h *Handler) hourRows(ctx context.Context, q *query, yield func(*row) error) error {
	windows := make(map[nhip.Quantity]*hourWindow)
	return h.History.Rollups(ctx, q.rollups(q.from.Add(-windowHours*time.Hour)), func(r influx.RollupRow) error {
		w := windows[r.Quantity]
		if w == nil {
			w = new(hourWindow)
			windows[r.Quantity] = w
		}
		if x := q.rollupWithIndex(&r, w); x != nil {
			return yield(x)
		}
		return nil
	})
}

// rollupWithIndex returns the row of a roll-up with its sub-index, or nil for an hour before the query. w is the window
// of its series; only hours use it.
func (q *query) rollupWithIndex(r *influx.RollupRow, w *hourWindow) *row {
	var v float64
	ok := false
	switch q.by.period {
	case nhip.PeriodHour:
		if w.add(r.Time, &r.RollupStats); !r.Time.After(q.from) {
			return nil
		}
		v, ok = aqi.SubIndexAt(q.scale, r.Quantity, w.hours[:])
	case nhip.PeriodDay:
		v, ok = aqi.DailySubIndex(q.scale, r.Quantity, &r.RollupStats)
	}
	x := rollupRow(r)
	if ok {
		x.index = nhip.Some(v)
	}
	return x
}
