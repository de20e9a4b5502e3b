package sta

import (
	"context"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/api/cache"
	"nhip/internal/influx"
)

// Series knows the series of the history with their time spans. Its methods are safe for concurrent use.
type Series struct {
	history History
	spans   *cache.Timed[map[influx.Series]nhip.StationSpan]
	took    atomic.Int64 // ns, of the last read
}

// NewSeries returns the series of a history. Close must be called at the end.
func NewSeries(history History) *Series {
	return &Series{history: history, spans: cache.NewTimed[map[influx.Series]nhip.StationSpan](1, 1)}
}

// Close cancels a running read and waits for it.
func (s *Series) Close() { s.spans.Close() }

// Bounds of the list of series: reading it costs at most 1 of 50 parts of the time of the history.
const (
	relistAfter = 5 * time.Second
	listShare   = 50
)

// all returns all series, at most as old as its cost allows.
func (s *Series) all(ctx context.Context) (map[influx.Series]nhip.StationSpan, error) {
	lifetime := max(relistAfter, listShare*time.Duration(s.took.Load()))
	return s.spans.Get(ctx, time.Time{}, lifetime, func(ctx context.Context) (map[influx.Series]nhip.StationSpan, error) {
		began := time.Now()
		out := make(map[influx.Series]nhip.StationSpan)
		err := s.history.SeriesSpans(ctx, func(span influx.SeriesSpan) error {
			out[span.Series] = nhip.StationSpan{Station: span.Station, First: span.First, Last: span.Last}
			return nil
		})
		s.took.Store(int64(time.Since(began)))
		return out, err
	})
}
