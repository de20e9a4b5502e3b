package stream

import (
	"bytes"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/geojson"

	"github.com/paulmach/orb"
)

// Kinds of objects, as in the events.
const (
	kindBus   = "bus"
	kindAir   = "air"
	kindStop  = "stop"  // its event is named board
	kindZone  = "zone"  //
	kindTiles = "tiles" // the versions of the tile sets
	kindAlert = "service-alert"
)

// eventNames are the names of the events of kinds that are named otherwise.
var eventNames = map[string]string{kindStop: "board"}

// object is what a stream may show: a bus, a station or a watched object. It may have left the state and still be on
// the map of a client.
type object struct {
	slot       uint32 // its number while it exists
	topic      string // its live topic, or that of watchTopic
	kind       string
	agency, id string
	feed       string // of a service alert

	bus     *nhip.Bus     // of these three at most one is set: none when the object has left
	station *nhip.Station //
	watched *watched      //
	alert   *alert        // of a service alert, beside watched
	last    *nhip.Station // the last state of a station
	place
	expires time.Time // when it leaves the map if no other state follows
	expired bool      // whether the streams know that it has expired

	changed   uint64    // number of its last change
	described uint64    // number of its last change of more than a row holds
	reference *nhip.Bus // its state then
	shownBy   int       // streams that have it on their map

	recent, earlier trail // where it was in the last two epochs

	events [forms]encoding // its event
	rows   [forms]encoding // its row
}

// place is what decides which streams an object concerns, besides what it is.
type place struct {
	point  orb.Point
	placed bool     // whether point is known
	lines  []string // of a bus: the public number and the id of its route
	zones  []string // of a station: the zones, as kind/id, that hold it
}

// encoding is an encoded event or row that all streams share.
type encoding struct {
	data []byte
	made time.Duration // when; 0: not yet
}

// encodingLife is how long an encoding may be sent again: the age that it states is that of its making.
const encodingLife = time.Second

// fresh reports whether the encoding can be sent.
func (e *encoding) fresh(at time.Duration) bool { return e.made > 0 && at-e.made < encodingLife }

// concerns reports whether a change in the log is still to be sent: the object's last one, and in forms with rows the
// last one of its description, because a row with its last place does not describe it.
func (o *object) concerns(c change, rows bool) bool {
	return c.number == o.changed || rows && c.number == o.described && o.present()
}

// present reports whether the object is in the state.
func (o *object) present() bool {
	return o.bus != nil || o.station != nil || o.watched != nil && o.watched.data != nil
}

// aged reports whether the object is too old for the map.
func (o *object) aged(now time.Time) bool { return o.watched == nil && now.After(o.expires) }

// outdate makes the object be encoded again when a stream needs it.
func (o *object) outdate() {
	for f := range o.events {
		o.events[f].made, o.rows[f].made = 0, 0
	}
}

// event returns the name and the data of the object's event. All streams share one encoding, because thousands of
// encodings would cost more than an age that is a second old is worth.
func (o *object) event(f form, zero orb.Point, now time.Time, at time.Duration) (name string, data []byte) {
	if name = eventNames[o.kind]; name == "" {
		name = o.kind
	}
	if o.watched != nil {
		return name, o.watched.data
	}
	if o.station != nil {
		f = formPlain // other forms do not differ
	}
	e := &o.events[f]
	if !e.fresh(at) {
		e.data, e.made = o.encode(e.data[:0], f, zero, now), max(at, 1)
	}
	return name, e.data
}

func (o *object) encode(b []byte, f form, zero orb.Point, now time.Time) []byte {
	switch {
	case o.station != nil:
		return geojson.AppendStation(b, o.station, nhip.ScaleVNAQI, now)
	case f == formCompact:
		return appendNumbered(b, o.slot, o.bus, now)
	case f == formShort:
		return appendShortBus(b, o.slot, o.bus, zero, now)
	}
	return geojson.AppendBus(b, o.bus, now, -1)
}

// row returns the row of a bus that has only moved, in a form that has rows.
func (o *object) row(f form, base time.Time, zero orb.Point, now time.Time, at time.Duration) []byte {
	e := &o.rows[f]
	if !e.fresh(at) {
		if f == formShort {
			e.data = append(appendShortRow(append(e.data[:0], '['), o.slot, o.bus, zero, now), ']')
		} else {
			e.data = appendCompactRow(e.data[:0], o.slot, o.bus, base)
		}
		e.made = max(at, 1)
	}
	return e.data
}

// appendGone appends the data of the event of an object that leaves a map.
func (o *object) appendGone(b []byte, f form) []byte {
	b = append(b, `{"kind":`...)
	b = encode.Text(b, o.kind)
	if f == formShort && o.kind == kindBus {
		return append(appendNumber(b, o.slot), '}')
	}
	b = encode.OptionalField(b, "agency", o.agency)
	b = encode.OptionalField(b, "feed", o.feed)
	b = encode.Field(b, "id", o.id)
	return append(b, '}')
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
