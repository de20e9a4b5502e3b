package records

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/geo/report"
	"nhip/internal/influx"
)

// statusRow is one station in the answer of GET /v1/stations/status.
type statusRow struct {
	Station string            `json:"station"`
	Name    string            `json:"name,omitempty"`
	Area    string            `json:"area,omitempty"`
	Kind    string            `json:"kind,omitempty"`
	Time    *time.Time        `json:"time"` // of its newest value; null without any
	Age     nhip.Opt[float64] `json:"age_s,omitzero"`
	State   nhip.State        `json:"state"`
	Capture float64           `json:"capture_pct"` // share of complete hours, over all quantities with roll-ups
	Flags   map[string]int    `json:"flags"`       // number of hours by flag, over all quantities
	Off     []report.Gap      `json:"off"`         // spans without a complete hour of any quantity

	Quantities []quantityStatus `json:"quantities"` // by name

	Faults    []nhip.MonitorFault `json:"faults"`    // of the last weeks, as the comparison with other monitors shows
	Unvouched []nhip.Quantity     `json:"unvouched"` // quantities that the others can't vouch for
}

// listStatus answers GET /v1/stations/status.
func (h *Handler) listStatus(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "hours")
	span := q.Integer("hours", 24, 1, 168)
	if q.Err != nil {
		return q.Err
	}
	return h.withSlot(r, "", nhip.QualityReviewed, rest.FormatJSON, func() error { return h.status(w, r, span) })
}

// status answers with the hours of all stations in a span of hours.
func (h *Handler) status(w http.ResponseWriter, r *http.Request, span int) error {
	now := h.Clock.Now()
	to := now.Truncate(time.Hour)
	from := to.Add(-time.Duration(span) * time.Hour)
	byStation := make(map[string]*hourCounts)
	hours := influx.RollupQuery{Period: nhip.PeriodHour, Quality: nhip.QualityReviewed, From: from, To: to}
	err := h.History.Rollups(r.Context(), hours, func(r influx.RollupRow) error {
		c := byStation[r.Station]
		if c == nil {
			c = newHourCounts()
			byStation[r.Station] = c
		}
		c.add(&r)
		return nil
	})
	if err != nil {
		return h.historyError(r, err)
	}
	answer := struct {
		From     time.Time   `json:"from"`
		To       time.Time   `json:"to"`
		Stations []statusRow `json:"stations"`
	}{from, to, []statusRow{}}
	stations, err := h.Stations.Entries(r.Context())
	if err != nil {
		return err
	}
	view := rest.ScopeOf(r)
	for i := range stations {
		s := &stations[i]
		if !view.Station(s.Station) {
			continue
		}
		answer.Stations = append(answer.Stations, status(s, byStation[s.ID], from, to, now))
	}
	return h.JSON(w, rest.NoStore, answer)
}

// hourCounts counts the hours of a station.
type hourCounts struct {
	flags      map[string]int
	quantities map[nhip.Quantity]*quantityHours
	complete   int         // over all quantities
	ends       []time.Time // of hours in which any quantity is complete, ascending
}

func newHourCounts() *hourCounts {
	return &hourCounts{flags: make(map[string]int), quantities: make(map[nhip.Quantity]*quantityHours)}
}

// add counts an hour of a quantity. Hours must be added in the order of their time.
func (c *hourCounts) add(r *influx.RollupRow) {
	if c.quantities[r.Quantity] == nil {
		c.quantities[r.Quantity] = new(quantityHours)
	}
	c.quantities[r.Quantity].add(r)
	c.flags[strconv.Itoa(int(r.Flag))]++
	if !r.Complete() {
		return
	}
	c.complete++
	if n := len(c.ends); n == 0 || r.Time.After(c.ends[n-1]) {
		c.ends = append(c.ends, r.Time)
	}
}

// status returns the row of a station; c is nil if it has no hour in the span.
func status(s *catalog.Entry, c *hourCounts, from, to, now time.Time) statusRow {
	row := statusRow{
		Station: s.ID, Name: s.Name.Vi, Area: s.Area, Kind: s.Kind, State: s.MapState(now), Flags: map[string]int{},
		Off: []report.Gap{}, Faults: []nhip.MonitorFault{}, Unvouched: []nhip.Quantity{},
	}
	row.Quantities = quantityStatuses(s, c, from, to, now)
	row.Faults, row.Unvouched = append(row.Faults, s.Faults...), append(row.Unvouched, s.Unvouched...)
	newest := s.Time
	if newest.IsZero() { // it is not in the live state
		newest = s.Last
	}
	if !newest.IsZero() {
		row.Time, row.Age = &newest, nhip.Some(encode.Round(max(now.Sub(newest).Seconds(), 0), 10))
	}
	if c == nil {
		row.Off = report.Gaps(nil, from, to)
		return row
	}
	row.Flags = c.flags
	row.Capture = math.Round(1000*float64(c.complete)/(float64(len(c.quantities))*to.Sub(from).Hours())) / 10
	if gaps := report.Gaps(c.ends, from, to); gaps != nil {
		row.Off = gaps
	}
	return row
}
