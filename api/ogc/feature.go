package ogc

import (
	"bytes"
	"time"

	"nhip/api/encode"
	"nhip/api/geojson"

	"github.com/paulmach/orb"
)

// feature is a feature of a layer. Its properties are computed only if it is in the answer.
type feature struct {
	id         string
	geometry   orb.Geometry
	time       time.Time // zero: matches any time
	properties func() any
}

// encodedFeature is a feature in an answer.
type encodedFeature struct {
	Type       string           `json:"type"`
	ID         string           `json:"id"`
	Geometry   geojson.Geometry `json:"geometry"`
	Properties any              `json:"properties"`
	Links      []link           `json:"links,omitempty"`
}

func (f *feature) encode(links ...link) encodedFeature {
	return encodedFeature{"Feature", f.id, geojson.Geometry{Geometry: f.geometry}, f.properties(), links}
}

// decimal is a number that is always encoded with a decimal point. GDAL and QGIS derive the type of a column from the
// first ten features: after ten integers they would truncate 69.2 to 69.
type decimal float64

// MarshalJSON implements json.Marshaler.
func (n decimal) MarshalJSON() ([]byte, error) {
	b := encode.Float(nil, float64(n))
	if !bytes.ContainsRune(b, '.') {
		b = append(b, ".0"...)
	}
	return b, nil
}

// age returns the age of a fact in seconds, rounded to tenths; 0 if its time is in the future.
func age(t, now time.Time) decimal {
	return decimal(encode.Round(max(0, now.Sub(t).Seconds()), 10))
}
