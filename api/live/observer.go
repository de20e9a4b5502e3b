package live

import "nhip"

// Observer is notified of changes of a State. Its methods run in the goroutine that delivers the messages and must not
// block. Buses and stations are shared and must not be changed.
type Observer interface {
	// Bus reports a new state of a bus.
	Bus(topic string, b *nhip.Bus)
	// BusGone reports that a bus has left the state.
	BusGone(topic, agency, id string)
	// Station reports a new state of a station.
	Station(topic string, s *nhip.Station)
	// StationGone reports that a station has left the state.
	StationGone(topic, id string)
	// Arrival reports an arrival of a bus at a stop.
	Arrival(a *nhip.Arrival)
	// Service reports what a realtime feed says of its trips and alerts: a *nhip.ServiceFeed, a *nhip.TripUpdate or a
	// *nhip.ServiceAlert, or nil where it says so no longer.
	Service(topic string, state any)
}

// Ignore implements Observer and does nothing. Observers embed it for the changes that do not concern them.
type Ignore struct{}

// Bus does nothing.
func (Ignore) Bus(string, *nhip.Bus) {}

// BusGone does nothing.
func (Ignore) BusGone(string, string, string) {}

// Station does nothing.
func (Ignore) Station(string, *nhip.Station) {}

// StationGone does nothing.
func (Ignore) StationGone(string, string) {}

// Arrival does nothing.
func (Ignore) Arrival(*nhip.Arrival) {}

// Service does nothing.
func (Ignore) Service(string, any) {}
