package geojson

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"nhip"
	"nhip/api/encode"
)

// AppendStation appends a station as a feature, with its current index on a scale.
func AppendStation(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	b = AppendStationOpen(b, s, scale, now)
	return append(b, '}', '}')
}

// AppendStationOpen is AppendStation without the closing braces of the properties and the feature.
func AppendStationOpen(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	b = appendPlaceAndID(b, s)
	b = appendFreshness(b, s.Time, now, s.State(now))
	b = appendDescription(b, s)
	b = append(b, `,"values":{`...)
	for i, q := range slices.Sorted(maps.Keys(s.Values)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, s, q, now)
	}
	b = append(b, '}')
	b = appendIndex(b, s, scale, now)
	return encode.OptionalField(b, "origin", string(s.Origin))
}

// AppendSilentOpen appends a station that is not on the map as a feature without values and without its closing
// braces. last is the time of its last reading; the zero time, for none, becomes null.
func AppendSilentOpen(b []byte, s *nhip.Station, last, now time.Time) []byte {
	b = appendPlaceAndID(b, s)
	if last.IsZero() {
		b = encode.Field(append(b, `,"time":null,"age_s":null`...), "state", string(nhip.StateSilent))
	} else {
		b = appendFreshness(b, last, now, nhip.StateSilent)
	}
	return append(appendDescription(b, s), `,"values":{}`...)
}

// AppendSpan appends the times of the first and the last reading as properties; zero times are omitted.
func AppendSpan(b []byte, first, last time.Time) []byte {
	if first.IsZero() {
		return b
	}
	b = encode.Field(b, "first_reading", first.Format(time.RFC3339Nano))
	return encode.Field(b, "last_reading", last.Format(time.RFC3339Nano))
}

// appendPlaceAndID appends a feature up to the first of its properties, the id.
func appendPlaceAndID(b []byte, s *nhip.Station) []byte {
	if p, ok := s.Point(); ok {
		b = appendPointFeature(b, p.Lon(), p.Lat())
	} else {
		b = append(b, `{"type":"Feature","geometry":null`...)
	}
	return encode.Text(append(b, `,"properties":{"id":`...), s.ID)
}

// appendDescription appends what the fleet says about a station.
func appendDescription(b []byte, s *nhip.Station) []byte {
	if s.Name != (nhip.LocalizedText{}) {
		b = append(b, `,"name":{`...)
		b = appendLocalizedText(b, s.Name)
		b = append(b, '}')
	}
	b = encode.OptionalField(b, "kind", s.Kind)
	b = encode.OptionalField(b, "owner", s.Owner)
	b = encode.OptionalField(b, "area", s.Area)
	return encode.OptionalField(b, "zone", s.Zone)
}

func appendValue(b []byte, s *nhip.Station, q nhip.Quantity, now time.Time) []byte {
	v := s.Values[q]
	b = encode.Text(b, string(q))
	b = append(b, `:{"value":`...)
	b = encode.Float(b, v.Value)
	b = encode.Field(b, "unit", q.Unit())
	b = encode.TimeField(b, v.Time)
	b = encode.Field(b, "period", nhip.FormatPeriod(time.Duration(v.Period*float64(time.Second))))
	b = encode.Field(b, "state", string(s.ValueState(v, now)))
	b = append(b, `,"flag":`...)
	b = strconv.AppendInt(b, int64(v.Flag), 10)
	b = encode.OptionalField(b, "tests", v.Tests)
	return append(b, '}')
}

// appendLocalizedText appends both languages; a missing one takes the text of the other.
func appendLocalizedText(b []byte, n nhip.LocalizedText) []byte {
	for i, lang := range []struct{ tag, text string }{{"vi", cmp.Or(n.Vi, n.En)}, {"en", cmp.Or(n.En, n.Vi)}} {
		if i > 0 {
			b = append(b, ',')
		}
		b = encode.Text(b, lang.tag)
		b = append(b, ':')
		b = encode.Text(b, lang.text)
	}
	return b
}
