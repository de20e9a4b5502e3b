// Package citytest runs a city of buses on a timetable for tests of surfaces: a live state and a transit model with a
// clock that is stopped, whose buses are tracked as a collector does.
package citytest

import (
	"cmp"
	"context"
	"log/slog"
	"testing"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/livetest"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/geo/geotest"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/track"
	"nhip/internal/topics"
)

// Eight is 08:00 in Hanoi on the day of the timetables of geotest.
var Eight = time.Date(2026, 3, 2, 8, 0, 0, 0, geotest.TimeZone).UTC()

// noArrivals is a history without arrivals.
type noArrivals struct{}

func (noArrivals) Arrivals(context.Context, time.Time, time.Time, func(nhip.Arrival) error) error {
	return nil
}

// City is a running city.
type City struct {
	Clock     *livetest.Clock
	Live      *live.State
	Transit   *transit.Model
	Network   *network.Network
	Responder rest.Responder // of handlers of the city; it is ready

	tracker *track.Tracker
}

// New returns a city without buses.
func New(t testing.TB, feed *gtfs.Feed, now time.Time) *City {
	t.Helper()
	n, log := network.New(feed), slog.New(slog.DiscardHandler)
	c := &City{Clock: livetest.NewClock(now), Network: n, tracker: track.New(n)}
	c.Transit = transit.New(transit.Options{Clock: c.Clock, History: noArrivals{}, Network: n, Logger: log})
	c.Live = live.New(live.Options{Clock: c.Clock, Logger: log, LineOf: c.Transit.Line})
	c.Live.Observe(c.Transit)
	if err := c.Transit.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Responder = rest.Responder{Logger: log, Ready: func() bool { return true }}
	return c
}

// NewLine returns a city at Eight with a line of 21 stops and a trip each way every 15 minutes.
func NewLine(t testing.TB) (*City, *gtfs.Feed) {
	t.Helper()
	f := geotest.Line(21, 15*time.Minute)
	return New(t, f, Eight), f
}

// Move applies a position as a collector would.
func (c *City) Move(t testing.TB, p *nhip.Position) {
	t.Helper()
	at, _ := p.Point.Get()
	bus := p.Bus(at)
	bus.Agency = cmp.Or(bus.Agency, "agency")
	topic := topics.LiveBusTopic(bus.Agency, bus.ID)
	s := c.tracker.Update(topic, p, "")
	bus.Track = s.Encode()
	livetest.Receive(t, c.Live, topic, bus)
}

// Drive lets a bus of the line of NewLine report a trip for five minutes until Eight, at which it is 5.5 km along: the
// trip that departed at 07:45 is five minutes early there.
func (c *City) Drive(t testing.TB, id, trip string) {
	t.Helper()
	for s := -300; s <= 0; s += 20 {
		at := Eight.Add(time.Duration(s) * time.Second)
		c.Clock.Set(at)
		c.Move(t, &nhip.Position{
			Vehicle: id, Agency: "hanoibus", Time: at, Point: nhip.Some(geotest.At(5500 + 5*float64(s))), Trip: trip,
			StartDate: geotest.Day.String(), Occupancy: nhip.OccupancyFewSeats, Speed: nhip.Some(5.0),
		})
	}
}

// Report passes what a realtime feed of the agency HN says at Eight.
func (c *City) Report(t testing.TB, trips []nhip.TripUpdate, alerts []nhip.ServiceAlert) {
	t.Helper()
	livetest.Receive(t, c.Live, topics.ServiceFeedTopic("city"), nhip.ServiceFeed{Feed: "city", Agency: "HN", Time: Eight})
	for _, u := range trips {
		u.Feed, u.Agency, u.StartDate = "city", "HN", geotest.Day.String()
		livetest.Receive(t, c.Live, topics.ServiceTopic(topics.ServiceTrip, "city", u.Key()), u)
	}
	for _, a := range alerts {
		a.Feed, a.Agency = "city", "HN"
		livetest.Receive(t, c.Live, topics.ServiceTopic(topics.ServiceAlert, "city", a.ID), a)
	}
}
