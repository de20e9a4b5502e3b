package sta

import (
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/internal/influx"
)

// entity is an entity of any kind.
type entity struct {
	kind     *kind
	id       string
	station  *nhip.Station // nil for an observed property
	quantity nhip.Quantity // of a datastream, an observed property and an observation
	stream   *datastream   // of a datastream
	reading  *observation  // of an observation
}

// observation is a reading at a level.
type observation struct {
	nhip.AssessedReading
	level    nhip.Quality
	flag     nhip.Flag
	reviewed bool // whether a reviewer decided its flag
	result   any  // float64, nil if the reading failed the checks
}

// kind is a kind of entities.
type kind struct {
	name, set  string
	properties func(e *entity) object
	relations  []relation
	all        func(c *city) []*entity          // nil for observations
	one        func(c *city, id string) *entity // nil if there is none; nil for observations
	names      []string                         // of the properties
}

// relation leads from an entity to others. follow is nil where it leads to observations.
type relation struct {
	name   string
	to     *kind
	single bool
	follow func(c *city, e *entity) []*entity
}

// object is a structure whose members have an order.
type object []member

type member struct {
	name  string
	value any // nil, bool, float64, string, time.Time, interval, orb.Geometry, object, []string
}

// interval is the time from the begin to the end of an averaging period.
type interval struct{ from, to time.Time }

func (k *kind) relation(name string) *relation {
	for i := range k.relations {
		if k.relations[i].name == name {
			return &k.relations[i]
		}
	}
	return nil
}

// The kinds of entities.
var (
	things       = &kind{name: "Thing", set: "Things", names: []string{"name", "description", "properties"}}
	locations    = &kind{name: "Location", set: "Locations", names: featureNames("location")}
	pastPlaces   = &kind{name: "HistoricalLocation", set: "HistoricalLocations", names: []string{"time"}}
	datastreams  = &kind{name: "Datastream", set: "Datastreams"}
	sensors      = &kind{name: "Sensor", set: "Sensors", names: featureNames("metadata")}
	observedProp = &kind{
		name: "ObservedProperty", set: "ObservedProperties", names: []string{"name", "definition", "description"},
	}
	observations = &kind{name: "Observation", set: "Observations", names: []string{
		"phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters",
	}}
	features = &kind{name: "FeatureOfInterest", set: "FeaturesOfInterest", names: featureNames("feature")}

	kinds = []*kind{
		things, locations, pastPlaces, datastreams, sensors, observedProp, observations, features,
	}
)

func featureNames(last string) []string { return []string{"name", "description", "encodingType", last} }

// init connects the kinds, which refer to one another.
func init() {
	datastreams.names = []string{
		"name", "description", "observationType", "unitOfMeasurement", "observedArea", "phenomenonTime", "resultTime",
		"properties",
	}
	thing := relation{"Thing", things, true, ofStation(things)}
	places := relation{"Locations", locations, false, ofStation(locations)}
	past := relation{"HistoricalLocations", pastPlaces, false, ofStation(pastPlaces)}
	streams := relation{"Datastreams", datastreams, false, streamsOf}
	readings := relation{name: "Observations", to: observations}
	things.relations = []relation{streams, past, places}
	locations.relations = []relation{past, {"Things", things, false, ofStation(things)}}
	pastPlaces.relations = []relation{places, thing}
	datastreams.relations = []relation{
		thing,
		{"Sensor", sensors, true, ofStation(sensors)},
		{"ObservedProperty", observedProp, true, func(c *city, e *entity) []*entity {
			return some(observedProp.one(c, string(e.quantity)))
		}},
		readings,
	}
	sensors.relations = []relation{streams}
	observedProp.relations = []relation{streams}
	observations.relations = []relation{
		{"Datastream", datastreams, true, func(c *city, e *entity) []*entity {
			return some(datastreams.one(c, streamID(e.station.ID, e.quantity)))
		}},
		{"FeatureOfInterest", features, true, ofStation(features)},
	}
	features.relations = []relation{readings}
	for _, k := range []*kind{things, sensors, features} {
		perStation(k, func(*nhip.Station) bool { return true })
	}
	for _, k := range []*kind{locations, pastPlaces} {
		perStation(k, func(s *nhip.Station) bool { _, ok := s.Point(); return ok })
	}
	connectSeries()
	things.properties, locations.properties, pastPlaces.properties = thingOf, locationOf, pastPlaceOf
	datastreams.properties, sensors.properties, observedProp.properties = datastreamOf, sensorOf, quantityOf
	observations.properties, features.properties = observationOf, featureOf
}

// perStation lets a kind have an entity for each station with a property; it has the station's id.
func perStation(k *kind, has func(*nhip.Station) bool) {
	k.one = func(c *city, id string) *entity {
		s := c.byID[id]
		if s == nil || !has(s) {
			return nil
		}
		return &entity{kind: k, id: id, station: s}
	}
	k.all = func(c *city) (out []*entity) {
		for _, s := range c.stations {
			if has(s) {
				out = append(out, &entity{kind: k, id: s.ID, station: s})
			}
		}
		return out
	}
}

// connectSeries lets datastreams and observed properties be found.
func connectSeries() {
	datastreams.all = func(c *city) (out []*entity) {
		for _, s := range c.stations {
			out = append(out, streamsOf(c, &entity{station: s})...)
		}
		return out
	}
	datastreams.one = func(c *city, id string) *entity {
		key := readStreamID(id)
		if d := c.stream(key.Station, key.Quantity); d != nil {
			return streamEntity(d)
		}
		return nil
	}
	observedProp.all = func(c *city) (out []*entity) {
		for _, q := range c.quantities {
			out = append(out, &entity{kind: observedProp, id: string(q), quantity: q})
		}
		return out
	}
	observedProp.one = func(c *city, id string) *entity {
		for _, q := range c.quantities {
			if string(q) == id {
				return &entity{kind: observedProp, id: id, quantity: q}
			}
		}
		return nil
	}
}

func streamEntity(d *datastream) *entity {
	return &entity{
		kind: datastreams, id: streamID(d.station.ID, d.quantity), station: d.station, quantity: d.quantity, stream: d,
	}
}

// ofStation follows a relation to the entity of a kind that has the station's id.
func ofStation(k *kind) func(c *city, e *entity) []*entity {
	return func(c *city, e *entity) []*entity { return some(k.one(c, e.station.ID)) }
}

// streamsOf returns the datastreams of a station or of a quantity.
func streamsOf(c *city, e *entity) (out []*entity) {
	if e.station != nil {
		for _, d := range c.streams[e.station.ID] {
			out = append(out, streamEntity(d))
		}
		return out
	}
	for _, s := range c.stations {
		if d := c.stream(s.ID, e.quantity); d != nil {
			out = append(out, streamEntity(d))
		}
	}
	return out
}

func some(e *entity) []*entity {
	if e == nil {
		return nil
	}
	return []*entity{e}
}

// readingKey identifies a reading.
type readingKey struct {
	influx.Series
	period string
	ms     int64
}

func (k readingKey) id() string {
	return streamID(k.Station, k.Quantity) + ":" + k.period + ":" + strconv.FormatInt(k.ms, 10)
}

func keyOf(r *nhip.Reading) readingKey {
	return readingKey{
		influx.Series{Station: r.Station, Quantity: r.Quantity},
		nhip.FormatPeriod(r.Period),
		r.Time.UnixMilli(),
	}
}

// readReadingID reads the id of an observation: station:quantity:period:ms.
func readReadingID(id string) (k readingKey, ok bool) {
	head, ms, ok1 := cutLast(id)
	head, period, ok2 := cutLast(head)
	station, quantity, ok3 := cutLast(head)
	at, err := strconv.ParseInt(ms, 10, 64)
	k = readingKey{influx.Series{Station: station, Quantity: nhip.Quantity(quantity)}, period, at}
	return k, ok1 && ok2 && ok3 && err == nil && k.Quantity.Known() && nhip.CheckID("id", station) == nil && saneTime(at)
}

// saneTime reports whether a time, in ms since 1970, may be one of a reading.
func saneTime(ms int64) bool { return ms > 0 && ms < 7_000_000_000_000 }

func cutLast(s string) (head, last string, ok bool) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return "", "", false
	}
	return s[:at], s[at+1:], true
}
