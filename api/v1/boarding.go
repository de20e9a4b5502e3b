package v1

import (
	"strconv"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/transit"
	"nhip/geo/network"
)

// appendBoarding appends how a rider at the origin of plane can catch a bus: whether it approaches or has passed, and
// the stop to walk to, unless the operator says that the trip does not run. It appends nothing for a bus without a
// pattern.
func appendBoarding(
	b []byte, bus *transit.TrackedBus, plane *network.LocalPlane, now time.Time, model *transit.Model,
) []byte {
	if bus == nil || bus.State.Pattern == nil {
		return b
	}
	p := bus.State.Pattern
	if next := bus.State.Next; next <= p.Last() {
		b = encode.Field(b, "next_stop_name", p.Stops[next].Name)
	}
	walk, passed := bus.WalkTo(plane, model.Serves(bus))
	if passed {
		b = append(b, `,"relation":"passed"`...)
	} else {
		b = append(b, `,"relation":"approaching"`...)
	}
	if walk.Stop == nil {
		return b
	}
	b = append(b, `,"walk_to":{"id":`...)
	b = encode.Text(b, walk.Stop.ID)
	b = encode.Field(b, "name", walk.Stop.Name)
	b = append(b, `,"lat":`...)
	b = encode.Rounded(b, walk.Stop.Point.Lat(), encode.DegreeSteps)
	b = append(b, `,"lon":`...)
	b = encode.Rounded(b, walk.Stop.Point.Lon(), encode.DegreeSteps)
	b = append(b, `,"walk_m":`...)
	b = encode.Rounded(b, walk.Metres, 1)
	b = append(b, `,"walk_s":`...)
	b = encode.Rounded(b, walk.Seconds, 1)
	if expected, early, known := model.Told(bus, walk.Index, now); known {
		arrival := now.Add(time.Duration(walk.Seconds * float64(time.Second))) // of the rider
		b = append(b, `,"minutes":`...)
		b = encode.Float(b, transit.MinutesUntil(expected, now))
		b = append(b, `,"catchable":`...)
		// The rider must be at the stop before the start of the predicted range; one bus in ten comes even earlier.
		b = strconv.AppendBool(b, arrival.Before(early) && bus.Bus.State(now) == nhip.StateLive)
	}
	return append(b, '}')
}
