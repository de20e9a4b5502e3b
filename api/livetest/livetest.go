// Package livetest fills live states for tests, with air monitors around Hồ Gươm, Hanoi.
package livetest

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"nhip"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
)

// Noon is the time of the tests' state.
var Noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

// Clock is a clock that is stopped. Set changes its time.
type Clock struct{ now time.Time }

// NewClock returns a clock with a time.
func NewClock(now time.Time) *Clock { return &Clock{now} }

// Now implements nhip.Clock.
func (c *Clock) Now() time.Time { return c.now }

// Set changes the time. It must not be called while another goroutine uses the clock.
func (c *Clock) Set(now time.Time) { c.now = now }

// Receiver is implemented by live.State, which this package does not import so that its tests can use this package.
type Receiver interface {
	Receive(topic string, payload []byte) error
}

// Receive passes a message with a JSON payload to a state.
func Receive(t testing.TB, to Receiver, topic string, message any) {
	t.Helper()
	raw, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	if err := to.Receive(topic, raw); err != nil {
		t.Fatal(err)
	}
}

// ReceiveStation passes the message of a station to a state.
func ReceiveStation(t testing.TB, to Receiver, s nhip.Station) {
	t.Helper()
	Receive(t, to, topics.LiveAirTopic(s.ID), s)
}

// Monitors is the number of monitors that ReceiveMonitors adds.
const Monitors = 12

// MonitorID returns the id of monitor i.
func MonitorID(i int) string { return fmt.Sprintf("m%02d", i) }

// MonitorPoint returns the position of monitor i.
func MonitorPoint(i int) orb.Point {
	sin, cos := math.Sincos(float64(i) * 2.4)
	r := 0.01 + 0.006*float64(i)
	return orb.Point{105.852 + r*cos, 21.028 + r*sin}
}

// Monitor returns monitor i with the same PM2.5 in each of its last 12 hours.
func Monitor(i int, end time.Time, pm25 float64) nhip.Station {
	p := MonitorPoint(i)
	means := make([]nhip.Opt[float64], 12)
	for k := range means {
		means[k] = nhip.Some(pm25)
	}
	return nhip.Station{
		ID: MonitorID(i), Time: end, Lat: nhip.Some(p[1]), Lon: nhip.Some(p[0]),
		Values: map[nhip.Quantity]nhip.LiveValue{nhip.PM25: {Value: pm25, Time: end, Period: 3600, Flag: nhip.FlagGood}},
		Hours:  &nhip.HourlyMeans{End: end, Means: map[nhip.Quantity][]nhip.Opt[float64]{nhip.PM25: means}},
	}
}

// ReceiveMonitors adds Monitors monitors at noon to a state; PM2.5 is highest in the east.
func ReceiveMonitors(t testing.TB, to Receiver) {
	t.Helper()
	for i := range Monitors {
		ReceiveStation(t, to, Monitor(i, Noon, 60+400*(MonitorPoint(i)[0]-105.852)))
	}
}
