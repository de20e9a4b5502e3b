package surface_test

import (
	"fmt"
	"math"

	"nhip/geo/surface"

	"github.com/paulmach/orb"
)

// Three reference monitors and a variogram give a concentration at any place, and how uncertain it is.
func ExampleKrigingSystem() {
	variogram := surface.Variogram{Kind: surface.KindSpherical, Nugget: 0.1, Sill: 1, Range: 10_000}
	monitors := []surface.Site{
		{Point: orb.Point{105.80, 21.00}}, {Point: orb.Point{105.88, 21.00}}, {Point: orb.Point{105.84, 21.06}},
	}
	system, err := surface.NewKrigingSystem(variogram, monitors)
	if err != nil {
		fmt.Println(err)
		return
	}
	solution := system.Solve([]float64{30, 50, 40}) // µg/m³
	plane := surface.NewLocalPlane(orb.Point{105.84, 21.03})
	var scratch []float64
	for _, place := range []orb.Point{{105.81, 21.00}, {105.84, 21.03}, {106.2, 21.03}} {
		x, y := plane.XY(place)
		deviation := math.Sqrt(system.Variance(x, y, &scratch) * solution.Scale2())
		fmt.Printf("%v: %.0f ± %.0f µg/m³\n", place, solution.At(x, y), deviation)
	}
	// Output:
	// [105.81 21]: 33 ± 6 µg/m³
	// [105.84 21.03]: 40 ± 8 µg/m³
	// [106.2 21.03]: 40 ± 12 µg/m³
}

// Leaving each monitor out and estimating it from the others shows how good the estimates are.
func ExampleIDW_LeaveOneOut() {
	observations := surface.Observations{
		Sites: []surface.Site{
			{Point: orb.Point{105.80, 21.00}},
			{Point: orb.Point{105.82, 21.01}},
			{Point: orb.Point{105.84, 21.02}},
			{Point: orb.Point{105.86, 21.03}},
		},
		Values: []float64{30, 34, 38, 90},
	}
	for i, r := range (surface.IDW{Power: 2}).LeaveOneOut(&observations, 0) {
		fmt.Printf("measured %.0f, estimated %.0f\n", observations.Values[i], r.Value)
	}
	// Output:
	// measured 30, estimated 39
	// measured 34, estimated 40
	// measured 38, estimated 58
	// measured 90, estimated 37
}
