package api

import (
	"math"
	"strings"
	"time"

	"nhip"
	"nhip/geo/aqi"
)

// How long the last complete hour of a station makes its index of now: stale after the first, none after the
// second. A NowCast needs two of the last three hours.
const (
	indexStaleAfter = 2 * time.Hour
	indexGoneAfter  = 3 * time.Hour
)

// scale reads which index is asked for.
func (q *query) scale(name string) nhip.Scale {
	s := nhip.Scale(q.text(name))
	if s == "" {
		return nhip.VNAQI
	}
	if !aqi.Known(s) {
		var known []string
		for _, k := range aqi.Scales() {
			known = append(known, string(k))
		}
		q.fail(name, "must be one of %s, got %q", strings.Join(known, ", "), string(s))
		return nhip.VNAQI
	}
	return s
}

// stationIndex makes a station's index of its last complete hour, while that is fresh enough.
func stationIndex(s *nhip.Station, scale nhip.Scale, now time.Time) (nhip.AQI, nhip.State, bool) {
	if s.Hours == nil || now.Sub(s.Hours.End) >= indexGoneAfter {
		return nhip.AQI{}, "", false
	}
	hours := make(aqi.Hours, len(s.Hours.Means))
	for q, means := range s.Hours.Means {
		of := make([]float64, len(means))
		for i, m := range means {
			of[i] = m.Or(math.NaN())
		}
		hours[q] = of
	}
	index, ok := aqi.At(scale, s.Hours.End, hours)
	state := nhip.Live
	if now.Sub(s.Hours.End) > indexStaleAfter {
		state = nhip.Stale
	}
	return index, state, ok
}

// appendIndex appends ,"aqi":{…}; nothing where there is none.
func appendIndex(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	a, state, ok := stationIndex(s, scale, now)
	if !ok {
		return b
	}
	b = append(b, `,"aqi":`...)
	b = appendAQI(b, &a)
	b = b[:len(b)-1] // inside
	b = appendField(b, "state", string(state))
	b = append(b, `,"age_s":`...)
	b = appendRounded(b, max(0, now.Sub(a.Time).Seconds()), 10)
	if s.Hours.Suspect {
		b = append(b, `,"suspect":true`...)
	}
	return append(b, '}')
}

// appendAQI appends an index as a JSON object.
func appendAQI(b []byte, a *nhip.AQI) []byte {
	b = append(b, `{"scale":`...)
	b = appendText(b, string(a.Scale))
	b = appendField(b, "source", a.Source)
	b = appendField(b, "rule", a.Rule)
	b = appendTime(b, a.Time)
	b = append(b, `,"value":`...)
	b = appendFloat(b, a.Value)
	b = append(b, `,"level":`...)
	b = appendLevel(b, &a.Level)
	b = appendField(b, "dominant", string(a.Dominant))
	b = append(b, `,"capture_pct":`...)
	b = appendRounded(b, a.Capture, 10)
	b = append(b, `,"sub_indices":[`...)
	for i := range a.Sub {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSubIndex(b, &a.Sub[i])
	}
	return append(b, ']', '}')
}

func appendLevel(b []byte, l *nhip.Level) []byte {
	b = append(b, `{"number":`...)
	b = appendFloat(b, float64(l.Number))
	b = append(b, `,"name":{`...)
	b = appendName(b, l.Name)
	b = append(b, '}')
	b = appendField(b, "colour", l.Colour)
	return append(b, '}')
}

func appendSubIndex(b []byte, s *nhip.SubIndex) []byte {
	b = append(b, `{"quantity":`...)
	b = appendText(b, string(s.Quantity))
	b = appendField(b, "average", s.Average)
	b = append(b, `,"concentration":`...)
	b = appendFloat(b, s.Concentration)
	b = appendField(b, "unit", s.Quantity.Unit())
	b = append(b, `,"value":`...)
	b = appendFloat(b, s.Value)
	b = append(b, `,"capture_pct":`...)
	b = appendRounded(b, s.Capture, 10)
	return append(b, '}')
}

// appendAdvice appends ,"advice":{…} for a station's index; nothing for scales that have none.
func appendAdvice(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	a, _, ok := stationIndex(s, scale, now)
	if !ok {
		return b
	}
	advice, ok := aqi.AdviceFor(&a)
	if !ok {
		return b
	}
	b = append(b, `,"advice":{`...)
	for i, part := range []struct {
		name string
		text nhip.Name
	}{{"effect", advice.Effect}, {"everyone", advice.Everyone}, {"sensitive", advice.Sensitive}} {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, part.name)
		b = append(b, ':', '{')
		b = appendName(b, part.text)
		b = append(b, '}')
	}
	return append(b, '}')
}
