package edr

import (
	"math"
	"time"

	"nhip/api/geojson"

	"github.com/paulmach/orb"
)

// feature is a place and time with its values, in GeoJSON as EDR defines it.
type feature struct {
	Type       string           `json:"type"`
	ID         string           `json:"id,omitempty"`
	Geometry   geojson.Geometry `json:"geometry"`
	Properties map[string]any   `json:"properties"`
}

// featureCollection is an answer in GeoJSON.
type featureCollection struct {
	Type       string                      `json:"type"`
	Features   []feature                   `json:"features"`
	Parameters map[string]namedDescription `json:"parameters"`
	Links      []link                      `json:"links,omitempty"`
}

// features returns coverages as GeoJSON: a point for each place and time that has a value. Positions are longitude,
// latitude in any reference system, as GeoJSON requires.
func (o *request) features(all []*coverage) featureCollection {
	out := featureCollection{
		Type: "FeatureCollection", Features: []feature{}, Parameters: describeParameters(o.parameters),
	}
	for _, c := range all {
		if c.domain == "Trajectory" {
			for k, s := range c.track {
				out.add(o, c, k, s.point, s.time)
			}
			continue
		}
		k := 0
		for _, t := range c.t {
			for _, y := range c.y {
				for _, x := range c.x {
					out.add(o, c, k, orb.Point{x, y}, t)
					k++
				}
			}
		}
	}
	return out
}

// add adds value k of a coverage, unless all its parameters are unknown in a grid.
func (f *featureCollection) add(o *request, c *coverage, k int, p orb.Point, t time.Time) {
	known := false
	values := make(map[string]any, len(c.parameters)+4)
	names := make([]string, len(c.parameters))
	for i, parameter := range c.parameters {
		v := c.values[i][k]
		known = known || !math.IsNaN(v)
		values[parameter.id], names[i] = number(v, parameter.steps), parameter.id
	}
	if !known && c.domain == "Grid" {
		return
	}
	label := c.label
	if label == "" {
		label = o.collection.title
	}
	values["datetime"], values["label"], values["parameter-name"] = t, label, names
	values["edrqueryendpoint"] = o.endpoint
	if c.id != "" {
		values["location"] = c.id
	}
	f.Features = append(f.Features, feature{Type: "Feature", Geometry: geojson.Geometry{Geometry: p}, Properties: values})
}
