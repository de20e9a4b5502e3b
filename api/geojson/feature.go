// Package geojson encodes buses, stations and air quality indices as GeoJSON.
package geojson

import (
	"strconv"
	"time"

	"nhip"
	"nhip/api/encode"

	"github.com/paulmach/orb"
)

// ContentType is the media type of GeoJSON (RFC 7946).
const ContentType = "application/geo+json"

// AppendCollectionHead appends a feature collection up to its first feature; the caller closes it with "]}". A negative
// matched is omitted.
func AppendCollectionHead(b []byte, now time.Time, matched, returned int) []byte {
	b = append(b, `{"type":"FeatureCollection"`...)
	b = encode.TimeField(b, now)
	if matched >= 0 {
		b = append(b, `,"numberMatched":`...)
		b = strconv.AppendInt(b, int64(matched), 10)
	}
	b = append(b, `,"numberReturned":`...)
	b = strconv.AppendInt(b, int64(returned), 10)
	return append(b, `,"features":[`...)
}

func appendPointFeature(b []byte, lon, lat float64) []byte {
	b = append(b, `{"type":"Feature","geometry":{"type":"Point","coordinates":`...)
	return append(appendPosition(b, orb.Point{lon, lat}), '}')
}

// appendFreshness appends the time, age and state of a fact. If its clock is ahead of ours, its age is 0.
func appendFreshness(b []byte, t, now time.Time, state nhip.State) []byte {
	b = encode.TimeField(b, t)
	b = append(b, `,"age_s":`...)
	b = encode.Rounded(b, max(0, now.Sub(t).Seconds()), 10)
	return encode.Field(b, "state", string(state))
}

// Geometry encodes a point, multi line string or multi polygon with the precision of encode.DegreeSteps.
type Geometry struct{ orb.Geometry }

// MarshalJSON writes GeoJSON.
func (g Geometry) MarshalJSON() ([]byte, error) {
	b := append([]byte(`{"type":"`), g.GeoJSONType()...)
	b = append(b, `","coordinates":`...)
	switch shape := g.Geometry.(type) {
	case orb.Point:
		b = appendPosition(b, shape)
	case orb.MultiLineString:
		b = appendList(b, shape, appendPositions)
	case orb.MultiPolygon:
		b = appendList(b, shape, func(b []byte, p orb.Polygon) []byte {
			return appendList(b, p, func(b []byte, r orb.Ring) []byte { return appendPositions(b, orb.LineString(r)) })
		})
	}
	return append(b, '}'), nil
}

func appendPositions(b []byte, line orb.LineString) []byte {
	return appendList(b, line, appendPosition)
}

func appendPosition(b []byte, p orb.Point) []byte {
	b = append(b, '[')
	b = encode.Rounded(b, p[0], encode.DegreeSteps)
	b = append(b, ',')
	b = encode.Rounded(b, p[1], encode.DegreeSteps)
	return append(b, ']')
}

func appendList[T any](b []byte, all []T, one func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, item := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, item)
	}
	return append(b, ']')
}
