package geojson

import (
	"strconv"
	"time"

	"nhip"
	"nhip/api/encode"
)

// AppendBus appends a bus as a feature. metres is its distance from the place of the query; a negative one is omitted.
func AppendBus(b []byte, bus *nhip.Bus, now time.Time, metres float64) []byte {
	return append(AppendBusOpen(b, bus, now, metres), '}', '}')
}

// AppendBusOpen is AppendBus without the closing braces of the properties and the feature, so that callers can append
// more properties.
func AppendBusOpen(b []byte, bus *nhip.Bus, now time.Time, metres float64) []byte {
	b = appendPointFeature(b, bus.Lon, bus.Lat)
	b = append(b, `,"properties":{`...)
	b = appendService(b, bus)
	b = encode.OptionalField(b, "next_stop", bus.NextStop)
	b = encode.OptionalField(b, "occupancy", string(bus.Occupancy))
	if n, ok := bus.Passengers.Get(); ok {
		b = append(b, `,"passengers":`...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	if d, ok := bus.Delay.Get(); ok {
		b = append(b, `,"delay_s":`...)
		b = strconv.AppendInt(b, int64(d), 10)
	}
	b = encode.FloatField(b, "bearing", bus.Bearing)
	b = encode.FloatField(b, "speed", bus.Speed)
	if metres >= 0 {
		b = append(b, `,"distance_m":`...)
		b = encode.Rounded(b, metres, 10)
	}
	return appendVehicle(appendFreshness(b, bus.Time, now, bus.State(now)), bus)
}

// AppendBusDescription appends the members, without braces, of what rarely changes of a bus: who it is, its trip and
// its vehicle. The first one is its id.
func AppendBusDescription(b []byte, bus *nhip.Bus) []byte {
	return appendVehicle(appendService(b, bus), bus)
}

// appendService appends the id of a bus, which no comma precedes, and the trip that it serves.
func appendService(b []byte, bus *nhip.Bus) []byte {
	b = encode.Text(append(b, `"id":`...), bus.ID)
	b = encode.Field(b, "agency", bus.Agency)
	b = encode.OptionalField(b, "route", bus.Route)
	b = encode.OptionalField(b, "line", bus.Line)
	b = encode.OptionalField(b, "headsign", bus.Headsign)
	b = encode.OptionalField(b, "trip", bus.Trip)
	if d, ok := bus.Direction.Get(); ok {
		b = append(b, `,"direction":`...)
		b = strconv.AppendInt(b, int64(d), 10)
	}
	b = encode.OptionalField(b, "start_date", bus.StartDate)
	return encode.OptionalField(b, "start_time", bus.StartTime)
}

// appendVehicle appends when a bus is stale, its plate, the state of its trip and where its data come from.
func appendVehicle(b []byte, bus *nhip.Bus) []byte {
	b = append(b, `,"stale_after_s":`...)
	b = encode.Rounded(b, bus.StaleAfter().Seconds(), 10)
	b = encode.OptionalField(b, "plate", bus.Plate)
	b = encode.OptionalField(b, "usual_line", bus.UsualLine)
	b = appendTrack(b, bus.Track)
	return encode.OptionalField(b, "origin", string(bus.Origin))
}

// appendTrack appends the map-matching state of a bus, or nothing if t is nil.
func appendTrack(b []byte, t *nhip.Track) []byte {
	if t == nil {
		return b
	}
	b = encode.Field(b, "status", t.Status)
	if t.Inferred {
		b = append(b, `,"inferred":true,"confidence":`...)
		b = encode.Float(b, t.Confidence)
	}
	for i, f := range t.Flags {
		if i == 0 {
			b = append(b, `,"flags":[`...)
		} else {
			b = append(b, ',')
		}
		b = encode.Text(b, f)
	}
	if len(t.Flags) > 0 {
		b = append(b, ']')
	}
	return b
}
