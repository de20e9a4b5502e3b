package transit

import (
	"cmp"
	"slices"
	"time"

	"nhip/geo/backtest"
)

// ETAQuality is the accuracy of the arrival predictions of a line, or of all lines. See backtest.Report.
type ETAQuality struct {
	Route         string     `json:"route,omitempty"`
	Line          string     `json:"line,omitempty"`
	Benchmark     float64    `json:"eta_benchmark"` // ETA Accuracy Benchmark, %
	BenchmarkBins [4]float64 `json:"eta_benchmark_bins"`
	MBTA          float64    `json:"mbta"` // within the MBTA's windows, %
	MBTABins      [4]float64 `json:"mbta_bins"`
	Cover         float64    `json:"p10_p90_cover"` // arrivals within the predicted range, %
	MAE           [4]float64 `json:"mae_s"`
	Bias          float64    `json:"bias_s"` // positive: later than predicted
	Arrivals      int        `json:"arrivals"`
	Predictions   int        `json:"predictions"`

	Board        float64              `json:"board"` // of the benchmark, for what boards told; %
	BoardBins    [4]float64           `json:"board_bins"`
	BoardParts   backtest.BoardParts  `json:"board_parts"`   // % of board_minutes
	BoardMinutes int                  `json:"board_minutes"` // questions to boards that arrivals answered
	Ghosts       backtest.GhostReport `json:"ghosts"`
}

func newETAQuality(r backtest.Report, b backtest.BoardReport) ETAQuality {
	return ETAQuality{
		Benchmark: r.Benchmark, BenchmarkBins: r.BenchmarkBins, MBTA: r.MBTA, MBTABins: r.MBTABins, Cover: r.Cover,
		MAE: r.MAE, Bias: r.Bias, Arrivals: r.Arrivals, Predictions: r.Predictions,
		Board: b.Board, BoardBins: b.BoardBins, BoardParts: b.Parts, BoardMinutes: b.Minutes, Ghosts: b.Ghosts,
	}
}

// ETAQuality returns the accuracy since a time, of all predictions and of each line, ordered by line.
func (t *Timetable) ETAQuality() (since time.Time, all ETAQuality, lines []ETAQuality) {
	t.tracker.mu.RLock()
	defer t.tracker.mu.RUnlock()
	score, routes := t.tracker.score, t.tracker.score.Routes()
	whole, boards := t.tracker.boards.reports()
	for id := range boards {
		if _, known := routes[id]; !known {
			routes[id] = backtest.Report{}
		}
	}
	lines = []ETAQuality{}
	for id, r := range routes {
		q := newETAQuality(r, boards[id])
		q.Route = id
		if route := t.Network.Feed.Route(id); route != nil {
			q.Line = LineOf(route)
		}
		lines = append(lines, q)
	}
	slices.SortFunc(lines, func(a, b ETAQuality) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Route, b.Route))
	})
	return score.Since(), newETAQuality(score.Total(), whole), lines
}
