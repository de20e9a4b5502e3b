package network_test

import (
	"fmt"
	"time"

	"nhip/geo/geotest"
	"nhip/geo/network"
)

// A position matches both directions of a route; the heading decides between them. Distances along the line are
// great-circle metres and differ a little from those of geotest.
func ExampleNetwork_Near() {
	net := network.New(geotest.Line(21, 15*time.Minute))
	plane := network.PlaneAt(geotest.At(1250)) // 1,250 m east of the first stop
	east := network.HeadingOf(90)
	for _, c := range net.Near(nil, &plane, east) {
		next := c.Pattern.Stops[c.Pattern.NextStop(c.Along)]
		fmt.Printf("to %s: %.0f m along, heading mismatch %.0f, next %s\n",
			c.Pattern.Headsign, c.Along, c.HeadingMismatch(east), next.Name)
	}
	// Output:
	// to Long Biên: 1251 m along, heading mismatch 0, next Stop 3
	// to Cầu Giấy: 8755 m along, heading mismatch 2, next Stop 2
}

// Between two stops the schedule is interpolated by distance.
func ExampleTripInstance_Scheduled() {
	net := network.New(geotest.Line(21, 15*time.Minute))
	trip := net.Feed.Trip("T4-0")
	inst := net.Day(geotest.Day).TripInstancesOf(trip)[0]
	start := time.Unix(inst.Departs(0), 0).In(net.Location())
	due := time.Unix(int64(inst.Scheduled(1250)), 0).In(net.Location())
	fmt.Println("departs at", start.Format(time.TimeOnly))
	fmt.Println("due 1,250 m along the line at", due.Format(time.TimeOnly))
	// Output:
	// departs at 07:00:00
	// due 1,250 m along the line at 07:03:44
}
