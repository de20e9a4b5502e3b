package edr

import (
	"math"
	"strings"
	"testing"

	"github.com/paulmach/orb"
)

var allKinds = []string{"POINT", "MULTIPOINT", "LINESTRING", "POLYGON", "MULTIPOLYGON"}

func TestParseWKT(t *testing.T) {
	for text, want := range map[string]int{ // positions
		"POINT(105.85 21.03)":                1,
		" point ( 105.85\t21.03 ) ":          1,
		"POINT(1.0585e2 +21.03)":             1,
		"MULTIPOINT(105 21,106 21)":          2,
		"MULTIPOINT((105 21),(106 21))":      2,
		"LINESTRING(105 21, 106 21)":         2,
		"LINESTRINGM(105 21 0,106 21 60)":    2,
		"LINESTRING M (105 21 0, 106 21 60)": 2,
	} {
		if g, err := parseWKT(text, false, allKinds...); err != nil || len(g.points) != want {
			t.Errorf("%s: %v, %v", text, g, err)
		}
	}
	g, err := parseWKT("MULTIPOLYGON(((105 21,106 21,106 22,105 21),(105.5 21.2,105.6 21.2,105.6 21.3,105.5 21.2)),"+
		"((107 21,108 21,108 22,107 21)))", false, allKinds...)
	if err != nil || len(g.polygons) != 2 || len(g.polygons[0]) != 2 {
		t.Errorf("%v, %v", g, err)
	}
	if g, err = parseWKT("LINESTRINGM(21 105 5,21 106 6)", true, allKinds...); err != nil ||
		g.points[1] != (orb.Point{106, 21}) || g.measures[1] != 6 {
		t.Errorf("latitude first: %v, %v", g, err)
	}
}

func TestParseWKTStatesRule(t *testing.T) {
	long := "LINESTRING(" + strings.Repeat("105 21,", maxVertices) + "105 21)"
	for text, rule := range map[string]string{
		"":                                      "must be well-known text of POINT or",
		"CIRCLE(1 2)":                           "must be well-known text of POINT or",
		"GEOMETRYCOLLECTION(POINT(1 2))":        "must be well-known text",
		"POINT":                                 "an opening bracket is expected at character 6",
		"POINT EMPTY":                           "an opening bracket",
		"POINT()":                               "a number is expected",
		"POINT(105)":                            "a number is expected",
		"POINT(NaN 21)":                         "a number is expected",
		"POINT(1e999 21)":                       "a number is expected",
		"POINT(105 21":                          "a closing bracket",
		"POINT(105 21) x":                       "nothing more is expected",
		"POINT(105 21, 106 21)":                 "one position",
		"POINT(21 105)":                         "longitude, latitude",
		"POINTZ(105 21 3)":                      "no Z",
		"POINT Z (105 21 3)":                    "no Z",
		"LINESTRINGZM(105 21 3 4,106 21 3 4)":   "no Z",
		"POINTM(105 21 3)":                      "no M",
		"LINESTRING(105 21)":                    "two positions",
		"LINESTRINGM(105 21,106 21)":            "a number is expected",
		"POLYGON((105 21,106 21,106 22))":       "rings of at least four",
		"POLYGON((105 21,106 21,106 22,105 2))": "rings of at least four",
		"POLYGON((((((((((105 21":               "a number is expected",
		long:                                    "at most 2000 positions",
		strings.Repeat("(", maxWKT+1):           "at most 65536 bytes",
	} {
		if _, err := parseWKT(text, false, allKinds...); err == nil || !strings.Contains(err.Error(), rule) {
			t.Errorf("%.60s: %v, want %q", text, err, rule)
		} else if strings.Contains(err.Error(), "105") {
			t.Errorf("%.60s: the error repeats a place: %v", text, err)
		}
	}
}

func FuzzParseWKT(f *testing.F) {
	for _, seed := range []string{
		"POINT(105 21)", "MULTIPOINT((105 21),(106 21))", "LINESTRINGM(105 21 0,106 21 60)",
		"POLYGON((105 21,106 21,106 22,105 21))", "MULTIPOLYGON(((105 21,106 21,106 22,105 21)))", "POINT Z(", "((((",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := parseWKT(text, false, allKinds...)
		if err != nil {
			return
		}
		all := g.points
		for _, polygon := range g.polygons {
			for _, ring := range polygon {
				all = append(all, ring...)
			}
		}
		if len(all) == 0 || len(all) > maxVertices || g.measures != nil && len(g.measures) != len(g.points) {
			t.Fatalf("%q: %d positions", text, len(all))
		}
		for _, p := range all {
			if !(math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 90) {
				t.Fatalf("%q: %v", text, p)
			}
		}
	})
}
