package api

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/geo/limits"
	"nhip/geo/report"
	"nhip/internal/influx"
	"nhip/internal/problem"
)

// Spans of exceedance reports: a station's year, or a quarter of all of them.
const (
	mostOfOne = 11 * 366 * day
	mostOfAll = 93 * day
)

// exceedancesAnswer is the answer of GET /v1/exceedances.
type exceedancesAnswer struct {
	From   time.Time       `json:"from"`
	To     time.Time       `json:"to"`
	Level  nhip.Quality    `json:"level"`
	Source string          `json:"source"`
	Rows   []exceedanceRow `json:"rows"`
}

type exceedanceRow struct {
	Station string `json:"station"`
	Name    string `json:"name,omitempty"`
	Area    string `json:"area,omitempty"`
	report.Exceedance
}

// exceedanceQuestion is what is asked.
type exceedanceQuestion struct {
	historyQuestion
	area string
}

// listExceedances answers GET /v1/exceedances.
func (a *API) listExceedances(w http.ResponseWriter, r *http.Request) {
	ask, err := a.exceedanceQuestion(r)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	if ask.form == "" {
		noForm(w)
		return
	}
	if !a.mayAsk(r.Context()) {
		a.problem(w, r, nhip.Errorf(nhip.Unavailable, "", "too many questions to the history are under way"))
		return
	}
	defer func() { <-a.questions }()
	answer := exceedancesAnswer{From: ask.from, To: ask.to, Level: ask.quality, Source: limits.Source, Rows: []exceedanceRow{}}
	for _, s := range a.reported(ask) {
		rows, err := a.exceedancesOf(r.Context(), ask, s)
		if err != nil {
			a.historyFailed(w, r, err)
			return
		}
		answer.Rows = append(answer.Rows, rows...)
	}
	w.Header().Set("Cache-Control", "no-cache")
	if ask.form == formCSV {
		startCSV(w.Header(), "exceedances")
		_, _ = w.Write(answer.csv(ask.zone)) // the client may be gone
		return
	}
	problem.WriteJSON(w, http.StatusOK, formJSON, answer)
}

// historyFailed answers for a database that does not.
func (a *API) historyFailed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	a.log.Warn("the history does not answer", "error", err)
	a.problem(w, r, errHistoryAway)
}

func (a *API) exceedanceQuestion(r *http.Request) (*exceedanceQuestion, error) {
	q := readQuery(r, "station", "area", "quantity", "from", "to", "level", "format")
	ask := &exceedanceQuestion{area: q.text("area")}
	ask.station, ask.quantity, ask.quality, ask.form = q.text("station"), nhip.Quantity(q.text("quantity")), q.quality("level"), q.form(r)
	ask.zone = a.zoneOf(ask.station)
	ask.as = resolution{name: "a station", usual: 31 * day, most: mostOfOne}
	if ask.station == "" {
		ask.as = resolution{name: "missing: several stations", usual: 31 * day, most: mostOfAll}
	}
	if ask.quantity != "" && len(limits.Averages(ask.quantity)) == 0 {
		q.fail("quantity", "%q has no limit in %s", string(ask.quantity), limits.Source)
	}
	if q.err == nil {
		q.span(&ask.historyQuestion, a.o.Clock.Now())
	}
	if q.err != nil {
		return nil, q.err
	}
	if ask.quality == nhip.Raw && !a.isOperator(r) {
		return nil, errStaffOnly
	}
	return ask, nil
}

// reported returns the stations that a report is about. One that is asked for by name need not be on the map.
func (a *API) reported(ask *exceedanceQuestion) []*nhip.Station {
	if ask.station != "" {
		if s, ok := a.city.station(ask.station); ok {
			return []*nhip.Station{s}
		}
		return []*nhip.Station{{ID: ask.station}}
	}
	return slices.DeleteFunc(a.city.allStations(), func(s *nhip.Station) bool { return ask.area != "" && s.Area != ask.area })
}

func (a *API) exceedancesOf(ctx context.Context, ask *exceedanceQuestion, s *nhip.Station) ([]exceedanceRow, error) {
	series, err := a.series(ctx, s.ID, ask.quantity, ask.quality, ask.from, ask.to)
	if err != nil {
		return nil, err
	}
	zone := a.zoneOf(s.ID)
	var out []exceedanceRow
	for _, q := range sortedKeys(series) {
		for _, e := range report.Exceedances(q, *series[q], ask.from.In(zone), ask.to, limitCompleteness) {
			out = append(out, exceedanceRow{s.ID, s.Name.Vi, s.Area, e})
		}
	}
	return out, nil
}

// limitCompleteness is the share of hours that a running mean needs, and of days a year.
const limitCompleteness = 0.75

// series reads the complete hours and days of a station, and the eight hours before for running means.
func (a *API) series(ctx context.Context, station string, quantity nhip.Quantity, quality nhip.Quality, from, to time.Time) (map[nhip.Quantity]*report.Series, error) {
	out := make(map[nhip.Quantity]*report.Series)
	for _, period := range []string{nhip.HourPeriod, nhip.DayPeriod} {
		q := influx.RollupQuery{Station: station, Quantity: quantity, Period: period, Quality: quality, From: from.Add(-8 * time.Hour), To: to}
		err := a.o.History.Rollups(ctx, q, func(r influx.Rolled) error {
			if !r.Complete() {
				return nil
			}
			of := out[r.Quantity]
			if of == nil {
				of = new(report.Series)
				out[r.Quantity] = of
			}
			if period == nhip.HourPeriod {
				of.Hours = append(of.Hours, report.Mean{End: r.Time, Value: r.Mean})
			} else {
				of.Days = append(of.Days, report.Mean{End: r.Time, Value: r.Mean})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func sortedKeys[V any](m map[nhip.Quantity]V) []nhip.Quantity {
	var keys []nhip.Quantity
	for q := range m {
		keys = append(keys, q)
	}
	slices.SortFunc(keys, func(a, b nhip.Quantity) int { return strings.Compare(string(a), string(b)) })
	return keys
}

func (e *exceedancesAnswer) csv(zone *time.Location) []byte {
	b := []byte(byteOrderMark + "station,name,area,quantity,average,limit,unit,number,evaluated,capture_pct,hours,longest_hours,max,max_time,utc_offset,from,to,level,source\n")
	for i := range e.Rows {
		x := &e.Rows[i]
		r := row{b}
		r.text(x.Station)
		r.text(x.Name)
		r.text(x.Area)
		r.raw(string(x.Quantity))
		r.raw(string(x.Average))
		r.number(x.Limit, 10)
		r.raw(x.Unit)
		r.raw(strconv.Itoa(x.Number))
		r.raw(strconv.Itoa(x.Evaluated))
		r.number(x.Capture, 10)
		r.number(x.Hours, 10)
		r.number(x.Longest, 10)
		r.number(x.Max, 1000)
		r.time(x.MaxTime.In(zone))
		r.raw(x.MaxTime.In(zone).Format("-07:00"))
		r.time(e.From.In(zone))
		r.time(e.To.In(zone))
		r.raw(string(e.Level))
		r.text(e.Source)
		b = r.end()
	}
	return b
}

// statusRow is one station on the board of GET /v1/stations/status.
type statusRow struct {
	Station string            `json:"station"`
	Name    string            `json:"name,omitempty"`
	Area    string            `json:"area,omitempty"`
	Kind    string            `json:"kind,omitempty"`
	Time    *time.Time        `json:"time"` // of its newest value; null where it has left the map
	Age     nhip.Opt[float64] `json:"age_s,omitzero"`
	State   nhip.State        `json:"state"`
	Capture float64           `json:"capture_pct"` // of the hours of all that it measured
	Flags   map[string]int    `json:"flags"`       // hours by flag, of all quantities
	Off     []report.Gap      `json:"off"`         // when no hour of anything was complete
}

// listStatus answers GET /v1/stations/status: the agency's board.
func (a *API) listStatus(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "hours")
	span := q.integer("hours", 24, 1, 168)
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	now := a.o.Clock.Now()
	to := now.Truncate(time.Hour)
	from := to.Add(-time.Duration(span) * time.Hour)
	byStation := make(map[string]*tallyOfHours)
	ask := influx.RollupQuery{Period: nhip.HourPeriod, Quality: nhip.Reviewed, From: from, To: to}
	err := a.o.History.Rollups(r.Context(), ask, func(r influx.Rolled) error {
		t := byStation[r.Station]
		if t == nil {
			t = &tallyOfHours{flags: map[string]int{}, quantities: map[nhip.Quantity]bool{}}
			byStation[r.Station] = t
		}
		t.add(&r)
		return nil
	})
	if err != nil {
		a.historyFailed(w, r, err)
		return
	}
	answer := struct {
		From     time.Time   `json:"from"`
		To       time.Time   `json:"to"`
		Stations []statusRow `json:"stations"`
	}{from, to, []statusRow{}}
	for _, s := range a.city.allStations() {
		answer.Stations = append(answer.Stations, status(s, byStation[s.ID], from, to, now))
	}
	w.Header().Set("Cache-Control", "no-cache")
	problem.WriteJSON(w, http.StatusOK, formJSON, answer)
}

// tallyOfHours counts a station's hours.
type tallyOfHours struct {
	flags      map[string]int
	quantities map[nhip.Quantity]bool
	complete   int
	ends       []time.Time // of hours of which anything is complete, rising
}

func (t *tallyOfHours) add(r *influx.Rolled) {
	t.quantities[r.Quantity] = true
	t.flags[strconv.Itoa(int(r.Flag))]++
	if !r.Complete() {
		return
	}
	t.complete++
	if n := len(t.ends); n == 0 || r.Time.After(t.ends[n-1]) {
		t.ends = append(t.ends, r.Time)
	}
}

func status(s *nhip.Station, t *tallyOfHours, from, to, now time.Time) statusRow {
	row := statusRow{Station: s.ID, Name: s.Name.Vi, Area: s.Area, Kind: s.Kind, State: s.State(now), Flags: map[string]int{}, Off: []report.Gap{}}
	row.Time, row.Age = &s.Time, nhip.Some(roundTo(max(now.Sub(s.Time).Seconds(), 0), 10))
	if t == nil {
		row.Off = report.Gaps(nil, from, to)
		return row
	}
	row.Flags = t.flags
	row.Capture = math.Round(1000*float64(t.complete)/(float64(len(t.quantities))*to.Sub(from).Hours())) / 10
	if gaps := report.Gaps(t.ends, from, to); gaps != nil {
		row.Off = gaps
	}
	return row
}
