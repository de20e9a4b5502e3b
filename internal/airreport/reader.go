// Package airreport reads reports of air quality from the stored roll-ups: months and exceedances of limits. The api
// answers with them, and the collector sends them by mail.
package airreport

import (
	"context"
	"math"
	"time"

	"nhip"
	"nhip/geo/report"
	"nhip/internal/influx"
)

// History is the part of the database that reports are read from.
type History interface {
	// Rollups yields hours, days or months, oldest first.
	Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error
	// Days yields the days and hours of each quantity of each station, sorted by quantity, then station.
	Days(ctx context.Context, q influx.DayQuery, yield func(*influx.DaySeries) error) error
	// Means yields the means of each quantity of each station, sorted by quantity, then station.
	Means(ctx context.Context, q influx.MeanQuery, yield func(influx.MeanSeries) error) error
}

// Reader reads reports.
type Reader struct {
	History History
	Clock   nhip.Clock
	Zone    func(station string) *time.Location // of the days and months of a station
}

// LimitCompleteness is the minimum share of complete hours in a running mean, and of complete days in a year.
const LimitCompleteness = 0.75

// maxCondition is the maximum number of stations that a query of the history names. More are selected afterwards.
const maxCondition = 100

// CompleteMeans returns the means of complete roll-ups.
func CompleteMeans(all []influx.MeanAt) []report.Mean {
	out := make([]report.Mean, 0, len(all))
	for _, m := range all {
		if !math.IsNaN(m.Value) {
			out = append(out, report.Mean{End: time.UnixMilli(m.End).UTC(), Value: m.Value})
		}
	}
	return out
}

// round rounds f to steps of 1/unit.
func round(f, unit float64) float64 { return math.Round(f*unit) / unit }
