package v1

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/places"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/internal/topics"

	"github.com/go-chi/chi/v5"
)

// noon is the time of the tests' state.
var noon = livetest.Noon

// eight is 08:00 in Hanoi on the day of the test timetable.
var eight = time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone)

// emptyHistory is a history without rows.
type emptyHistory struct{}

func (emptyHistory) Stations(context.Context) ([]string, error) { return nil, nil }

func (emptyHistory) AgencySpans(context.Context, string, func(nhip.AgencySpan) error) error {
	return nil
}

func (emptyHistory) StationSpans(context.Context, func(nhip.StationSpan) error) error { return nil }

func (emptyHistory) Fleet(context.Context, time.Time, time.Time, func(nhip.Position) error) error {
	return nil
}

func (emptyHistory) Arrivals(context.Context, time.Time, time.Time, func(nhip.Arrival) error) error {
	return nil
}

func (emptyHistory) HourlyRollups(context.Context, time.Time, time.Time, func(*nhip.Rollup) error) error {
	return nil
}

func (emptyHistory) StationReadings(
	context.Context, string, time.Time, time.Time, func(*nhip.AssessedReading) error,
) error {
	return nil
}

// server is a Handler of /v1 with its models.
type server struct {
	http.Handler
	live    *live.State
	transit *transit.Model
	clock   *livetest.Clock
}

// options of a server.
type options struct {
	now       time.Time
	timetable *network.Network
}

// newServer returns a server with an empty state, at noon.
func newServer(t testing.TB, change ...func(*options)) *server {
	t.Helper()
	o := options{now: noon}
	for _, c := range change {
		c(&o)
	}
	clock, log := livetest.NewClock(o.now), slog.New(slog.DiscardHandler)
	tm := transit.New(transit.Options{Clock: clock, History: emptyHistory{}, Network: o.timetable, Logger: log})
	state := live.New(live.Options{Clock: clock, History: emptyHistory{}, LineOf: tm.Line, Logger: log})
	am := air.New(air.Options{
		Clock: clock, State: state, History: emptyHistory{}, Interval: time.Nanosecond, Logger: log, // messages show at once
	})
	t.Cleanup(am.Close)
	t.Cleanup(state.Close)
	state.Observe(tm)
	state.Observe(am)
	stations := catalog.New(state, emptyHistory{}, log)
	t.Cleanup(stations.Close)
	h := &Handler{
		Transit: tm, Air: am, Live: state, Stations: stations, Clock: clock, Places: places.New(nil, nil, state),
		Responder: rest.Responder{Logger: log, Ready: func() bool { return true }},
	}
	r := chi.NewRouter()
	h.Routes(r)
	return &server{r, state, tm, clock}
}

// newTransitServer returns a server, at eight, with a line of 21 stops and a departure every 15 minutes.
func newTransitServer(t *testing.T) (*server, *network.Network) {
	t.Helper()
	n := network.New(geotest.Line(21, 15*time.Minute))
	return newServer(t, func(o *options) { o.now, o.timetable = eight.UTC(), n }), n
}

// addBus passes a bus to a server's state. Its agency is hanoi and its time noon unless it has others.
func addBus(t testing.TB, a *server, b nhip.Bus) {
	t.Helper()
	if b.Agency == "" {
		b.Agency = "hanoi"
	}
	if b.Time.IsZero() {
		b.Time = noon
	}
	livetest.Receive(t, a.live, topics.LiveBusTopic(b.Agency, b.ID), b)
}
