package stream

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/geojson"
	"nhip/api/scope"

	"github.com/paulmach/orb"
)

// Kinds of objects, as in the events.
const (
	kindBus = "bus"
	kindAir = "air"
)

// object is a bus or a station, or one that has left the state and is still on the map of a client.
type object struct {
	slot       uint32 // its number while it exists
	topic      string // its live topic
	kind       string
	agency, id string

	bus     *nhip.Bus // of the two at most one is set: none when the object has left
	station *nhip.Station
	point   orb.Point
	placed  bool      // whether point is known
	expires time.Time // when it leaves the map if no other state follows
	expired bool      // whether the streams know that it has expired

	changed   uint64    // number of its last change
	described uint64    // number of its last change of more than a row holds
	reference *nhip.Bus // its state then
	shownBy   int       // streams that have it on their map

	plain, full encoding // its event in the plain and in the compact form
	row         []byte   // its row of a moves event; empty: not encoded yet
}

// encoding is an event that all streams share.
type encoding struct {
	event []byte
	made  time.Duration // when; 0: not yet
}

// encodingLife is how long an event may be sent again: the age that it states is that of its encoding.
const encodingLife = time.Second

// fresh reports whether the event can be sent.
func (e *encoding) fresh(at time.Duration) bool { return e.made > 0 && at-e.made < encodingLife }

// in reports whether an object is in the scope of a client.
func (o *object) in(v scope.View) bool {
	if o.kind == kindBus {
		return v.Agency(o.agency)
	}
	return o.station == nil || v.Station(o.station)
}

// concerns reports whether a change in the log is still to be sent: the object's last one, and in the compact form the
// last one of its description, because a row with its last place does not describe it.
func (o *object) concerns(c change, compact bool) bool {
	return c.number == o.changed || compact && c.number == o.described && o.present()
}

// present reports whether the object is in the state.
func (o *object) present() bool { return o.bus != nil || o.station != nil }

// aged reports whether the object is too old for the map.
func (o *object) aged(now time.Time) bool { return now.After(o.expires) }

// outdate makes the object be encoded again when a stream needs it.
func (o *object) outdate() { o.plain.made, o.full.made, o.row = 0, 0, o.row[:0] }

// appendEvent appends the object's event. All streams share one encoding, because thousands of encodings would cost
// more than an age that is a second old is worth.
func (o *object) appendEvent(b []byte, compact bool, now time.Time, at time.Duration) []byte {
	e := &o.plain
	if compact && o.bus != nil {
		e = &o.full
	}
	if !e.fresh(at) {
		e.event, e.made = o.encode(e.event[:0], compact, now), max(at, 1)
	}
	return append(b, e.event...)
}

func (o *object) encode(b []byte, compact bool, now time.Time) []byte {
	b = appendEventHead(b, o.kind)
	switch {
	case o.station != nil:
		b = geojson.AppendStation(b, o.station, nhip.ScaleVNAQI, now)
	case compact:
		b = geojson.AppendBusOpen(b, o.bus, now, -1)
		b = append(b, `,"n":`...)
		b = strconv.AppendUint(b, uint64(o.slot), 10)
		b = append(b, '}', '}')
	default:
		b = geojson.AppendBus(b, o.bus, now, -1)
	}
	return append(b, '\n', '\n')
}

// appendGone appends the event of an object that leaves a map.
func (o *object) appendGone(b []byte) []byte {
	b = append(appendEventHead(b, "gone"), `{"kind":`...)
	b = encode.Text(b, o.kind)
	b = encode.OptionalField(b, "agency", o.agency)
	b = encode.Field(b, "id", o.id)
	return append(b, "}\n\n"...)
}

func appendEventHead(b []byte, name string) []byte {
	b = append(b, "event: "...)
	b = append(b, name...)
	return append(b, "\ndata: "...)
}

// rowSteps is the precision of coordinates in rows, in steps per degree: 11 cm.
const rowSteps = 1e6

// appendRow appends the row of a bus in a moves event:
// [n, lon·10⁶, lat·10⁶, ms since the base, bearing, speed, delay_s, passengers, next_stop]; unknown values are null,
// and those at the end are omitted.
func (o *object) appendRow(b []byte, base time.Time) []byte {
	if len(o.row) == 0 {
		o.row = appendRow(o.row, o.slot, o.bus, base)
	}
	return append(b, o.row...)
}

func appendRow(b []byte, slot uint32, bus *nhip.Bus, base time.Time) []byte {
	b = strconv.AppendUint(append(b, '['), uint64(slot), 10)
	for _, n := range [...]int64{
		int64(math.Round(bus.Lon * rowSteps)), int64(math.Round(bus.Lat * rowSteps)), bus.Time.Sub(base).Milliseconds(),
	} {
		b = strconv.AppendInt(append(b, ','), n, 10)
	}
	end := len(b)
	for i, v := range [...]nhip.Opt[float64]{bus.Bearing, bus.Speed, asFloat(bus.Delay), asFloat(bus.Passengers)} {
		f, ok := v.Get()
		if !ok {
			b = append(b, ",null"...)
			continue
		}
		precision := 1.0
		if i < 2 {
			precision = 10
		}
		b = encode.Rounded(append(b, ','), f, precision)
		end = len(b)
	}
	if bus.NextStop != "" {
		b = encode.Text(append(b, ','), bus.NextStop)
		end = len(b)
	}
	return append(b[:end], ']')
}

func asFloat(v nhip.Opt[int]) nhip.Opt[float64] {
	if n, ok := v.Get(); ok {
		return nhip.Some(float64(n))
	}
	return nhip.Opt[float64]{}
}

// sameStation reports whether two states of a station have the same event.
func sameStation(a, b *nhip.Station) bool {
	if !a.Time.Equal(b.Time) {
		return false
	}
	var buf [2048]byte
	first := geojson.AppendStation(buf[:0], a, nhip.ScaleVNAQI, a.Time)
	return bytes.Equal(first, geojson.AppendStation(nil, b, nhip.ScaleVNAQI, a.Time))
}

// confidenceStep is by how much the confidence in a bus's trip has to change before the compact form describes the bus
// again.
const confidenceStep = 0.25

// sameDescription reports whether two states of a bus differ at most in what a row holds.
func sameDescription(a, b *nhip.Bus) bool {
	if a.StaleAfter() != b.StaleAfter() {
		return false
	}
	return described(a) == described(b) && sameTrack(a.Track, b.Track)
}

// described returns the part of a bus that its event shows and a row does not.
func described(b *nhip.Bus) nhip.Bus {
	return nhip.Bus{
		ID: b.ID, Agency: b.Agency, Route: b.Route, Line: b.Line, Trip: b.Trip, Headsign: b.Headsign,
		Direction: b.Direction, StartDate: b.StartDate, StartTime: b.StartTime, Occupancy: b.Occupancy, Origin: b.Origin,
		Plate: b.Plate, UsualLine: b.UsualLine,
	}
}

func sameTrack(a, b *nhip.Track) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Status != b.Status || a.Inferred != b.Inferred || len(a.Flags) != len(b.Flags) {
		return false
	}
	for i, f := range a.Flags {
		if f != b.Flags[i] {
			return false
		}
	}
	return !a.Inferred || math.Abs(a.Confidence-b.Confidence) < confidenceStep
}
