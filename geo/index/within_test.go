package index

import (
	"math"
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

func TestWithin(t *testing.T) {
	x := New[int]()
	for id, p := range map[string]orb.Point{
		"hanoi": {105.85, 21.03}, "fiji west": {179.5, -17}, "fiji east": {-179.5, -17},
		"line": {180, 0}, "pole": {10, 90}, "island": {0, 0},
	} {
		if err := x.Set(id, p, len(id)); err != nil {
			t.Fatal(err)
		}
	}
	nan := math.NaN()
	for _, c := range []struct {
		name string
		box  Box
		want []string
	}{
		{"one city", Box{105, 20, 106, 22}, []string{"hanoi"}},
		{"edges are inside", Box{105.85, 21.03, 105.85, 21.03}, []string{"hanoi"}},
		{"across the antimeridian", Box{179, -20, -179, 1}, []string{"fiji east", "fiji west", "line"}},
		{"up to 180", Box{170, -1, 180, 1}, []string{"line"}},
		{"from -180", Box{-180, -1, -170, 1}, []string{"line"}},
		{"pole", Box{-180, 90, 180, 90}, []string{"pole"}},
		{"all", Box{-180, -90, 180, 90}, []string{"fiji east", "fiji west", "hanoi", "island", "line", "pole"}},
		{"upside down", Box{105, 22, 106, 20}, nil},
		{"NaN", Box{nan, nan, nan, nan}, nil},
		{"NaN in the west", Box{nan, -90, 180, 90}, nil},
	} {
		if got := ids(x.Within(nil, c.box, nil)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	long := func(n *int) bool { return *n > 5 }
	if got := ids(x.Within(nil, Box{-180, -90, 180, 90}, long)); !slices.Equal(got, []string{
		"fiji east", "fiji west", "island",
	}) {
		t.Errorf("keep: %v", got)
	}
}
