package open311

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"nhip"
	"nhip/api/air"
	"nhip/api/encode"
	"nhip/api/live"
	"nhip/api/transit"
	"nhip/geo/gtfs"
	"nhip/geo/index"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Surroundings are the models that know what is around a report.
type Surroundings struct {
	Transit *transit.Model
	Air     *air.Model
	Live    *live.State
}

// Distances within which a report belongs to a stop or a bus, m.
const (
	nearStop = 500
	nearBus  = 150
)

// grid is the step to which a position is rounded if no stop is near, degrees: about 500 m.
const grid = 0.005

// readTime is how long the past is read for one report. What it does not give in time is missing.
const readTime = 2 * time.Second

// enrich returns a report of a submission: at the position that may be kept, with what is known of the place and the
// minute. The sender's own position does not stay if it may not be kept: not in distances, either.
func (s Surroundings) enrich(ctx context.Context, in *submission, now time.Time) (*nhip.CitizenReport, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	r := &nhip.CitizenReport{
		Service: in.service.Code, Status: nhip.ReportOpen, Received: now, Updated: now, At: in.at,
		Text: in.text, Attributes: in.attributes, MediaURL: in.mediaURL,
	}
	stop, err := s.namedStop(in)
	if err != nil {
		return nil, err
	}
	buses := s.busesAt(ctx, in.at, now)
	bus := namedBus(buses, in, stop)
	place, ok := s.place(r, in, stop, bus)
	if !ok {
		r.Known.Agency = in.agency
		return r, nil
	}
	if bus == nil {
		bus = nearestBus(buses, in, place)
	}
	s.addTransit(r, stop, bus, place, in.bus != "")
	r.Known.Agency = cmp.Or(s.agency(in, stop, bus), in.agency)
	s.addAir(ctx, r, place)
	s.addZones(r, place)
	return r, nil
}

// namedStop returns the stop that the sender named, or else the nearest one; nil if there is none.
func (s Surroundings) namedStop(in *submission) (*gtfs.Stop, error) {
	t, err := s.Transit.Timetable()
	switch {
	case err != nil:
		return nil, nil // without a timetable there are no stops
	case in.stop != "":
		if stop := t.FindStop(in.stop); stop != nil {
			return stop, nil
		}
		return nil, nhip.Errorf(nhip.CodeInvalid, attributeField("stop"), "there is no such stop")
	case in.sender == nil:
		return nil, nil
	}
	for _, h := range t.Stops().Nearest(nil, *in.sender, 1, nearStop, nil) {
		return h.Item, nil
	}
	return nil, nil
}

// busesAt returns the buses of a moment, nil if they can't be read.
func (s Surroundings) busesAt(ctx context.Context, at, now time.Time) *index.Index[*nhip.Bus] {
	if now.Sub(at) < time.Minute {
		return s.Live.Buses()
	}
	fleet, err := s.Live.FleetAt(ctx, at)
	if err != nil {
		return nil
	}
	return fleet.Buses
}

// namedBus returns the bus that the sender named by its id, agency/id or plate: of several the one nearest to the
// sender or the stop, and none if neither is known.
func namedBus(buses *index.Index[*nhip.Bus], in *submission, stop *gtfs.Stop) *nhip.Bus {
	if buses == nil || in.bus == "" {
		return nil
	}
	want := plain(in.bus)
	named := func(b **nhip.Bus) bool {
		id := (*b).ID
		return in.bus == id || in.bus == (*b).Agency+"/"+id || want != "" && (want == plain((*b).Plate) || want == plain(id))
	}
	var from orb.Point
	switch {
	case in.sender != nil:
		from = *in.sender
	case stop != nil:
		from = stop.Point
	}
	hits := buses.Nearest(nil, from, 2, math.Inf(1), named)
	if len(hits) == 0 || len(hits) > 1 && from == (orb.Point{}) {
		return nil
	}
	return hits[0].Item
}

// plain returns the letters and digits of a plate, in capitals: people write 29B-123.45 as they like.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

// place decides at which position a report is kept, and reports whether there is one.
func (s Surroundings) place(r *nhip.CitizenReport, in *submission, stop *gtfs.Stop, bus *nhip.Bus) (orb.Point, bool) {
	var at orb.Point
	switch {
	case in.own && in.sender != nil:
		at, r.Place = *in.sender, nhip.ReportAtSender
	case stop != nil && (in.stop != "" || bus == nil):
		at, r.Place = stop.Point, nhip.ReportAtStop
	case bus != nil:
		at, r.Place = bus.Point(), nhip.ReportAtBus
	case in.sender != nil:
		at, r.Place = orb.Point{coarse(in.sender.Lon()), coarse(in.sender.Lat())}, nhip.ReportNearby
	default:
		return at, false
	}
	r.Lon, r.Lat = nhip.Some(encode.Round(at.Lon(), 1e6)), nhip.Some(encode.Round(at.Lat(), 1e6))
	return at, true
}

// coarse rounds degrees to the grid.
func coarse(degrees float64) float64 { return math.Round(degrees/grid) * grid }

// nearestBus returns the bus nearest to a place, of the line if one is named; nil if none is near.
func nearestBus(buses *index.Index[*nhip.Bus], in *submission, place orb.Point) *nhip.Bus {
	if buses == nil {
		return nil
	}
	ofLine := func(b **nhip.Bus) bool { return in.line == "" || strings.EqualFold((*b).Line, in.line) }
	for _, h := range buses.Nearest(nil, place, 1, nearBus, ofLine) {
		return h.Item
	}
	return nil
}

func (s Surroundings) addTransit(r *nhip.CitizenReport, stop *gtfs.Stop, bus *nhip.Bus, place orb.Point, named bool) {
	if t, err := s.Transit.Timetable(); err == nil && stop != nil {
		ref := t.StopRef(stop)
		r.Known.Stop = &nhip.ReportStop{
			ID: ref.ID, Name: ref.Name, Distance: nhip.Some(math.Round(geo.DistanceHaversine(place, stop.Point))),
		}
	}
	if bus == nil {
		return
	}
	r.Known.Bus = &nhip.ReportBus{
		Agency: bus.Agency, ID: bus.ID, Plate: bus.Plate, Route: bus.Route, Line: bus.Line, Headsign: bus.Headsign,
		Trip: bus.Trip, Occupancy: bus.Occupancy, Time: bus.Time, Named: named,
		Distance: nhip.Some(math.Round(geo.DistanceHaversine(place, bus.Point()))),
	}
}

// agency returns the agency that a report concerns: that of the bus or line named, or else of all lines at the stop, or
// else of the nearest bus; "" if it is not clear.
func (s Surroundings) agency(in *submission, stop *gtfs.Stop, bus *nhip.Bus) string {
	if bus != nil && in.bus != "" {
		return bus.Agency
	}
	t, err := s.Transit.Timetable()
	if err == nil && stop != nil {
		ids := make(map[string]bool)
		for _, c := range t.Network.CallsAt(stop) {
			if r := c.Pattern.Route; r.Agency != nil && (in.line == "" || strings.EqualFold(transit.LineOf(r), in.line)) {
				ids[r.Agency.ID] = true
			}
		}
		if len(ids) == 1 {
			return slices.Collect(maps.Keys(ids))[0]
		}
	}
	if bus != nil {
		return bus.Agency
	}
	return ""
}

// addAir adds the estimate of the hour, and the nearest monitor.
func (s Surroundings) addAir(ctx context.Context, r *nhip.CitizenReport, place orb.Point) {
	snapshot, err := s.Air.At(ctx, r.At)
	if err != nil {
		return
	}
	nearest := math.Inf(1)
	for i := range snapshot.Stations {
		x := &snapshot.Stations[i]
		if p, placed := x.Point(); placed && !x.Mobile {
			if d := geo.DistanceHaversine(place, p); d < nearest {
				nearest, r.Known.Station, r.Known.Area = d, x.ID, x.Area
			}
		}
	}
	here, blank := snapshot.Field(nhip.ScaleVNAQI).At(place)
	if blank != "" {
		return
	}
	r.Known.Air = &nhip.ReportAir{
		Time: snapshot.End, Scale: nhip.ScaleVNAQI, Value: here.Index.Value, Category: here.Category,
		Dominant: here.Dominant, Values: make(map[nhip.Quantity]float64),
	}
	for _, a := range here.Averages {
		if _, known := r.Known.Air.Values[a.Average.Quantity]; !known {
			r.Known.Air.Values[a.Average.Quantity] = encode.Round(a.Concentration.Value, 10)
		}
	}
}

// maxZones bounds the zones of a report.
const maxZones = 20

func (s Surroundings) addZones(r *nhip.CitizenReport, place orb.Point) {
	for _, z := range s.Air.ZoneSet().All(r.At) {
		if z.Bound().Contains(place) && z.Contains(place) && len(r.Known.Zones) < maxZones {
			r.Known.Zones = append(r.Known.Zones, nhip.ReportZone{ID: z.Kind + "/" + z.ID, Name: z.Name})
		}
	}
}
