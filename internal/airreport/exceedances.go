package airreport

import (
	"context"
	"maps"
	"slices"
	"time"

	"nhip"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/csvrow"
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

// ExceedanceColumns is the first line of the CSV of exceedances.
const ExceedanceColumns = "station,name,area,quantity,average,limit,unit,number,evaluated,capture_pct,hours," +
	"longest_hours,max,max_time,utc_offset,from,to,level,source\n"

// AppendCSV appends a row, with the offset of the station's zone. from, to and level are those of the report.
func (x *Exceedance) AppendCSV(b []byte, from, to time.Time, level nhip.Quality) []byte {
	c := csvrow.Row{B: b}
	c.Text(x.Station)
	c.Text(x.Name)
	c.Text(x.Area)
	c.Raw(string(x.Quantity))
	c.Raw(string(x.Average))
	c.Number(x.Limit, 10)
	c.Raw(x.Unit)
	c.Integer(int64(x.Number))
	c.Integer(int64(x.Evaluated))
	c.Number(x.Capture, 10)
	c.Number(x.Hours, 10)
	c.Number(x.Longest, 10)
	if at, ok := x.MaxTime.Get(); ok {
		c.Number(x.Max.Or(0), 1000)
		c.Time(at)
		c.Raw(at.In(x.Zone).Format("-07:00"))
	} else {
		c.Raw("")
		c.Raw("")
		c.Raw("")
	}
	c.Time(from)
	c.Time(to)
	c.Raw(string(level))
	c.Text(limits.Source)
	return c.End()
}
