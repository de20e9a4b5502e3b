package api

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"nhip"

	"github.com/paulmach/orb"
)

// GeoJSON is written by hand here: at the size of a city's fleet the encoder, not the index, is
// what an answer costs.

// appendBus appends a bus as a GeoJSON feature; metres is its distance from the asker, or negative.
func appendBus(b []byte, bus *nhip.Bus, now time.Time, metres float64) []byte {
	return append(appendOpenBus(b, bus, now, metres), '}', '}')
}

// appendOpenBus is appendBus without the end of the properties and of the feature.
func appendOpenBus(b []byte, bus *nhip.Bus, now time.Time, metres float64) []byte {
	b = appendGeometry(b, bus.Lon, bus.Lat)
	b = append(b, `,"properties":{"id":`...)
	b = appendText(b, bus.ID)
	b = appendField(b, "agency", bus.Agency)
	b = appendOptional(b, "route", bus.Route)
	b = appendOptional(b, "line", bus.Line)
	b = appendOptional(b, "headsign", bus.Headsign)
	b = appendOptional(b, "trip", bus.Trip)
	if d, ok := bus.Direction.Get(); ok {
		b = append(b, `,"direction":`...)
		b = strconv.AppendInt(b, int64(d), 10)
	}
	b = appendOptional(b, "start_date", bus.StartDate)
	b = appendOptional(b, "start_time", bus.StartTime)
	b = appendOptional(b, "next_stop", bus.NextStop)
	b = appendOptional(b, "occupancy", string(bus.Occupancy))
	if n, ok := bus.Passengers.Get(); ok {
		b = append(b, `,"passengers":`...)
		b = strconv.AppendInt(b, int64(n), 10)
	}
	if d, ok := bus.Delay.Get(); ok {
		b = append(b, `,"delay_s":`...)
		b = strconv.AppendInt(b, int64(d), 10)
	}
	b = appendOptFloat(b, "bearing", bus.Bearing)
	b = appendOptFloat(b, "speed", bus.Speed)
	if metres >= 0 {
		b = append(b, `,"distance_m":`...)
		b = appendRounded(b, metres, 10)
	}
	b = appendFreshness(b, bus.Time, now, bus.State(now))
	b = append(b, `,"stale_after_s":`...)
	b = appendRounded(b, bus.StaleAfter().Seconds(), 10)
	b = appendOptional(b, "plate", bus.Plate)
	b = appendOptional(b, "usual_line", bus.UsualLine)
	b = appendTrack(b, bus.Track)
	return appendOptional(b, "origin", string(bus.Origin))
}

// appendStation appends a station as a GeoJSON feature, with its index on a scale.
func appendStation(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	b = appendStationOpen(b, s, scale, now)
	return append(b, '}', '}')
}

// appendStationOpen leaves the feature's properties open for more.
func appendStationOpen(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	if p, ok := s.Point(); ok {
		b = appendGeometry(b, p.Lon(), p.Lat())
	} else {
		b = append(b, `{"type":"Feature","geometry":null`...)
	}
	b = append(b, `,"properties":{"id":`...)
	b = appendText(b, s.ID)
	b = appendFreshness(b, s.Time, now, s.State(now))
	if s.Name != (nhip.Name{}) {
		b = append(b, `,"name":{`...)
		b = appendName(b, s.Name)
		b = append(b, '}')
	}
	b = appendOptional(b, "kind", s.Kind)
	b = appendOptional(b, "owner", s.Owner)
	b = appendOptional(b, "area", s.Area)
	b = append(b, `,"values":{`...)
	for i, q := range quantities(s) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, s, q, now)
	}
	b = append(b, '}')
	b = appendIndex(b, s, scale, now)
	return appendOptional(b, "origin", string(s.Origin))
}

func quantities(s *nhip.Station) []nhip.Quantity {
	var out []nhip.Quantity
	for q := range s.Values {
		out = append(out, q)
	}
	slices.Sort(out)
	return out
}

// appendName appends a name's languages.
func appendName(b []byte, n nhip.Name) []byte {
	for i, lang := range []struct{ tag, text string }{{"vi", cmp.Or(n.Vi, n.En)}, {"en", cmp.Or(n.En, n.Vi)}} {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, lang.tag)
		b = append(b, ':')
		b = appendText(b, lang.text)
	}
	return b
}

func appendValue(b []byte, s *nhip.Station, q nhip.Quantity, now time.Time) []byte {
	v := s.Values[q]
	b = appendText(b, string(q))
	b = append(b, `:{"value":`...)
	b = appendFloat(b, v.Value)
	b = appendField(b, "unit", q.Unit())
	b = appendTime(b, v.Time)
	b = appendField(b, "period", nhip.FormatPeriod(time.Duration(v.Period*float64(time.Second))))
	b = appendField(b, "state", string(s.ValueState(v, now)))
	b = append(b, `,"flag":`...)
	b = strconv.AppendInt(b, int64(v.Flag), 10)
	b = appendOptional(b, "tests", v.Tests)
	return append(b, '}')
}

func appendGeometry(b []byte, lon, lat float64) []byte {
	b = append(b, `{"type":"Feature","geometry":{"type":"Point","coordinates":`...)
	return append(appendPosition(b, orb.Point{lon, lat}), '}')
}

// degrees is the grain of coordinates, steps in a degree: a centimetre.
const degrees = 1e7

// appendFreshness says when a fact was true, how long ago that is, and whether it may be read as
// now. A fact from a clock that runs ahead of ours has the age 0.
func appendFreshness(b []byte, t, now time.Time, state nhip.State) []byte {
	b = appendTime(b, t)
	b = append(b, `,"age_s":`...)
	b = appendRounded(b, max(0, now.Sub(t).Seconds()), 10)
	return appendField(b, "state", string(state))
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, `,"time":"`...)
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

func appendOptional(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendField(b, name, value)
}

func appendField(b []byte, name, value string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendText(b, value)
}

func appendOptFloat(b []byte, name string, v nhip.Opt[float64]) []byte {
	f, ok := v.Get()
	if !ok {
		return b
	}
	b = append(b, ',', '"')
	b = append(b, name...)
	b = append(b, '"', ':')
	return appendFloat(b, f)
}

func appendFloat(b []byte, f float64) []byte { return strconv.AppendFloat(b, f, 'f', -1, 64) }

// appendRounded appends f in steps of 1/unit, a power of ten. As a whole number with a point it costs a third
// of what a float does.
func appendRounded(b []byte, f, unit float64) []byte {
	scaled := math.Round(f * unit)
	if !(math.Abs(scaled) < 1<<53) {
		return appendFloat(b, scaled/unit)
	}
	n, u := int64(scaled), int64(unit)
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/u, 10)
	rest := n % u
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for rest > 0 {
		u /= 10
		b = append(b, byte('0'+rest/u))
		rest %= u
	}
	return b
}

// roundTo rounds to steps of 1/unit.
func roundTo(f, unit float64) float64 { return math.Round(f*unit) / unit }

const hexDigits = "0123456789abcdef"

// appendText appends a JSON string. What is not UTF-8 becomes U+FFFD.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	if plainText(s) {
		b = append(b, s...)
		return append(b, '"')
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// plainText reports whether a text stands in JSON as it is: most do.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.ValidString(s)
}

// appendCollection appends the head of a feature collection; close it with "]}". A negative matched
// is not known.
func appendCollection(b []byte, now time.Time, matched, returned int) []byte {
	b = append(b, `{"type":"FeatureCollection"`...)
	b = appendTime(b, now)
	if matched >= 0 {
		b = append(b, `,"numberMatched":`...)
		b = strconv.AppendInt(b, int64(matched), 10)
	}
	b = append(b, `,"numberReturned":`...)
	b = strconv.AppendInt(b, int64(returned), 10)
	return append(b, `,"features":[`...)
}
