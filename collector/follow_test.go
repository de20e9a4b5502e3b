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
	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
)

// TestBusesAreFollowed lets a bus that names its trip and one that names nothing come in by turns, also over
// a crash and a new timetable.
func TestBusesAreFollowed(t *testing.T) {
	b := newBench(t)
	b.network = network.New(geotest.Line(21, 15*time.Minute))
	hear := func(bus string) *mqtttest.Listener {
		return mqtttest.Listen(t, mqtt.Options{URL: b.broker, ClientID: bus}, mqtt.LiveBusTopic("hanoi", bus))
	}
	live := map[string]*mqtttest.Listener{"named": hear("named"), "bare": hear("bare")}
	events := mqtttest.Listen(t, mqtt.Options{URL: b.broker, ClientID: "events"}, "nhip/event/arrival/#")
	b.start(t)
	began := noon.Add(-14 * time.Minute) // 18:46 in Hanoi: the run of 18:45 is the 51st
	drive := func(from, to int) {
		for s := from; s < to; s += 20 {
			at := began.Add(time.Duration(s) * time.Second).Format(time.RFC3339)
			p := geotest.At(float64(s) * geotest.Speed)
			b.accept(t, "nhip/in/position/named", fmt.Sprintf(`{"time":%q,"lat":%f,"lon":%f,"trip":"T51-0","start_date":"20260216"}`, at, p.Lat(), p.Lon()))
			b.accept(t, "nhip/in/position/bare", fmt.Sprintf(`{"time":%q,"lat":%f,"lon":%f}`, at, p.Lat()+0.1, p.Lon()))
		}
	}
	state := func(bus string, ok func(*nhip.Bus) bool) *nhip.Bus {
		t.Helper()
		var got nhip.Bus
		live[bus].Wait(t, bus, func(m mqtttest.Message) bool {
			got = nhip.Bus{}
			return json.Unmarshal([]byte(m.Payload), &got) == nil && ok(&got)
		})
		return &got
	}
	drive(0, 300)
	named := state("named", func(n *nhip.Bus) bool { return n.Track != nil && n.Track.Next == 4 })
	if named.Line != "01" || named.Headsign != "Long Biên" || named.NextStop != "S4" || named.Track.Status != "in_service" || named.Track.Inferred {
		t.Errorf("a bus that names its trip: %+v %+v", named, named.Track)
	}
	if bare := state("bare", func(n *nhip.Bus) bool { return n.Track != nil }); bare.Track.Status != "unknown" || bare.Trip != "" || bare.Line != "" {
		t.Errorf("a bus 11 km away from every line: %+v %+v", bare, bare.Track)
	}
	events.Wait(t, "the arrival at S3", func(m mqtttest.Message) bool {
		var a nhip.Arrival
		return json.Unmarshal([]byte(m.Payload), &a) == nil && a.Stop == "S3" && a.Index == 3 && a.Trip == "T51-0" && a.Time.Sub(began.Add(270*time.Second)).Abs() <= time.Second && max(a.Delay.Or(0)-60, 60-a.Delay.Or(0)) <= 1
	})
	stored := func(stop string) func() bool {
		return func() bool {
			return slices.ContainsFunc(b.shelf.rows(), func(row string) bool {
				return strings.HasPrefix(row, "arrival,agency=hanoi,route=R1,vehicle=named ") && strings.Contains(row, `stop="`+stop+`"`)
			})
		}
	}
	await.True(t, "S3 is stored", stored("S3"))

	b.crash(t)
	b.start(t)
	drive(300, 480)
	state("named", func(n *nhip.Bus) bool { return n.Track != nil && n.Track.Next == 6 && n.Track.Trip == "T51-0" })
	await.True(t, "S5 is stored", stored("S5"))

	if err := b.UseTimetable(network.New(geotest.Line(25, 15*time.Minute))); err != nil {
		t.Fatal(err)
	}
	drive(480, 600)
	after := state("named", func(n *nhip.Bus) bool { return n.Track != nil && n.Track.Next == 7 })
	if after.Track.Pattern == named.Track.Pattern || after.Track.Trip != "T51-0" {
		t.Errorf("on a new timetable: %+v", after.Track)
	}
}

func TestTheFleetSaysTheUsualLine(t *testing.T) {
	b := newBench(t)
	b.network = network.New(geotest.Line(21, 15*time.Minute))
	b.start(t)
	tell := func(payload string) {
		t.Helper()
		c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: b.broker, ClientID: "gateway"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Publish(mqtt.FleetVehicleTopic("29B-1"), 1, true, []byte(payload)).Wait()
	}
	tell(`{"id":"29B-1","line":"32","agency":"hanoi"}`)
	await.True(t, "the collector knows", func() bool { return b.city.usual.line("hanoi", "29B-1") == "32" })
	if got := b.city.usual.line("other", "29B-1"); got != "" {
		t.Errorf("another agency's bus usually drives %q", got)
	}
	tell("")
	await.True(t, "and forgets", func() bool { return b.city.usual.line("hanoi", "29B-1") == "" })
}

func TestWithoutATimetableNothingIsFollowed(t *testing.T) {
	b := newBench(t)
	live := b.listen(t, "nhip/live/bus/#")
	b.start(t)
	b.accept(t, "nhip/in/position/1", fix(noon, 21))
	if m := live.Wait(t, "the bus", func(m mqtttest.Message) bool { return m.Payload != "" }); strings.Contains(m.Payload, "track") {
		t.Errorf("%s", m.Payload)
	}
	if b.UseTimetable(network.New(geotest.Line(5, time.Hour))) == nil {
		t.Error("it takes a timetable that it can't use")
	}
}
