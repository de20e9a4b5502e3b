package nhip_test

import (
	"math"
	"testing"

	"nhip"

	"github.com/paulmach/orb"
)

func TestInvalidPlaceIsDropped(t *testing.T) {
	for _, c := range []struct {
		lon, lat float64
		field    string
	}{{105.8, 21, ""}, {0, 0, "lat"}, {-200, -200, "lat"}, {181, 21, "lon"}, {105.8, math.NaN(), "lat"}} {
		r := nhip.Reading{Point: nhip.Some(orb.Point{c.lon, c.lat})}
		dropped := ""
		r.DropInvalid(func(err *nhip.Error) { dropped = err.Field })
		if dropped != c.field || r.Point.Known() != (c.field == "") {
			t.Errorf("%v, %v: dropped %q, point %v", c.lat, c.lon, dropped, r.Point)
		}
	}
	var r nhip.Reading
	r.DropInvalid(func(err *nhip.Error) { t.Error(err) })
}
