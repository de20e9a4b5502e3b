package airreport

import (
	"context"
	"maps"
	"slices"
	"time"

	"nhip"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/influx"
)

// Exceedance is the result of one limit at one station.
type Exceedance struct {
	Station string `json:"station"`
	Name    string `json:"name,omitempty"`
	Area    string `json:"area,omitempty"`
	report.Exceedance

	Zone *time.Location `json:"-"` // of its days
}

// ExceedanceQuery asks for the comparison with all limits over a span.
type ExceedanceQuery struct {
	From, To time.Time
	Quality  nhip.Quality
	Quantity nhip.Quantity // "": all that have limits
	Lang     string        // of the names: vi or en
	Stations map[string]*nhip.Station
	All      bool // they are all that there are, so that the query need not name them
}

// knownFor is how long before a report a station must have measured a quantity to be in it although it was silent.
const knownFor = 366 * 24 * time.Hour

// The hours of the last days are read by themselves, because their days may not be summed up yet: the current one never
// is, and the one before it is not while late readings are processed.
const unsummedFor = 3 * 24 * time.Hour

// Exceedances yields the rows of a report, sorted by quantity, then station. A station that was silent is in the report
// if it measured the quantity in the year before.
func (r *Reader) Exceedances(ctx context.Context, q *ExceedanceQuery, yield func(*Exceedance) error) error {
	all := limits.Quantities(limits.AverageHour, limits.Average8h, limits.AverageDay, limits.AverageYear)
	of := influx.DayQuery{
		MeanQuery: influx.MeanQuery{
			Stations: q.ids(), Quantities: q.among(all), Quality: q.Quality, From: q.From.Add(-8 * time.Hour),
			To: q.To.Add(time.Hour), // the hour around midnight of a zone on the half hour
		},
		Hourly: q.among(limits.Hourly()), Known: q.From.Add(-knownFor),
		Unsummed: r.Clock.Now().Add(-unsummedFor),
	}
	if len(of.Quantities) == 0 {
		return nil
	}
	return r.History.Days(ctx, of, func(s *influx.DaySeries) error {
		if q.Stations[s.Station] == nil {
			return nil
		}
		return r.compare(q, s, yield)
	})
}

// compare yields the rows of one quantity at one station.
func (r *Reader) compare(q *ExceedanceQuery, of *influx.DaySeries, yield func(*Exceedance) error) error {
	s := q.Stations[of.Station]
	series := report.Series{Hours: CompleteMeans(of.Hours), Days: CompleteMeans(of.Days)}
	from := q.From.In(r.Zone(s.ID))
	for _, e := range report.Exceedances(of.Quantity, series, from, q.To, LimitCompleteness) {
		if err := yield(&Exceedance{s.ID, s.Name.In(q.Lang), s.Area, e, from.Location()}); err != nil {
			return err
		}
	}
	return nil
}

// ids returns the stations that the history is asked for; nil for all.
func (q *ExceedanceQuery) ids() []string {
	if q.All || len(q.Stations) > maxCondition {
		return nil
	}
	return slices.Sorted(maps.Keys(q.Stations))
}

// among returns the quantities of a list that the report is about.
func (q *ExceedanceQuery) among(all []nhip.Quantity) []nhip.Quantity {
	if q.Quantity == "" {
		return all
	}
	if slices.Contains(all, q.Quantity) {
		return []nhip.Quantity{q.Quantity}
	}
	return nil
}
