package tides

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/influx"
)

// Spans of a service date, from its 00:00:00 on. Trips may begin before it, and run past midnight.
const (
	readBefore = 4 * time.Hour
	readyAfter = 30 * time.Hour // when its tables are there: at 6 in the next morning
	readUntil  = 36 * time.Hour // until which its trips may run
)

// query is a request for what happened on a service date.
type query struct {
	date     gtfs.Date
	zone     *time.Location   // of the timetable
	net      *network.Network // the timetable in use; nil if none is loaded
	agencies []string         // none: all
	agency   string           // that was asked for; "" for none
	until    time.Time        // nothing later is read
}

// query reads the path and the parameters of a request.
func (h *Handler) query(r *http.Request) (*query, error) {
	text, err := rest.PathID(r, "date")
	if err != nil {
		return nil, err
	}
	p := rest.ReadQuery(r, "agency")
	q := &query{agency: p.Text("agency"), agencies: rest.ScopeOf(r).Limits().Agencies}
	q.net, q.zone = h.timetable()
	now := h.Clock.Now()
	day, err := time.ParseInLocation(time.DateOnly, text, q.zone)
	if q.date = gtfs.DateOf(day); err != nil || day.Before(rest.FirstTime) || now.Before(q.begin().Add(readyAfter)) {
		p.Fail("date", "must be a service date, as in 2026-02-16, at or after 06:00 of the next day, got %q", text)
	}
	if p.Err != nil {
		return nil, p.Err
	}
	if q.agency != "" {
		if !rest.ScopeOf(r).Agency(q.agency) {
			return nil, nhip.Errorf(nhip.CodeNotFound, "agency", "there is no agency %q", q.agency)
		}
		q.agencies = []string{q.agency}
	}
	if q.until = q.begin().Add(readUntil); q.until.After(now) {
		q.until = now
	}
	return q, nil
}

// timetable returns the timetable in use and its time zone; without one, nil and the time zone of the city.
func (h *Handler) timetable() (*network.Network, *time.Location) {
	if t, err := h.Transit.Timetable(); err == nil && len(t.Network.Feed.Agencies) > 0 {
		return t.Network, t.Network.Location()
	}
	return nil, h.Live.Zone("")
}

// begin returns 00:00:00 of the service date.
func (q *query) begin() time.Time { return q.date.At(0, q.zone) }

// arrivals returns the query of all arrivals that may belong to the service date.
func (q *query) arrivals() influx.TravelQuery { return q.travels(q.begin().Add(-readBefore), q.until) }

// travels returns the query of a span, its first moment included.
func (q *query) travels(from, to time.Time) influx.TravelQuery {
	return influx.TravelQuery{From: from.Add(-time.Millisecond), To: to, Agencies: q.agencies}
}

// name returns the name of the package, and of its files without their table.
func (q *query) name() string {
	if q.agency != "" {
		return q.day() + "-" + q.agency
	}
	return q.day()
}

// day returns the service date as in 2026-02-16.
func (q *query) day() string { return q.begin().Add(readUntil / 3).In(q.zone).Format(time.DateOnly) }
