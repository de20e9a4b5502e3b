package predict_test

import (
	"fmt"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/geo/predict"
)

// The timetable of geotest.Line allows 90 s from stop to stop. Four buses took 150 s each, so a later bus is expected
// to be slower than its timetable, too.
func ExamplePredictor() {
	net := network.New(geotest.Line(21, 10*time.Minute))
	instances := net.Day(geotest.Day).TripInstances(net.Patterns[0])
	p := predict.New(net)
	for _, inst := range instances[:4] {
		at := time.Unix(inst.Departs(0), 0)
		for stop := range inst.Pattern.Stops {
			p.Observe(&predict.Arrival{
				Vehicle: inst.Trip.ID, Pattern: inst.Pattern, Instance: inst, Stop: stop, Arrived: at, Departed: at,
			})
			at = at.Add(150 * time.Second)
		}
	}

	next := instances[5]
	departure := time.Unix(next.Departs(0), 0)
	bus := predict.Bus{Pattern: next.Pattern, Instance: next, Along: next.Pattern.Along[0], Next: 1, Time: departure}
	stops := p.Predict(nil, &bus, time.Hour)
	stop := stops[9] // the tenth stop ahead
	fmt.Println("scheduled:", time.Duration(next.Arrives(stop.Index)-next.Departs(0))*time.Second)
	fmt.Println("predicted:", stop.P50.Sub(departure).Round(time.Minute))
	// Output:
	// scheduled: 15m0s
	// predicted: 25m0s
}
