package gtfsrttest

import (
	"regexp"
	"slices"
	"time"

	static "nhip/geo/gtfs"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
)

var startTime = regexp.MustCompile(`^[0-9]{1,2}:[0-5][0-9]:[0-5][0-9]$`)

// descriptor checks a trip descriptor and returns the trip that it names, nil if the timetable does not have it.
func (c *checker) descriptor(id string, d *gtfs.TripDescriptor) *static.Trip {
	if d == nil {
		return nil
	}
	added := d.GetScheduleRelationship() == gtfs.TripDescriptor_ADDED
	trip := c.feed.Trip(d.GetTripId())
	c.when(d.GetTripId() != "" && trip == nil && !added, "E003", "%s: trip %q", id, d.GetTripId())
	c.when(trip != nil && added, "E016", "%s: trip %q", id, d.GetTripId())
	c.when(d.GetRouteId() != "" && c.feed.Route(d.GetRouteId()) == nil, "E004", "%s: route %q", id, d.GetRouteId())
	c.when(d.GetStartTime() != "" && !startTime.MatchString(d.GetStartTime()), "E020", "%s: %q", id, d.GetStartTime())
	if day := d.GetStartDate(); day != "" {
		_, err := time.Parse("20060102", day)
		c.when(err != nil, "E021", "%s: %q", id, day)
	}
	if trip == nil {
		return nil
	}
	c.when(d.RouteId != nil && d.GetRouteId() != trip.Route.ID, "E035", "%s: route %q", id, d.GetRouteId())
	direction, known := trip.Direction.Get()
	c.when(known && d.DirectionId != nil && int(d.GetDirectionId()) != direction, "E024", "%s", id)
	c.start(id, d, trip)
	return trip
}

// start checks when a trip starts, which only trips of frequencies tell.
func (c *checker) start(id string, d *gtfs.TripDescriptor, trip *static.Trip) {
	given := d.GetStartTime()
	if len(trip.Frequencies) == 0 {
		first := trip.StopTimes[0].Arrival.String()
		c.when(given != "" && given != first, "E023", "%s: %q, the timetable says %q", id, given, first)
		return
	}
	exact := trip.Frequencies[0].Exact
	if !exact {
		c.when(given == "" || d.GetStartDate() == "", "E006", "%s", id)
		c.when(d.ScheduleRelationship != nil && d.GetScheduleRelationship() != gtfs.TripDescriptor_UNSCHEDULED,
			"E013", "%s: %s", id, d.GetScheduleRelationship())
		return
	}
	at, err := static.ParseTime(given)
	c.when(err != nil || !slices.ContainsFunc(trip.Frequencies, func(f static.Frequency) bool {
		return at >= f.Start && at < f.End && (at-f.Start)%f.Headway == 0
	}), "E019", "%s: %q", id, given)
}

func (c *checker) tripUpdate(id string, u *gtfs.TripUpdate) {
	trip := c.descriptor(id, u.GetTrip())
	c.present(id+" timestamp", u.GetTimestamp())
	c.when(trip != nil && len(trip.Frequencies) > 0 && !trip.Frequencies[0].Exact && u.GetVehicle().GetId() == "",
		"W005", "%s", id)
	canceled := u.GetTrip().GetScheduleRelationship() == gtfs.TripDescriptor_CANCELED
	c.when(len(u.GetStopTimeUpdate()) == 0 && !canceled, "E041", "%s", id)
	twice := trip != nil && callsTwice(trip)
	times, at := risingTimes{}, -1
	for i, s := range u.GetStopTimeUpdate() {
		c.stop(id, s)
		times.check(c, id, s)
		c.when(twice && s.StopSequence == nil, "E009", "%s", id)
		if i > 0 {
			c.neighbours(id, u.GetStopTimeUpdate()[i-1], s)
		}
		if trip != nil {
			at = c.call(id, trip, s, at)
		}
	}
}

func callsTwice(trip *static.Trip) bool {
	seen := make(map[*static.Stop]bool)
	for _, s := range trip.StopTimes {
		if seen[s.Stop] {
			return true
		}
		seen[s.Stop] = true
	}
	return false
}

// stop checks a stop time update by itself.
func (c *checker) stop(id string, s *gtfs.TripUpdate_StopTimeUpdate) {
	c.stopID(id, s.GetStopId(), true)
	c.when(s.StopId == nil && s.StopSequence == nil, "E040", "%s", id)
	none := s.Arrival == nil && s.Departure == nil
	switch s.GetScheduleRelationship() {
	case gtfs.TripUpdate_StopTimeUpdate_SKIPPED:
		return
	case gtfs.TripUpdate_StopTimeUpdate_NO_DATA:
		c.when(!none, "E042", "%s stop %s", id, s.GetStopId())
		return
	}
	c.when(none, "E043", "%s stop %s", id, s.GetStopId())
	for _, e := range []*gtfs.TripUpdate_StopTimeEvent{s.Arrival, s.Departure} {
		if e != nil {
			c.when(e.Time == nil && e.Delay == nil, "E044", "%s stop %s", id, s.GetStopId())
			c.stamp(id, uint64(e.GetTime()))
		}
	}
	c.when(s.Arrival.GetTime() != 0 && s.Departure.GetTime() != 0 && s.Departure.GetTime() < s.Arrival.GetTime(),
		"E025", "%s stop %s", id, s.GetStopId())
}

// stopID checks that a stop exists. Alerts may name stations.
func (c *checker) stopID(id, stop string, platform bool) {
	if stop == "" {
		return
	}
	s := c.feed.Stop(stop)
	c.when(s == nil, "E011", "%s: stop %q", id, stop)
	c.when(platform && s != nil && s.LocationType != static.LocationPlatform, "E015", "%s: stop %q", id, stop)
}

// neighbours checks a stop time update and the one before it.
func (c *checker) neighbours(id string, a, b *gtfs.TripUpdate_StopTimeUpdate) {
	c.when(a.StopSequence != nil && b.StopSequence != nil && a.GetStopSequence() == b.GetStopSequence(), "E036", "%s", id)
	c.when(a.GetStopId() != "" && a.GetStopId() == b.GetStopId(), "E037", "%s stop %s", id, a.GetStopId())
	c.when(a.StopSequence != nil && b.StopSequence != nil && a.GetStopSequence() > b.GetStopSequence(), "E002", "%s", id)
}

// call finds the call of a stop time update after the one before it, and returns its index.
func (c *checker) call(id string, trip *static.Trip, s *gtfs.TripUpdate_StopTimeUpdate, before int) int {
	if s.StopSequence == nil {
		for i := before + 1; i < len(trip.StopTimes); i++ {
			if trip.StopTimes[i].Stop.ID == s.GetStopId() {
				return i
			}
		}
		c.add("E002", "%s: stop %s is not among the next ones", id, s.GetStopId())
		return before
	}
	i := slices.IndexFunc(trip.StopTimes, func(t static.StopTime) bool {
		return uint32(t.Sequence) == s.GetStopSequence()
	})
	if i < 0 {
		c.add("E051", "%s: stop_sequence %d", id, s.GetStopSequence())
		return before
	}
	c.when(s.GetStopId() != "" && trip.StopTimes[i].Stop.ID != s.GetStopId(), "E045",
		"%s: stop_sequence %d is not stop %s", id, s.GetStopSequence(), s.GetStopId())
	return i
}

// risingTimes checks that times rise from stop to stop (E022).
type risingTimes struct{ arrival, departure int64 }

func (r *risingTimes) check(c *checker, id string, s *gtfs.TripUpdate_StopTimeUpdate) {
	last := max(r.arrival, r.departure)
	for _, at := range []int64{s.Arrival.GetTime(), s.Departure.GetTime()} {
		c.when(at != 0 && at <= last, "E022", "%s stop %s: %d after %d", id, s.GetStopId(), at, last)
	}
	r.arrival, r.departure = max(s.Arrival.GetTime(), r.arrival), max(s.Departure.GetTime(), r.departure)
}
