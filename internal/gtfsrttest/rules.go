// Package gtfsrttest checks GTFS-realtime feeds by the rules of MobilityData's validator, for tests: E001 to E052 are
// errors, W001 to W009 warnings. Rules that the validator itself does not execute (E005, E007, E008, E010, E014) are
// left out.
package gtfsrttest

import (
	"fmt"
	"math"
	"slices"
	"time"

	static "nhip/geo/gtfs"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/paulmach/orb"
	"google.golang.org/protobuf/proto"
)

// Finding is a violation of a rule.
type Finding struct {
	Rule   string // as in E022 or W001
	Detail string
}

// Error reports whether the finding is an error rather than a warning.
func (f Finding) Error() bool { return f.Rule[0] == 'E' }

// Feeds are the messages of one moment.
type Feeds struct {
	TripUpdates, Vehicles, Alerts *gtfs.FeedMessage
}

func (f *Feeds) all() []*gtfs.FeedMessage {
	return slices.DeleteFunc([]*gtfs.FeedMessage{f.TripUpdates, f.Vehicles, f.Alerts}, func(m *gtfs.FeedMessage) bool {
		return m == nil
	})
}

// Check returns all findings. before are the messages of the moment before, nil if there are none; a zero now leaves
// out the rules about the present.
func Check(feed *static.Feed, f, before *Feeds, now time.Time) []Finding {
	c := &checker{feed: feed, now: now, alerts: f.Alerts}
	c.bounds = feed.Bounds()
	for _, m := range f.all() {
		c.header(m)
		c.warnOfMissing(m)
		for _, e := range m.GetEntity() {
			c.entity(m, e)
		}
	}
	c.uniqueVehicles(f.Vehicles)
	c.pairs(f)
	if before != nil {
		c.sequence(before.TripUpdates, f.TripUpdates)
		c.sequence(before.Vehicles, f.Vehicles)
		c.sequence(before.Alerts, f.Alerts)
	}
	return c.found
}

// checker collects findings.
type checker struct {
	feed   *static.Feed
	now    time.Time
	alerts *gtfs.FeedMessage
	bounds orb.Bound
	found  []Finding
}

func (c *checker) add(rule, format string, args ...any) {
	c.found = append(c.found, Finding{rule, fmt.Sprintf(format, args...)})
}

func (c *checker) when(bad bool, rule, format string, args ...any) {
	if bad {
		c.add(rule, format, args...)
	}
}

// Times of E001 and E050.
const (
	firstTime       = 1_104_537_600
	lastTime        = 1_991_620_134
	futureTolerance = 60
)

// stamp checks a time that may be absent.
func (c *checker) stamp(what string, at uint64) {
	c.when(at != 0 && (at < firstTime || at > lastTime), "E001", "%s is %d", what, at)
}

// present checks a time that must not be in the future.
func (c *checker) present(what string, at uint64) {
	c.stamp(what, at)
	c.when(!c.now.IsZero() && at > uint64(c.now.Unix()+futureTolerance), "E050", "%s is %d", what, at)
}

func (c *checker) header(m *gtfs.FeedMessage) {
	h := m.GetHeader()
	version := h.GetGtfsRealtimeVersion()
	c.when(version != "" && version != "1.0" && version != "2.0", "E038", "version %q", version)
	c.present("header.timestamp", h.GetTimestamp())
	c.when(version != "1.0" && h.GetTimestamp() == 0, "E048", "header.timestamp is missing")
	c.when(version == "1.0" && h.GetTimestamp() == 0, "W001", "header.timestamp is missing")
	c.when(version != "1.0" && (h == nil || h.Incrementality == nil), "E049", "incrementality is missing")
	c.when(!c.now.IsZero() && h.GetTimestamp()+65 < uint64(c.now.Unix()), "W008", "header is of %d", h.GetTimestamp())
}

func (c *checker) entity(m *gtfs.FeedMessage, e *gtfs.FeedEntity) {
	full := m.GetHeader().GetIncrementality() == gtfs.FeedHeader_FULL_DATASET
	c.when(full && e.IsDeleted != nil, "E039", "%s has is_deleted", e.GetId())
	of := m.GetHeader().GetTimestamp()
	if u := e.GetTripUpdate(); u != nil {
		c.when(of != 0 && u.GetTimestamp() > of, "E012", "trip update %s is newer than the header", e.GetId())
		c.tripUpdate(e.GetId(), u)
	}
	if v := e.GetVehicle(); v != nil {
		c.when(of != 0 && v.GetTimestamp() > of, "E012", "vehicle %s is newer than the header", e.GetId())
		c.vehicle(e.GetId(), v)
	}
	if a := e.GetAlert(); a != nil {
		c.alert(e.GetId(), a)
	}
}

// sequence checks two messages of one feed, of which the second follows the first.
func (c *checker) sequence(before, after *gtfs.FeedMessage) {
	if before == nil || after == nil {
		return
	}
	a, b := before.GetHeader().GetTimestamp(), after.GetHeader().GetTimestamp()
	c.when(b < a, "E018", "header.timestamp went from %d to %d", a, b)
	c.when(b > a+35, "W007", "%d s between two messages", b-a)
	same := proto.Equal(&gtfs.FeedMessage{Header: before.Header, Entity: before.Entity},
		&gtfs.FeedMessage{Header: before.Header, Entity: after.Entity})
	c.when(a == b && !same, "E017", "the content changed and header.timestamp %d did not", a)
}

// uniqueVehicles checks that no vehicle has two positions.
func (c *checker) uniqueVehicles(m *gtfs.FeedMessage) {
	seen := make(map[string]bool)
	for _, e := range m.GetEntity() {
		id := e.GetVehicle().GetVehicle().GetId()
		c.when(id != "" && seen[id], "E052", "vehicle %s has two positions", id)
		seen[id] = true
	}
}

// pairs checks that trip updates and vehicle positions agree on which vehicle serves which trip.
func (c *checker) pairs(f *Feeds) {
	if len(f.TripUpdates.GetEntity()) == 0 || len(f.Vehicles.GetEntity()) == 0 {
		return
	}
	updates, positions := newPairing(), newPairing()
	for _, e := range f.TripUpdates.GetEntity() {
		updates.add(e.GetTripUpdate().GetTrip(), e.GetTripUpdate().GetVehicle())
	}
	for _, e := range f.Vehicles.GetEntity() {
		positions.add(e.GetVehicle().GetTrip(), e.GetVehicle().GetVehicle())
	}
	for trip, vehicle := range updates.vehicleOf {
		other := positions.vehicleOf[trip]
		c.when(vehicle != "" && other != "" && vehicle != other, "E047", "trip %s: vehicles %s, %s", trip, vehicle, other)
	}
	for vehicle, trip := range updates.tripOf {
		other := positions.tripOf[vehicle]
		c.when(other != "" && trip != other, "E047", "vehicle %s has trips %s and %s", vehicle, trip, other)
	}
	c.onlyIn("vehicle positions", updates, positions)
	c.onlyIn("trip updates", positions, updates)
}

func (c *checker) onlyIn(missing string, a, b pairing) {
	for trip := range a.vehicleOf {
		_, found := b.vehicleOf[trip]
		c.when(!found, "W003", "trip %s is missing in the %s", trip, missing)
	}
	for vehicle := range a.vehicles {
		c.when(!b.vehicles[vehicle], "W003", "vehicle %s is missing in the %s", vehicle, missing)
	}
}

// pairing is which vehicle serves which trip in one feed.
type pairing struct {
	vehicleOf, tripOf map[string]string
	vehicles          map[string]bool
}

func newPairing() pairing {
	return pairing{make(map[string]string), make(map[string]string), make(map[string]bool)}
}

func (p pairing) add(t *gtfs.TripDescriptor, v *gtfs.VehicleDescriptor) {
	trip := ""
	if t.GetTripId() != "" {
		trip = t.GetTripId() + " " + t.GetStartDate() + " " + t.GetStartTime()
		p.vehicleOf[trip] = v.GetId()
	}
	if id := v.GetId(); id != "" {
		p.vehicles[id] = true
		if trip != "" {
			p.tripOf[id] = trip
		}
	}
}

// warnOfMissing finds fields that should be there (W001, W002, W006, W009).
func (c *checker) warnOfMissing(m *gtfs.FeedMessage) {
	for _, e := range m.GetEntity() {
		u, v := e.GetTripUpdate(), e.GetVehicle()
		c.when(u != nil && u.GetTimestamp() == 0 || v != nil && v.GetTimestamp() == 0, "W001", "%s", e.GetId())
		c.when(u != nil && u.GetVehicle().GetId() == "" || v != nil && v.GetVehicle().GetId() == "", "W002", "%s", e.GetId())
		for _, d := range []*gtfs.TripDescriptor{u.GetTrip(), v.GetTrip()} {
			c.when(d != nil && d.GetTripId() == "", "W006", "%s", e.GetId())
			c.when(d != nil && d.ScheduleRelationship == nil, "W009", "%s", e.GetId())
		}
		c.when(slices.ContainsFunc(u.GetStopTimeUpdate(), func(s *gtfs.TripUpdate_StopTimeUpdate) bool {
			return s.ScheduleRelationship == nil
		}), "W009", "%s", e.GetId())
	}
}

// Limits of positions, in m and m/s.
const (
	coverageMargin = 1609
	shapeBuffer    = 200
	maxSpeed       = 26
)

// around returns a bound with a margin in m.
func around(b orb.Bound, margin float64) orb.Bound {
	lat := margin / 111_195
	lon := lat / math.Cos(b.Center().Lat()*math.Pi/180)
	return orb.Bound{Min: orb.Point{b.Min[0] - lon, b.Min[1] - lat}, Max: orb.Point{b.Max[0] + lon, b.Max[1] + lat}}
}
