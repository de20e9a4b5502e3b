package zone

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

// FileSpec describes the features of a file.
type FileSpec struct {
	Kind   string
	ID     string // property that holds the id; empty: the feature's own id, or else the property "code"
	NameVi string // property that holds the name; empty: "name"
	NameEn string // property that holds the English name; empty: "name_en"
	From   time.Time
	To     time.Time // exclusive
}

// Limits of a file.
const (
	MaxBytes  = 64 << 20
	maxPoints = 2_000_000
	maxFaults = 50 // maximum number of faults reported
)

// The parts of GeoJSON (RFC 7946) that are used.
type collection struct {
	Type     string    `json:"type"`
	Features []feature `json:"features"`
}

type feature struct {
	Type       string         `json:"type"`
	ID         any            `json:"id"`
	Properties map[string]any `json:"properties"`
	Geometry   *struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
	} `json:"geometry"`
}

// Read reads a GeoJSON FeatureCollection of polygons. The error joins all faults of the file, up to 50. Each
// fault names the index of the feature, its id, and the rule that it violates.
func Read(raw []byte, l FileSpec) ([]Zone, error) {
	if len(raw) > MaxBytes {
		return nil, fmt.Errorf("must be at most %d MB", MaxBytes>>20)
	}
	if err := checkMarks(raw); err != nil {
		return nil, err
	}
	var c collection
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("is not GeoJSON: %w", err)
	}
	if c.Type != "FeatureCollection" {
		return nil, fmt.Errorf("must be a FeatureCollection, got type %q", c.Type)
	}
	if len(c.Features) == 0 {
		return nil, errors.New("has no features")
	}
	r := reader{spec: l, ids: make(map[string]int)}
	for i := range c.Features {
		r.feature(i, &c.Features[i])
	}
	return r.zones, errors.Join(r.faults...)
}

// Limits of the text, checked before it is read: a bracket of 1 byte needs up to 40 bytes of memory.
const (
	maxBrackets = maxPoints + maxPoints/8 // "[": of positions, rings and polygons
	maxMembers  = maxPoints / 2           // ":": of features, geometries and properties
	maxCommas   = 4 * maxPoints           // of positions with a height
)

// checkMarks counts brackets, members and commas. Those in texts count, too.
func checkMarks(raw []byte) error {
	switch {
	case bytes.Count(raw, []byte("[")) > maxBrackets || bytes.Count(raw, []byte(",")) > maxCommas:
		return fmt.Errorf("the file has more than %d positions", maxPoints)
	case bytes.Count(raw, []byte(":")) > maxMembers || bytes.Count(raw, []byte("{")) > maxMembers:
		return errors.New("the features have too many properties")
	}
	return nil
}

type reader struct {
	spec   FileSpec
	zones  []Zone
	ids    map[string]int
	points int
	faults []error
}

func (r *reader) fault(i int, id, format string, args ...any) {
	switch {
	case len(r.faults) < maxFaults:
		if id != "" {
			id = fmt.Sprintf(" (%q)", id)
		}
		r.faults = append(r.faults, fmt.Errorf("feature %d%s: %s", i, id, fmt.Sprintf(format, args...)))
	case len(r.faults) == maxFaults:
		r.faults = append(r.faults, errors.New("more faults omitted"))
	}
}

func (r *reader) feature(i int, f *feature) {
	id := r.idOf(f)
	if f.Type != "Feature" {
		r.fault(i, id, "must be a Feature, got type %q", f.Type)
		return
	}
	if id == "" {
		r.fault(i, "", "has no id, neither its own nor in a property")
		return
	}
	if err := nhip.CheckID("id", id); err != nil {
		r.fault(i, id, "%v", err)
		return
	}
	if first, known := r.ids[id]; known {
		r.fault(i, id, "has the same id as feature %d", first)
		return
	}
	r.ids[id] = i
	area, err := r.area(f)
	if err != nil {
		r.fault(i, id, "%v", err)
		return
	}
	z := Zone{Kind: r.spec.Kind, ID: id, From: r.spec.From, To: r.spec.To, Area: area}
	z.Name.Vi, z.Name.En = property(f, r.spec.NameVi, "name"), property(f, r.spec.NameEn, "name_en")
	r.zones = append(r.zones, z)
}

func (r *reader) idOf(f *feature) string {
	if r.spec.ID != "" {
		return TextOf(f.Properties[r.spec.ID])
	}
	if own := TextOf(f.ID); own != "" {
		return own
	}
	return TextOf(f.Properties["code"])
}

func property(f *feature, name, usual string) string {
	if name == "" {
		name = usual
	}
	return TextOf(f.Properties[name])
}

// TextOf returns a property of a GeoJSON feature as text: a JSON string, or a whole number; "" for anything else.
func TextOf(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return fmt.Sprintf("%.0f", v)
		}
	}
	return ""
}

func (r *reader) area(f *feature) (orb.MultiPolygon, error) {
	if f.Geometry == nil {
		return nil, errors.New("has no geometry")
	}
	var polygons [][][][]float64
	var err error
	switch f.Geometry.Type {
	case "Polygon":
		polygons = make([][][][]float64, 1)
		err = json.Unmarshal(f.Geometry.Coordinates, &polygons[0])
	case "MultiPolygon":
		err = json.Unmarshal(f.Geometry.Coordinates, &polygons)
	default:
		return nil, fmt.Errorf("must be a Polygon or MultiPolygon, got %q", f.Geometry.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("invalid coordinates: %w", err)
	}
	var out orb.MultiPolygon
	for k, p := range polygons {
		polygon, err := r.polygon(p)
		if err != nil {
			return nil, fmt.Errorf("polygon %d: %w", k, err)
		}
		out = append(out, polygon)
	}
	if len(out) == 0 {
		return nil, errors.New("has no polygon")
	}
	return out, nil
}

func (r *reader) polygon(rings [][][]float64) (orb.Polygon, error) {
	if len(rings) == 0 {
		return nil, errors.New("has no ring")
	}
	var out orb.Polygon
	for k, positions := range rings {
		ring, err := r.ring(positions)
		if err != nil {
			return nil, fmt.Errorf("ring %d: %w", k, err)
		}
		if k > 0 && !within(out[0], ring) {
			return nil, fmt.Errorf("ring %d: hole outside its outer ring", k)
		}
		// Outer rings go counter-clockwise, holes clockwise.
		if (ring.Orientation() == orb.CCW) != (k == 0) {
			slices.Reverse(ring)
		}
		out = append(out, ring)
	}
	return out, nil
}

func (r *reader) ring(positions [][]float64) (orb.Ring, error) {
	if len(positions) < 4 {
		return nil, fmt.Errorf("must have at least 4 positions, got %d", len(positions))
	}
	if r.points += len(positions); r.points > maxPoints {
		return nil, fmt.Errorf("the file has more than %d positions", maxPoints)
	}
	ring := make(orb.Ring, len(positions))
	for i, p := range positions {
		if len(p) < 2 {
			return nil, fmt.Errorf("position %d must be longitude, latitude", i)
		}
		ring[i] = orb.Point{p[0], p[1]}
		if err := nhip.CheckPoint(ring[i]); err != nil && nhip.ErrorCode(err) != nhip.CodeNullIsland {
			return nil, fmt.Errorf("position %d (%v, %v) is not longitude, latitude in degrees", i, p[0], p[1])
		}
	}
	switch {
	case ring[0] != ring[len(ring)-1]:
		return nil, errors.New("must end where it begins")
	case ring.Orientation() == 0:
		return nil, errors.New("has no area")
	}
	if at, crosses := crossing(ring); crosses {
		return nil, fmt.Errorf("crosses itself near %.6f, %.6f", at[0], at[1])
	}
	return ring, nil
}

// within reports whether a hole lies in an outer ring, by its first point that is not on the outer ring.
func within(outer, hole orb.Ring) bool {
	on := make(map[orb.Point]bool, len(outer))
	for _, p := range outer {
		on[p] = true
	}
	for _, p := range hole {
		if !on[p] {
			return crosses(outer, p)
		}
	}
	return false
}

// crossing finds a place where two edges of a ring cross. It compares only edges whose longitudes overlap. Rings
// may touch themselves.
func crossing(ring orb.Ring) (orb.Point, bool) {
	type edge struct{ a, b orb.Point }
	edges := make([]edge, 0, len(ring))
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		if a[0] > b[0] {
			a, b = b, a
		}
		edges = append(edges, edge{a, b})
	}
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Compare(x.a[0], y.a[0]) })
	for i, x := range edges {
		for _, y := range edges[i+1:] {
			if y.a[0] > x.b[0] {
				break
			}
			if cut(x.a, x.b, y.a, y.b) {
				return y.a, true
			}
		}
	}
	return orb.Point{}, false
}

// cut reports whether two edges cross at a point that is not an end of either.
func cut(a, b, c, d orb.Point) bool {
	s1, s2 := side(a, b, c), side(a, b, d)
	s3, s4 := side(c, d, a), side(c, d, b)
	return s1*s2 < 0 && s3*s4 < 0
}

// side returns the side of a line on which a point lies: 1 or -1, and 0 if it is on the line or too near to tell.
func side(a, b, p orb.Point) float64 {
	v := (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0])
	if math.Abs(v) < 1e-14 {
		return 0
	}
	return math.Copysign(1, v)
}
