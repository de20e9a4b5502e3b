package geojson

import (
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/geo/aqi"
)

// appendIndex appends the member "aqi", or nothing if the station has no current index.
func appendIndex(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	a, state, ok := aqi.StationIndex(s, scale, now)
	if !ok {
		return b
	}
	b = append(b, `,"aqi":`...)
	b = AppendAQI(b, &a)
	b = b[:len(b)-1] // reopens the object
	b = encode.Field(b, "state", string(state))
	b = append(b, `,"age_s":`...)
	b = encode.Rounded(b, max(0, now.Sub(a.Time).Seconds()), 10)
	if s.Hours.SuspectOf(a.Dominant) {
		b = append(b, `,"suspect":true`...)
	}
	return append(b, '}')
}

// AppendAQI appends an index as a JSON object.
func AppendAQI(b []byte, a *nhip.AQI) []byte {
	b = append(b, `{"scale":`...)
	b = encode.Text(b, string(a.Scale))
	b = encode.Field(b, "source", a.Source)
	b = encode.Field(b, "rule", a.Rule)
	b = encode.TimeField(b, a.Time)
	b = append(b, `,"value":`...)
	b = encode.Float(b, a.Value)
	b = append(b, `,"level":`...)
	b = appendCategory(b, &a.Category)
	b = encode.Field(b, "dominant", string(a.Dominant))
	b = append(b, `,"capture_pct":`...)
	b = encode.Rounded(b, a.Capture, 10)
	b = append(b, `,"sub_indices":[`...)
	for i := range a.Sub {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendSubIndex(b, &a.Sub[i])
	}
	return append(b, ']', '}')
}

func appendCategory(b []byte, c *nhip.AQICategory) []byte {
	b = append(b, `{"number":`...)
	b = encode.Float(b, float64(c.Number))
	b = append(b, `,"name":{`...)
	b = appendLocalizedText(b, c.Name)
	b = append(b, '}')
	b = encode.Field(b, "color", c.Color)
	return append(b, '}')
}

func appendSubIndex(b []byte, s *nhip.SubIndex) []byte {
	b = append(b, `{"quantity":`...)
	b = encode.Text(b, string(s.Quantity))
	b = encode.Field(b, "average", s.Average)
	b = append(b, `,"concentration":`...)
	b = encode.Float(b, s.Concentration)
	b = encode.Field(b, "unit", s.Quantity.Unit())
	b = append(b, `,"value":`...)
	b = encode.Float(b, s.Value)
	b = append(b, `,"capture_pct":`...)
	b = encode.Rounded(b, s.Capture, 10)
	return append(b, '}')
}

// AppendAdvice appends the member "advice" for the station's current index, or nothing if its scale has no advice.
func AppendAdvice(b []byte, s *nhip.Station, scale nhip.Scale, now time.Time) []byte {
	a, _, ok := aqi.StationIndex(s, scale, now)
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
		text nhip.LocalizedText
	}{{"effect", advice.Effect}, {"everyone", advice.Everyone}, {"sensitive", advice.Sensitive}} {
		if i > 0 {
			b = append(b, ',')
		}
		b = encode.Text(b, part.name)
		b = append(b, ':', '{')
		b = appendLocalizedText(b, part.text)
		b = append(b, '}')
	}
	return append(b, '}')
}
