package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/geo/track"
	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/sim"

	"github.com/paulmach/orb"
)

// startSimulated returns a served api that has heard a city of so many buses, through a real broker,
// and goes on hearing it: each bus speaks every 10 s until the benchmark ends.
func startSimulated(b *testing.B, buses int) *API {
	b.Helper()
	broker := mqtttest.Start(b)
	teller := newTeller(b, broker)
	city, err := sim.New(sim.Options{Buses: buses, History: sim.None, Publish: teller.tell})
	if err != nil {
		b.Fatal(err)
	}
	a := newAPI(b, func(o *Options) {
		o.Clock, o.Network = nhip.WallClock{}, networkOf(city.Feed())
		o.Timetable = network.New(city.Feed())
		teller.tracker = track.New(o.Timetable)
		o.Broker = mqtt.Options{URL: broker, ClientID: "api"}
	})
	a.sky.every = skyEvery
	if err := a.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Stop(context.Background()) })
	teller.begin(b, city)
	run, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- city.Run(run) }()
	b.Cleanup(func() { stop(); <-ended })
	await.True(b, "the api holds the whole city", func() bool {
		return a.city.buses.Len() == buses && a.city.complete() // a faulty monitor may be silent at this hour
	})
	return a
}

// teller puts what simulated devices say on the live topics, as a collector would. It takes their
// word: checking it is not the api's work.
type teller struct {
	client  *mqtt.Client
	told    map[string]bool // live topics
	tracker *track.Tracker
}

func newTeller(b *testing.B, broker string) *teller {
	b.Helper()
	client, err := mqtt.Dial(b.Context(), mqtt.Options{URL: broker, ClientID: "collector"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	return &teller{client: client, told: make(map[string]bool)}
}

// begin tells a first state of everything, and how much that is.
func (t *teller) begin(b *testing.B, city *sim.Simulator) {
	b.Helper()
	now := time.Now()
	for _, at := range []time.Time{now.Add(-2 * sim.DefaultInterval), now} { // everybody speaks once between them
		for _, m := range city.Step(at) {
			if err := t.tell(m.Topic, m.Payload); err != nil {
				b.Fatal(err)
			}
		}
	}
	var count mqtt.Census
	for topic := range t.told {
		if _, _, ok := mqtt.ParseLiveBus(topic); ok {
			count.Buses++
		} else {
			count.Stations++
		}
	}
	if err := t.publish(mqtt.CensusTopic("c"), count); err != nil {
		b.Fatal(err)
	}
}

// tell is called from one goroutine at a time.
func (t *teller) tell(topic string, payload []byte) error {
	live, state, err := stateOf(topic, payload)
	if err != nil {
		return err
	}
	t.told[live] = true
	if bus, ok := state.(nhip.Bus); ok {
		s := t.tracker.Fix(live, &nhip.Position{Time: bus.Time, Point: nhip.Some(bus.Point()), Trip: bus.Trip, StartDate: bus.StartDate, Bearing: bus.Bearing, Speed: bus.Speed}, "")
		bus.Track = s.Said()
		state = bus
	}
	return t.publish(live, state)
}

func (t *teller) publish(topic string, state any) error {
	raw, err := json.Marshal(state)
	if err != nil {
		return err
	}
	token := t.client.Publish(topic, 1, true, raw)
	if !token.WaitTimeout(await.Patience) {
		return fmt.Errorf("the broker does not acknowledge %s", topic)
	}
	return token.Error()
}

// stateOf makes a live state of a device's message. A position has the names of a bus's fields.
func stateOf(topic string, payload []byte) (live string, state any, err error) {
	if id, ok := strings.CutPrefix(topic, "nhip/in/position/"); ok {
		bus := nhip.Bus{ID: id, Agency: "hanoi", Interval: sim.DefaultInterval.Seconds()}
		err = json.Unmarshal(payload, &bus)
		return mqtt.LiveBusTopic(bus.Agency, bus.ID), bus, err
	}
	id := strings.TrimPrefix(topic, "nhip/in/reading/")
	said := struct {
		nhip.Station
		Period string
		Values map[nhip.Quantity]float64 `json:"values"`
	}{Station: nhip.Station{ID: id, Values: make(map[nhip.Quantity]nhip.LiveValue)}}
	if err := json.Unmarshal(payload, &said); err != nil {
		return "", nil, err
	}
	period, err := nhip.ParsePeriod(said.Period)
	for q, v := range said.Values {
		said.Station.Values[q] = nhip.LiveValue{Value: v, Time: said.Time, Period: period.Seconds(), Flag: nhip.NotEvaluated}
	}
	return mqtt.LiveAirTopic(id), said.Station, err
}

// networkOf is what the map draws of a timetable.
func networkOf(f *gtfs.Feed) *tile.Network {
	n := new(tile.Network)
	var all []orb.Point
	for _, s := range f.Stops {
		n.Stops = append(n.Stops, tile.Stop{ID: s.ID, Name: s.Name, Point: s.Point})
		all = append(all, s.Point)
	}
	for _, r := range f.Routes {
		route := tile.Route{ID: r.ID, Line: r.ShortName, Name: r.LongName, Color: "#" + strings.ToLower(r.Color)}
		for _, shape := range f.ShapesOf(r) {
			route.Shapes = append(route.Shapes, shape.Line)
		}
		n.Routes = append(n.Routes, route)
	}
	n.Outline = tile.NewOutline(all)
	return n
}
