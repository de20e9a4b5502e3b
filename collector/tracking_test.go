package collector

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/geotest"
	"nhip/geo/network"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"
)

// TestBusTracking tracks a bus that reports its trip, and another that does not, across a crash and a change of the
// timetable.
func TestBusTracking(t *testing.T) {
	h := newHarness(t)
	h.network = network.New(geotest.Line(21, 15*time.Minute))
	listen := func(bus string) *mqtttest.Listener {
		return mqtttest.Listen(t, mqtt.Options{URL: h.broker, ClientID: bus}, topics.LiveBusTopic("hanoi", bus))
	}
	live := map[string]*mqtttest.Listener{"named": listen("named"), "bare": listen("bare")}
	events := mqtttest.Listen(t, mqtt.Options{URL: h.broker, ClientID: "events"}, "nhip/event/arrival/#")
	h.start(t)
	began := noon.Add(-14 * time.Minute) // 18:46 in Hanoi: the trip of 18:45 is the 51st
	drive := func(from, to int) {
		for s := from; s < to; s += 20 {
			at := began.Add(time.Duration(s) * time.Second).Format(time.RFC3339)
			p := geotest.At(float64(s) * geotest.Speed)
			h.accept(t, "nhip/in/position/named", fmt.Sprintf(
				`{"time":%q,"lat":%f,"lon":%f,"trip":"T51-0","start_date":"20260216"}`, at, p.Lat(), p.Lon()))
			h.accept(t, "nhip/in/position/bare", fmt.Sprintf(
				`{"time":%q,"lat":%f,"lon":%f}`, at, p.Lat()+0.1, p.Lon()))
		}
	}
	waitForBus := func(bus string, ok func(*nhip.Bus) bool) *nhip.Bus {
		t.Helper()
		var got nhip.Bus
		live[bus].Wait(t, bus, func(m mqtttest.Message) bool {
			got = nhip.Bus{}
			return json.Unmarshal([]byte(m.Payload), &got) == nil && ok(&got)
		})
		return &got
	}
	drive(0, 300)
	named := waitForBus("named", func(b *nhip.Bus) bool { return b.Track != nil && b.Track.Next == 4 })
	if named.Line != "01" || named.Headsign != "Long Biên" || named.NextStop != "S4" ||
		named.Track.Status != "in_service" || named.Track.Inferred {
		t.Errorf("a bus that reports its trip: %+v %+v", named, named.Track)
	}
	bare := waitForBus("bare", func(b *nhip.Bus) bool { return b.Track != nil })
	if bare.Track.Status != "unknown" || bare.Trip != "" || bare.Line != "" {
		t.Errorf("a bus 11 km away from every line: %+v %+v", bare, bare.Track)
	}
	events.Wait(t, "the arrival at S3", func(m mqtttest.Message) bool {
		var a nhip.Arrival
		return json.Unmarshal([]byte(m.Payload), &a) == nil && a.Stop == "S3" && a.Index == 3 && a.Trip == "T51-0" &&
			a.Time.Sub(began.Add(270*time.Second)).Abs() <= time.Second && max(a.Delay.Or(0)-60, 60-a.Delay.Or(0)) <= 1
	})
	awaittest.True(t, "the arrival at S3 is stored", h.arrivalStored("S3"))

	h.crash(t)
	h.start(t)
	drive(300, 480)
	waitForBus("named", func(b *nhip.Bus) bool {
		return b.Track != nil && b.Track.Next == 6 && b.Track.Trip == "T51-0"
	})
	awaittest.True(t, "the arrival at S5 is stored", h.arrivalStored("S5"))

	if err := h.UseTimetable(network.New(geotest.Line(25, 15*time.Minute))); err != nil {
		t.Fatal(err)
	}
	drive(480, 600)
	after := waitForBus("named", func(b *nhip.Bus) bool { return b.Track != nil && b.Track.Next == 7 })
	if after.Track.Pattern == named.Track.Pattern || after.Track.Trip != "T51-0" {
		t.Errorf("on the new timetable: %+v", after.Track)
	}
}

// arrivalStored returns a function that reports whether an arrival of the bus "named" at a stop is stored.
func (h *harness) arrivalStored(stop string) func() bool {
	return func() bool {
		return slices.ContainsFunc(h.store.rows(), func(row string) bool {
			return strings.HasPrefix(row, "arrival,agency=hanoi,route=R1,vehicle=named ") &&
				strings.Contains(row, `stop="`+stop+`"`)
		})
	}
}

func TestFleetLines(t *testing.T) {
	h := newHarness(t)
	h.network = network.New(geotest.Line(21, 15*time.Minute))
	h.start(t)
	publish := func(payload string) {
		t.Helper()
		c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: h.broker, ClientID: "gateway"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Publish(topics.FleetVehicleTopic("29B-1"), 1, true, []byte(payload)).Wait()
	}
	publish(`{"id":"29B-1","line":"32","agency":"hanoi"}`)
	awaittest.True(t, "the line is set", func() bool { return h.state.FleetLine("hanoi", "29B-1") == "32" })
	if got := h.state.FleetLine("other", "29B-1"); got != "" {
		t.Errorf("line %q for a bus of another agency, want none", got)
	}
	publish("")
	awaittest.True(t, "the line is removed", func() bool { return h.state.FleetLine("hanoi", "29B-1") == "" })
}

func TestNoTrackingWithoutTimetable(t *testing.T) {
	h := newHarness(t)
	live := h.listen(t, "nhip/live/bus/#")
	h.start(t)
	h.accept(t, "nhip/in/position/1", positionAt(noon, 21))
	m := live.Wait(t, "the bus", func(m mqtttest.Message) bool { return m.Payload != "" })
	if strings.Contains(m.Payload, "track") {
		t.Errorf("bus %s, want no track", m.Payload)
	}
	if h.UseTimetable(network.New(geotest.Line(5, time.Hour))) == nil {
		t.Error("UseTimetable succeeded without tracking")
	}
}
