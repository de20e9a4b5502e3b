package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/geo/track"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/sim"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
)

// startSimulated returns a serving api that has received a city with that many buses through a real broker. Each bus
// reports every 10 s until the benchmark ends.
func startSimulated(b *testing.B, buses int, change ...func(*Options)) *API {
	b.Helper()
	broker := mqtttest.Start(b)
	collector := newCollectorFake(b, broker)
	city, err := sim.New(sim.Options{Buses: buses, History: sim.None, Publish: collector.receive})
	if err != nil {
		b.Fatal(err)
	}
	a := newAPI(b, append(change, func(o *Options) {
		o.airInterval = air.DefaultInterval
		o.Clock, o.Network = nhip.WallClock{}, networkOf(city.Feed())
		o.Timetable = network.New(city.Feed())
		collector.tracker = track.New(o.Timetable)
		o.Broker = mqtt.Options{URL: broker, ClientID: "api"}
	})...)
	if err := a.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Stop(context.Background()) })
	collector.begin(b, city)
	run, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- city.Run(run) }()
	b.Cleanup(func() { stop(); <-ended })
	awaittest.True(b, "the api has received the whole city", func() bool {
		return a.live.Buses().Len() == buses && a.live.Complete() // a faulty monitor may be silent at this hour
	})
	return a
}

// collectorFake publishes the messages of simulated devices on the live topics, as a collector does, but without
// checks.
type collectorFake struct {
	client    *mqtt.Client
	published map[string]bool // live topics
	tracker   *track.Tracker
}

func newCollectorFake(b *testing.B, broker string) *collectorFake {
	b.Helper()
	client, err := mqtt.Dial(b.Context(), mqtt.Options{URL: broker, ClientID: "collector"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	return &collectorFake{client: client, published: make(map[string]bool)}
}

// begin publishes a first state of every device and the census.
func (t *collectorFake) begin(b *testing.B, city *sim.Simulator) {
	b.Helper()
	now := time.Now()
	for _, at := range []time.Time{now.Add(-2 * sim.DefaultInterval), now} { // every device reports once between them
		for _, m := range city.Step(at) {
			if err := t.receive(m.Topic, m.Payload); err != nil {
				b.Fatal(err)
			}
		}
	}
	var count topics.Census
	for topic := range t.published {
		if _, _, ok := topics.ParseLiveBus(topic); ok {
			count.Buses++
		} else {
			count.Stations++
		}
	}
	if err := t.publish(topics.CensusTopic("c"), count); err != nil {
		b.Fatal(err)
	}
}

// receive is not safe for concurrent use.
func (t *collectorFake) receive(topic string, payload []byte) error {
	live, state, err := stateOf(topic, payload)
	if err != nil {
		return err
	}
	t.published[live] = true
	if bus, ok := state.(nhip.Bus); ok {
		s := t.tracker.Update(live, &nhip.Position{
			Time: bus.Time, Point: nhip.Some(bus.Point()), Trip: bus.Trip, StartDate: bus.StartDate, Bearing: bus.Bearing,
			Speed: bus.Speed,
		}, "")
		bus.Track = s.Encode()
		state = bus
	}
	return t.publish(live, state)
}

func (t *collectorFake) publish(topic string, state any) error {
	raw, err := json.Marshal(state)
	if err != nil {
		return err
	}
	token := t.client.Publish(topic, 1, true, raw)
	if !token.WaitTimeout(awaittest.Timeout) {
		return fmt.Errorf("the broker does not acknowledge %s", topic)
	}
	return token.Error()
}

// stateOf returns the live state of a device's message. The fields of a position have the names of a bus's fields.
func stateOf(topic string, payload []byte) (live string, state any, err error) {
	if id, ok := strings.CutPrefix(topic, "nhip/in/position/"); ok {
		bus := nhip.Bus{ID: id, Agency: "hanoi", Interval: sim.DefaultInterval.Seconds()}
		err = json.Unmarshal(payload, &bus)
		return topics.LiveBusTopic(bus.Agency, bus.ID), bus, err
	}
	id := strings.TrimPrefix(topic, "nhip/in/reading/")
	message := struct {
		nhip.Station
		Period string
		Values map[nhip.Quantity]float64 `json:"values"`
	}{Station: nhip.Station{ID: id, Values: make(map[nhip.Quantity]nhip.LiveValue)}}
	if err := json.Unmarshal(payload, &message); err != nil {
		return "", nil, err
	}
	period, err := nhip.ParsePeriod(message.Period)
	for q, v := range message.Values {
		message.Station.Values[q] = nhip.LiveValue{
			Value: v, Time: message.Time, Period: period.Seconds(), Flag: nhip.FlagNotEvaluated,
		}
	}
	return topics.LiveAirTopic(id), message.Station, err
}

// networkOf returns the drawing of a timetable.
func networkOf(f *gtfs.Feed) *tile.TransitMap {
	n := new(tile.TransitMap)
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
