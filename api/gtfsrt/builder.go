package gtfsrt

import (
	"time"

	"nhip/api/live"
	"nhip/api/transit"
	geogtfs "nhip/geo/gtfs"
	"nhip/geo/network"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/proto"
)

// builder makes one state of a feed.
type builder struct {
	transit  *transit.Model
	live     *live.State
	now      time.Time
	entities []entity
	newest   time.Time // of the data
}

// add adds an entity that belongs to agencies. of is the time of its data, which the header's is not before (E012).
func (b *builder) add(e *gtfs.FeedEntity, of time.Time, agencies ...string) {
	x := entity{FeedEntity: e}
	copy(x.agencies[:], agencies)
	b.entities = append(b.entities, x)
	if of = b.measured(of); of.After(b.newest) {
		b.newest = of
	}
}

// measured returns a time of data, of the future now: a device's clock may be ahead (E050).
func (b *builder) measured(t time.Time) time.Time {
	if t.After(b.now) {
		return b.now
	}
	return t
}

// feed returns the feed of the entities. Its time is that of its newest data, but later than that of the feed before it
// if the content differs (E017), and never earlier (E018).
func (b *builder) feed(before *feed) *feed {
	f := &feed{made: b.now, stamp: b.newest, entities: b.entities, forms: make(map[selection]*encoding)}
	if f.stamp.IsZero() {
		f.stamp = b.now // a feed without entities is one that says: nothing at this time
	}
	h := xxhash.New()
	for i := range b.entities {
		e := &b.entities[i]
		e.raw, _ = deterministic.Marshal(e.FeedEntity) // one that can't be encoded fails again when the feed is
		_, _ = h.Write(e.raw)                          // never fails
	}
	f.content = h.Sum64()
	if before == nil {
		return f
	}
	least := before.stamp
	if f.content != before.content {
		least = least.Add(time.Second)
	}
	if f.stamp.Before(least) {
		f.stamp = least
	}
	return f
}

// tripDescriptor describes a run of a trip of the timetable.
func tripDescriptor(inst *network.TripInstance, r gtfs.TripDescriptor_ScheduleRelationship) *gtfs.TripDescriptor {
	d := &gtfs.TripDescriptor{
		TripId: &inst.Trip.ID, RouteId: &inst.Trip.Route.ID, StartDate: proto.String(inst.Day.String()),
		ScheduleRelationship: r.Enum(),
	}
	if direction, known := inst.Trip.Direction.Get(); known {
		d.DirectionId = proto.Uint32(uint32(direction))
	}
	if len(inst.Trip.Frequencies) > 0 {
		d.StartTime = proto.String(inst.Start.String())
	}
	if inst.HeadwayBased && r == gtfs.TripDescriptor_SCHEDULED {
		d.ScheduleRelationship = gtfs.TripDescriptor_UNSCHEDULED.Enum()
	}
	return d
}

// agencyOf returns the agency of a route, "" if it has none.
func agencyOf(r *geogtfs.Route) string {
	if r == nil || r.Agency == nil {
		return ""
	}
	return r.Agency.ID
}
