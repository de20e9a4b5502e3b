package zone

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"pgregory.net/rapid"
)

var today = time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)

// partition divides a square of n×n quarters with randomly moved corners into zones. Each quarter is a zone, or a
// ring with the next quarter in its hole.
func partition(t *rapid.T, n int) ([]Zone, []orb.Point) {
	shake := rapid.Float64Range(-0.3, 0.3)
	corner := make([][]orb.Point, n+1)
	var all []orb.Point
	for j := range corner {
		for i := range n + 1 {
			p := orb.Point{float64(i), float64(j)}
			if i > 0 && i < n {
				p[0] += shake.Draw(t, "x")
			}
			if j > 0 && j < n {
				p[1] += shake.Draw(t, "y")
			}
			corner[j] = append(corner[j], p)
			all = append(all, p)
		}
	}
	var zones []Zone
	for j := range n {
		for i := range n {
			a, b, c, d := corner[j][i], corner[j][i+1], corner[j+1][i+1], corner[j+1][i]
			ring := orb.Ring{a, b, c, d, a}
			if rapid.Bool().Draw(t, "turned") {
				ring.Reverse()
			}
			middle := orb.Point{(a[0] + b[0] + c[0] + d[0]) / 4, (a[1] + b[1] + c[1] + d[1]) / 4}
			in := func(p orb.Point) orb.Point {
				return orb.Point{p[0] + (middle[0]-p[0])/2, p[1] + (middle[1]-p[1])/2}
			}
			yard := orb.Ring{in(a), in(b), in(c), in(d), in(a)}
			all = append(all, yard...)
			id := fmt.Sprint(i, "/", j)
			// The yard belongs to a zone of two parts: itself and the corner of the quarter that it does not touch.
			zones = append(zones, Zone{Kind: "k", ID: id, Area: orb.MultiPolygon{{ring, yard}}}, Zone{
				Kind: "k", ID: id + " yard", Area: orb.MultiPolygon{{yard}},
			})
		}
	}
	return zones, all
}

// at returns the zones that contain a place at a time.
func at(s *Set, p orb.Point, t time.Time) []*Zone {
	return slices.DeleteFunc(s.All(t), func(z *Zone) bool { return !z.Contains(p) })
}

// Each place lies in exactly one zone of a partition: on borders, in corners, in holes and elsewhere.
func TestPartitionContainsEachPlaceOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 4).Draw(t, "n")
		zones, corners := partition(t, n)
		s := New(zones)
		inner := rapid.Float64Range(0, float64(n)*0.999)
		for range 30 {
			p := orb.Point{inner.Draw(t, "px"), inner.Draw(t, "py")}
			if rapid.Bool().Draw(t, "corner") {
				p = rapid.SampledFrom(corners).Draw(t, "which")
			} else if rapid.Bool().Draw(t, "on an edge") {
				z := rapid.SampledFrom(zones).Draw(t, "zone").Area[0]
				ring := z[len(z)-1]
				i := rapid.IntRange(1, len(ring)-1).Draw(t, "edge")
				p = orb.Point{(ring[i][0] + ring[i-1][0]) / 2, (ring[i][1] + ring[i-1][1]) / 2}
			}
			if p[0] >= float64(n) || p[1] >= float64(n) || p[0] < 0 || p[1] < 0 {
				continue // the outermost borders belong to the zones beyond
			}
			if got := at(s, p, today); len(got) != 1 {
				t.Errorf("%v lies in %d zones, want 1", p, len(got))
			}
		}
	})
}

// Contains must agree with the winding number.
func TestContainsAgreesWithWindingNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		var ring orb.Ring
		for k, n := 0, 3+r.IntN(20); k < n; k++ { // a star does not cross itself
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(n))
			d := 0.2 + r.Float64()
			ring = append(ring, orb.Point{d * cos, d * sin})
		}
		ring = append(ring, ring[0])
		s := New([]Zone{{ID: "star", Area: orb.MultiPolygon{{ring}}}})
		for range 50 {
			p := orb.Point{2.4*r.Float64() - 1.2, 2.4*r.Float64() - 1.2}
			turns := 0.0
			for i := 1; i < len(ring); i++ {
				a := math.Atan2(ring[i-1][1]-p[1], ring[i-1][0]-p[0])
				b := math.Atan2(ring[i][1]-p[1], ring[i][0]-p[0])
				turns += math.Remainder(b-a, 2*math.Pi)
			}
			if want, got := math.Abs(turns) > math.Pi, len(at(s, p, today)) == 1; want != got {
				t.Errorf("%v: inside %v, winding number %v", p, got, turns)
			}
		}
	})
}

func square(id string, west float64) string {
	return fmt.Sprintf(`{"type":"Feature","id":%q,"properties":{"name":"Quận `+
		`%s","code":"c"},"geometry":{"type":"Polygon","coordinates":[[[%g,21],[%g,21],[%g,21.1],[%g,21.1],[%g,21]]]}}`,
		id, id, west, west+0.1, west+0.1, west, west)
}

func file(features ...string) []byte {
	return []byte(`{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`)
}

func TestRead(t *testing.T) {
	from := time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)
	old, err := Read(file(square("a", 105)), FileSpec{Kind: "district", To: from})
	if err != nil {
		t.Fatal(err)
	}
	ward, err := Read(file(square("b", 105)), FileSpec{
		Kind: "ward", ID: "code", NameVi: "name", NameEn: "code", From: from,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := New(append(old, ward...))
	here := orb.Point{105.05, 21.05}
	for when, want := range map[time.Time]string{from.Add(-1): "a", from: "c", from.AddDate(9, 0, 0): "c"} {
		if got := at(s, here, when); len(got) != 1 || got[0].ID != want {
			t.Errorf("%s: %v, want %s", when, got, want)
		}
	}
	if z := s.All(from)[0]; z.Kind != "ward" || z.Name.Vi != "Quận b" || z.Name.En != "c" ||
		math.Abs(z.SquareKm()-115.6) > 1 {
		t.Errorf("%+v of %v km²", z, z.SquareKm())
	}
	if z := ward[0].Area[0][0]; z.Orientation() != orb.CCW {
		t.Error("outer ring is clockwise")
	}
	for _, span := range []struct {
		from, to time.Time
		want     string
	}{
		{time.Time{}, time.Time{}, "ac"},
		{from.Add(-1), from, "ac"},
		{from, time.Time{}, "c"},
		{from.Add(-2), from.Add(-1), "a"},
		{time.Time{}, from.Add(-1), "a"},
		{time.Time{}, from, "ac"},
		{from.AddDate(1, 0, 0), from.AddDate(2, 0, 0), "c"},
	} {
		got := ""
		for _, z := range s.Between(span.from, span.to) {
			got += z.ID
		}
		if got != span.want {
			t.Errorf("from %v to %v: %q, want %q", span.from, span.to, got, span.want)
		}
	}
	var none *Set
	if none.Between(from, from) != nil || none.All(from) != nil {
		t.Error("zones of a nil set")
	}
}

// Every fault names the index of the feature, its id and the rule.
func TestReadReportsFaults(t *testing.T) {
	shape := func(geometry string) string {
		return `{"type":"Feature","id":"x","geometry":` + geometry + `}`
	}
	for want, raw := range map[string][]byte{
		"is not GeoJSON":                       []byte(`{`),
		`got type "Feature"`:                   []byte(square("a", 105)),
		"has no features":                      file(),
		`feature 0: has no id`:                 file(`{"type":"Feature","geometry":null}`),
		`feature 0 ("x"): has no geometry`:     file(`{"type":"Feature","id":"x"}`),
		`feature 1 ("a"): has the same id as`:  file(square("a", 105), square("a", 106)),
		`must be a Feature, got type "Point"`:  file(`{"type":"Point","id":"x"}`),
		`Polygon or MultiPolygon, got "Point"`: file(shape(`{"type":"Point","coordinates":[1,2]}`)),
		"invalid coordinates":                  file(shape(`{"type":"Polygon","coordinates":[1,2]}`)),
		"has no polygon":                       file(shape(`{"type":"MultiPolygon","coordinates":[]}`)),
		"has no ring":                          file(shape(`{"type":"Polygon","coordinates":[]}`)),
		"at least 4 positions, got 3":          file(shape(`{"type":"Polygon","coordinates":[[[1,1],[2,2],[1,1]]]}`)),
		"must end where it begins":             file(shape(`{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,2]]]}`)),
		"has no area":                          file(shape(`{"type":"Polygon","coordinates":[[[1,1],[2,2],[3,3],[1,1]]]}`)),
		"not longitude, latitude": file(
			shape(`{"type":"Polygon","coordinates":[[[21,105],[21,106],[22,106],[22,105],[21,105]]]}`),
		),
		"must be longitude, latitude": file(shape(`{"type":"Polygon","coordinates":[[[1],[2,1],[2,2],[1,1]]]}`)),
		"crosses itself near": file(
			shape(`{"type":"Polygon","coordinates":[[[1,1],[4,4],[4,1],[1,3],[1,1]]]}`),
		),
		"hole outside its outer ring": file(
			shape(`{"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,2],[1,1]],[[5,5],[6,5],[6,6],[5,5]]]}`),
		),
		`feature 2 ("x"): polygon 1: ring 0`: file(square("a", 105), square("b", 106),
			shape(`{"type":"MultiPolygon","coordinates":[[[[1,1],[2,1],[2,2],[1,1]]],[[[1,1]]]]}`)),
	} {
		if _, err := Read(raw, FileSpec{Kind: "k"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
	}
	var many []string
	for range 80 {
		many = append(many, `{"type":"Feature"}`)
	}
	if _, err := Read(file(many...), FileSpec{}); strings.Count(err.Error(), "\n") != maxFaults ||
		!strings.HasSuffix(err.Error(), "more faults omitted") {
		t.Errorf("80 faults are reported in %d lines", strings.Count(err.Error(), "\n"))
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(square("a", 105)))
	f.Add([]byte(
		`{"type":"FeatureCollection","features":[{"type":"Feature","id":7,"geometry":{"type":"MultiPolygon",` +
			`"coordinates":[[[[0,0],[1,0],[0,1],[0,0]]]]}}]}`,
	))
	f.Fuzz(func(t *testing.T, raw []byte) {
		zones, err := Read(raw, FileSpec{Kind: "k"})
		if err != nil {
			return
		}
		s := New(zones)
		at(s, orb.Point{0.5, 0.5}, today)
		for _, z := range s.All(today) {
			if z.ID == "" || len(z.Area) == 0 || !(z.SquareKm() >= 0) {
				t.Errorf("%+v", z)
			}
		}
	})
}

// districts returns the thirty districts of Hanoi before July 2025.
func districts(t testing.TB) []Zone {
	t.Helper()
	dir := os.Getenv("TESTDATA_DIR")
	if dir == "" {
		t.Skip("TESTDATA_DIR is not set: no districts of Hanoi")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "boundaries", "hanoi_districts_2020.geojson"))
	if err != nil {
		t.Fatal(err)
	}
	zones, err := Read(raw, FileSpec{Kind: "district"})
	if err != nil {
		t.Fatal(err)
	}
	return zones
}

func TestDistrictsOfHanoi(t *testing.T) {
	s := New(districts(t))
	total := 0.0
	for _, z := range s.All(today) {
		total += z.SquareKm()
	}
	if len(s.All(today)) != 30 || math.Abs(total-3356) > 15 {
		t.Errorf("%d districts of %.0f km², want 30 of 3,356 km²", len(s.All(today)), total)
	}
	for name, p := range map[string]orb.Point{
		"Quận Hoàn Kiếm": {105.8522, 21.0285}, "Quận Ba Đình": {105.8342, 21.0368}, "Quận Cầu Giấy": {105.7900, 21.0300},
		"Thị xã Sơn Tây": {105.505, 21.14},
	} {
		if got := at(s, p, today); len(got) != 1 || got[0].Name.Vi != name {
			t.Errorf("%v lies in %v, want %s", p, got, name)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	several := 0
	for range 10_000 {
		p := orb.Point{105.28 + 0.75*r.Float64(), 20.56 + 0.83*r.Float64()}
		if len(at(s, p, today)) > 1 {
			several++
		}
	}
	if several > 10 {
		t.Errorf("%d of 10,000 places lie in more than one district", several)
	}
}

func BenchmarkAt(b *testing.B) {
	s := New(districts(b))
	r := rand.New(rand.NewPCG(1, 1))
	for b.Loop() {
		at(s, orb.Point{105.6 + 0.4*r.Float64(), 20.8 + 0.4*r.Float64()}, today)
	}
}
