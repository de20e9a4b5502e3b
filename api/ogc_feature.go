package api

import (
	"bytes"
	"time"

	"github.com/paulmach/orb"
)

// ogcFeature is a feature of a collection. What it tells is worked out when it is told: a page holds a part of them.
type ogcFeature struct {
	id       string
	geometry orb.Geometry
	time     time.Time // zero: it has none, and is there at any time
	tell     func() any
}

// ogcTold is a feature as it is told.
type ogcTold struct {
	Type       string      `json:"type"`
	ID         string      `json:"id"`
	Geometry   ogcGeometry `json:"geometry"`
	Properties any         `json:"properties"`
	Links      []ogcLink   `json:"links,omitempty"`
}

func (f *ogcFeature) told(links ...ogcLink) ogcTold {
	return ogcTold{"Feature", f.id, ogcGeometry{f.geometry}, f.tell(), links}
}

// ogcGeometry is a geometry whose coordinates have the grain of all our coordinates.
type ogcGeometry struct{ orb.Geometry }

// MarshalJSON writes GeoJSON.
func (g ogcGeometry) MarshalJSON() ([]byte, error) {
	b := append([]byte(`{"type":"`), g.GeoJSONType()...)
	b = append(b, `","coordinates":`...)
	switch of := g.Geometry.(type) {
	case orb.Point:
		b = appendPosition(b, of)
	case orb.MultiLineString:
		b = appendList(b, of, appendPositions)
	case orb.MultiPolygon:
		b = appendList(b, of, func(b []byte, p orb.Polygon) []byte {
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
	b = appendRounded(b, p[0], degrees)
	b = append(b, ',')
	b = appendRounded(b, p[1], degrees)
	return append(b, ']')
}

func appendList[T any](b []byte, all []T, one func([]byte, T) []byte) []byte {
	b = append(b, '[')
	for i, of := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, of)
	}
	return append(b, ']')
}

// ogcNumber is a number that is never written as a whole one. GDAL and QGIS take the type of a column from its first ten
// features: after ten whole numbers they would cut 69.2 down to 69.
type ogcNumber float64

// MarshalJSON writes the number with a point.
func (n ogcNumber) MarshalJSON() ([]byte, error) {
	b := appendFloat(nil, float64(n))
	if !bytes.ContainsRune(b, '.') {
		b = append(b, ".0"...)
	}
	return b, nil
}

// age is how long ago something was, s. What comes from a clock that runs ahead of ours is new.
func age(t, now time.Time) ogcNumber { return ogcNumber(roundTo(max(0, now.Sub(t).Seconds()), 10)) }
