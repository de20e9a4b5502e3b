package index_test

import (
	"fmt"
	"math"

	"nhip/geo/index"

	"github.com/paulmach/orb"
)

// Buses are set by id whenever they move, and found by place at any time.
func Example() {
	buses := index.New[string]()
	_ = buses.Set("29B-1", orb.Point{105.8542, 21.0285}, "line 32")
	_ = buses.Set("29B-2", orb.Point{105.8412, 21.0245}, "line 01")
	_ = buses.Set("29B-3", orb.Point{105.7828, 21.0380}, "line 32")
	_ = buses.Set("29B-2", orb.Point{105.8530, 21.0290}, "line 01") // the bus moved

	hoanKiem := orb.Point{105.8525, 21.0288}
	// The two nearest, without a limit on the distance.
	for _, hit := range buses.Nearest(nil, hoanKiem, 2, math.Inf(1), nil) {
		fmt.Printf("%s %s %.0f m\n", hit.ID, hit.Item, hit.Metres)
	}
	// All buses in the west of the city.
	for _, hit := range buses.Within(nil, index.Box{MinLon: 105.7, MinLat: 21, MaxLon: 105.8, MaxLat: 21.1}, nil) {
		fmt.Println(hit.ID, hit.Item)
	}
	// Output:
	// 29B-2 line 01 57 m
	// 29B-1 line 32 180 m
	// 29B-3 line 32
}
