package edr

import (
	"maps"
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/api/encode"

	"github.com/paulmach/orb"
)

// coverage is data over a domain. Its values are those of each parameter in the order of the axes t, y, x, or along
// the track of a trajectory; NaN where unknown.
type coverage struct {
	domain     string // Grid, Point, PointSeries or Trajectory
	id, label  string // of a station
	x, y       []float64
	t          []time.Time
	track      []sample // of a trajectory
	parameters []parameter
	values     [][]float64
}

// sample is a place and time of a trajectory.
type sample struct {
	point orb.Point
	time  time.Time
}

// series returns the coverage of one place at one or several times, without values.
func series(p orb.Point, t []time.Time, parameters []parameter) *coverage {
	c := &coverage{
		domain: "PointSeries", x: []float64{p[0]}, y: []float64{p[1]}, t: t, parameters: parameters,
		values: make([][]float64, len(parameters)),
	}
	if len(t) == 1 {
		c.domain = "Point"
	}
	return c
}

// numbers are values in steps of 1/steps; NaN is null.
type numbers struct {
	values []float64
	steps  float64
}

// MarshalJSON implements json.Marshaler.
func (n numbers) MarshalJSON() ([]byte, error) {
	b := append(make([]byte, 0, 8*len(n.values)+2), '[')
	for i, v := range n.values {
		if i > 0 {
			b = append(b, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			b = append(b, "null"...)
		} else {
			b = encode.Rounded(b, v, n.steps)
		}
	}
	return append(b, ']'), nil
}

// coordinates are axis values as numbers.
func coordinates(v []float64) numbers { return numbers{v, encode.DegreeSteps} }

// axis is an axis of a domain.
type axis struct {
	DataType    string   `json:"dataType,omitempty"`
	Coordinates []string `json:"coordinates,omitempty"`
	Values      any      `json:"values"`
}

type domain struct {
	Type        string          `json:"type"`
	DomainType  string          `json:"domainType"`
	Axes        map[string]axis `json:"axes"`
	Referencing []reference     `json:"referencing,omitempty"`
}

type reference struct {
	Coordinates []string       `json:"coordinates"`
	System      map[string]any `json:"system"`
}

type ndArray struct {
	Type     string   `json:"type"`
	DataType string   `json:"dataType"`
	Axes     []string `json:"axisNames"`
	Shape    []int    `json:"shape"`
	Values   numbers  `json:"values"`
}

// covParameter is a parameter in CoverageJSON.
type covParameter struct {
	Type        string             `json:"type"`
	ID          string             `json:"id"`
	Description nhip.LocalizedText `json:"description"`
	Unit        covUnit            `json:"unit"`
	Property    covProperty        `json:"observedProperty"`
	Measurement measurement        `json:"measurementType"`
}

type covUnit struct {
	Label  nhip.LocalizedText `json:"label,omitzero"`
	Symbol unitSymbol         `json:"symbol"`
}

type covProperty struct {
	ID    string             `json:"id,omitempty"`
	Label nhip.LocalizedText `json:"label"`
}

// covDocument is a Coverage or a CoverageCollection.
type covDocument struct {
	Type        string                  `json:"type"`
	ID          string                  `json:"id,omitempty"`
	Domain      *domain                 `json:"domain,omitempty"`
	Parameters  map[string]covParameter `json:"parameters,omitzero"`
	Referencing []reference             `json:"referencing,omitempty"`
	Ranges      map[string]ndArray      `json:"ranges,omitempty"`
	Coverages   *[]covDocument          `json:"coverages,omitempty"`
}

// referencing describes the systems of the axes. The order of the names is that of the system's coordinates.
func referencing(latFirst bool) []reference {
	space := reference{[]string{"x", "y"}, map[string]any{"type": "GeographicCRS", "id": crs84}}
	if latFirst {
		space = reference{[]string{"y", "x"}, map[string]any{"type": "GeographicCRS", "id": epsg4326}}
	}
	return []reference{space, {[]string{"t"}, map[string]any{"type": "TemporalRS", "calendar": "Gregorian"}}}
}

func encodeParameters(all []parameter) map[string]covParameter {
	out := make(map[string]covParameter, len(all))
	for _, p := range all {
		unit := covUnit{nhip.LocalizedText{Vi: p.unit, En: p.unit}, unitSymbol{p.ucum, ucumURI}}
		out[p.id] = covParameter{
			"Parameter", p.id, p.about, unit, covProperty{p.property, p.name}, measurement{p.method, p.duration},
		}
	}
	return out
}

// encode returns a coverage without what all of an answer share.
func (c *coverage) encode() covDocument {
	d := covDocument{
		Type: "Coverage", ID: c.id, Domain: &domain{Type: "Domain", DomainType: c.domain},
		Ranges: make(map[string]ndArray, len(c.parameters)),
	}
	names, shape := []string{"t", "y", "x"}, []int{len(c.t), len(c.y), len(c.x)}
	if c.domain == "Trajectory" {
		names, shape = []string{"composite"}, []int{len(c.track)}
		d.Domain.Axes = map[string]axis{"composite": {"tuple", []string{"t", "x", "y"}, tuples(c.track)}}
	} else {
		d.Domain.Axes = map[string]axis{
			"x": {Values: coordinates(c.x)}, "y": {Values: coordinates(c.y)}, "t": {Values: c.t},
		}
	}
	for i, p := range c.parameters {
		d.Ranges[p.id] = ndArray{"NdArray", "float", names, shape, numbers{c.values[i], p.steps}}
	}
	return d
}

// tuples returns a track as [time, longitude, latitude].
func tuples(track []sample) [][3]any {
	out := make([][3]any, len(track))
	for i, s := range track {
		out[i] = [3]any{
			s.time, encode.Round(s.point[0], encode.DegreeSteps), encode.Round(s.point[1], encode.DegreeSteps),
		}
	}
	return out
}

// send answers with coverages in the requested format: CoverageJSON with one is a Coverage, if single, or else a
// CoverageCollection, which may be empty.
func (h *Handler) send(w http.ResponseWriter, o *request, cache string, single bool, all []*coverage) error {
	if o.format == formatGeoJSON {
		return h.JSONAs(w, mediaTypes[formatGeoJSON], cache, o.features(all))
	}
	systems := referencing(o.latFirst)
	if single && len(all) == 1 {
		d := all[0].encode()
		d.Parameters, d.Domain.Referencing = encodeParameters(all[0].parameters), systems
		return h.JSONAs(w, mediaTypes[formatCoverageJSON], cache, d)
	}
	members, parameters := []covDocument{}, make(map[string]covParameter)
	for _, c := range all {
		members = append(members, c.encode())
		maps.Copy(parameters, encodeParameters(c.parameters))
	}
	d := covDocument{
		Type: "CoverageCollection", Parameters: parameters, Referencing: systems, Coverages: &members,
	}
	return h.JSONAs(w, mediaTypes[formatCoverageJSON], cache, d)
}

// number returns a value for JSON: null if it is unknown.
func number(v, steps float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return rawNumber{v, steps}
}

type rawNumber struct{ value, steps float64 }

// MarshalJSON implements json.Marshaler.
func (n rawNumber) MarshalJSON() ([]byte, error) { return encode.Rounded(nil, n.value, n.steps), nil }
