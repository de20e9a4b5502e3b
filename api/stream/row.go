package stream

import (
	"math"
	"strconv"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/geojson"

	"github.com/paulmach/orb"
)

// compactSteps is the precision of coordinates in rows of the compact form, in steps per degree: 11 cm.
const compactSteps = 1e6

// appendNumbered appends a bus as a feature with its number.
func appendNumbered(b []byte, slot uint32, bus *nhip.Bus, now time.Time) []byte {
	b = geojson.AppendBusOpen(b, bus, now, -1)
	return append(appendNumber(b, slot), '}', '}')
}

// appendNumber appends a field with a bus's number.
func appendNumber(b []byte, slot uint32) []byte {
	return strconv.AppendUint(append(b, `,"n":`...), uint64(slot), 10)
}

// appendCompactRow appends the row of a bus in a moves event:
// [n, lon·10⁶, lat·10⁶, ms since the base, bearing, speed, delay_s, passengers, next_stop]; unknown values are null,
// and those at the end are omitted.
func appendCompactRow(b []byte, slot uint32, bus *nhip.Bus, base time.Time) []byte {
	b = strconv.AppendUint(append(b, '['), uint64(slot), 10)
	for _, n := range [...]int64{
		int64(math.Round(bus.Lon * compactSteps)), int64(math.Round(bus.Lat * compactSteps)),
		bus.Time.Sub(base).Milliseconds(),
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

// shortSteps is the precision of coordinates in the short form, in steps per degree: 1.1 m.
const shortSteps = 1e5

// Flags of a row of the short form.
const flagStale = 1

// occupancies are the numbers of GTFS-realtime for how full a bus is.
var occupancies = map[nhip.Occupancy]int64{
	nhip.OccupancyEmpty: 0, nhip.OccupancyManySeats: 1, nhip.OccupancyFewSeats: 2, nhip.OccupancyStanding: 3,
	nhip.OccupancyCrushed: 4, nhip.OccupancyFull: 5, nhip.OccupancyNotAccepting: 6, nhip.OccupancyNotBoardable: 8,
}

// appendShortRow appends the values of a bus's row in the short form, without brackets:
// n, x, y, age, bearing, occupancy, flags. x and y are degrees·10⁵ east and north of zero, the age is in seconds.
// Unknown values are null; those at the end are omitted, and so are flags of 0.
func appendShortRow(b []byte, slot uint32, bus *nhip.Bus, zero orb.Point, now time.Time) []byte {
	b = strconv.AppendUint(b, uint64(slot), 10)
	age := max(0, now.Sub(bus.Time))
	for _, n := range [...]int64{
		int64(math.Round((bus.Lon - zero[0]) * shortSteps)), int64(math.Round((bus.Lat - zero[1]) * shortSteps)),
		int64(age.Seconds()),
	} {
		b = strconv.AppendInt(append(b, ','), n, 10)
	}
	end := len(b)
	put := func(n int64, known bool) {
		if !known {
			b = append(b, ",null"...)
			return
		}
		b = strconv.AppendInt(append(b, ','), n, 10)
		end = len(b)
	}
	bearing, known := bus.Bearing.Get()
	put(int64(math.Round(bearing))%360, known)
	full, known := occupancies[bus.Occupancy]
	put(full, known)
	put(flagStale, bus.State(now) == nhip.StateStale)
	return b[:end]
}

// appendShortBus appends a bus in the short form: its number, what rows do not hold, and the rest of a row as "at".
func appendShortBus(b []byte, slot uint32, bus *nhip.Bus, zero orb.Point, now time.Time) []byte {
	b = append(b, '{')
	b = geojson.AppendBusDescription(b, bus)
	b = append(appendNumber(b, slot), `,"row":[`...)
	return append(appendShortRow(b, slot, bus, zero, now), ']', '}')
}
