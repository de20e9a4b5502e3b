package collector

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/awaittest"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
)

// BenchmarkAccept measures Accept for positions of 256 concurrent devices, up to the acknowledgement: decoding, checks,
// journaling and the live state, without the database.
func BenchmarkAccept(b *testing.B) {
	c, err := New(Options{
		ID: "c", Dir: b.TempDir(), Clock: &fakeClock{t: noon}, Store: &fakeStore{},
		Feeds:  []decode.Feed{{Topic: "nhip/in/position/+", Format: "position", Agency: "hanoi"}},
		Broker: mqtt.Options{}, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		JournalBytes: 4 << 30, DeadBytes: 1 << 30, Late: nhip.LateWindow,
	})
	if err != nil {
		b.Fatal(err)
	}
	defer c.intake.Close()
	var device atomic.Int64
	b.SetParallelism(128) // on two cores
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		topic := fmt.Sprintf("nhip/in/position/%d", device.Add(1))
		at, acked := noon, make(chan error, 1)
		done := func(err error) { acked <- err }
		for pb.Next() {
			at = at.Add(time.Millisecond)
			payload := fmt.Appendf(nil, `{"time":%q,"lat":21.03,"lon":105.85,"speed":4.57,"bearing":265,"route":"32"}`,
				at.Format(time.RFC3339Nano))
			c.Accept(nhip.Message{Topic: topic, Payload: payload, Received: at}, done)
			if err := <-acked; err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkFromAccept measures the CPU time and the rate of this process for the whole way of a row from Accept to a
// real InfluxDB, whose own CPU time is not included. One iteration is 50,000 positions of 2,500 buses.
func BenchmarkFromAccept(b *testing.B) {
	const positions, buses = 50_000, 2_500
	c := newBenchCollector(b, influxtest.Start(b))
	var cpu, took time.Duration
	for round := range b.N {
		messages := benchPositions(round*positions/buses, positions, buses)
		var acked atomic.Int64
		before, began := cpuTime(), time.Now()
		for _, m := range messages {
			c.Accept(m, func(error) { acked.Add(1) })
		}
		awaittest.True(b, "all rows are acknowledged and stored", func() bool {
			return acked.Load() == positions && c.Pending() == 0
		})
		took += time.Since(began)
		cpu += cpuTime() - before
	}
	rows := float64(positions * b.N)
	b.ReportMetric(float64(cpu.Nanoseconds())/1e3/rows, "cpu-µs/row")
	b.ReportMetric(rows/took.Seconds(), "rows/s")
}

// newBenchCollector starts a collector whose clock is ahead of all positions of the benchmarks.
func newBenchCollector(b *testing.B, store Store) *Collector {
	b.Helper()
	c, err := New(Options{
		ID: "c", Dir: b.TempDir(), Clock: &fakeClock{t: noon.Add(time.Hour)}, Store: store,
		Feeds:  []decode.Feed{{Topic: "nhip/in/position/+", Format: "position", Agency: "hanoi"}},
		Broker: mqtt.Options{URL: mqtttest.Start(b), ClientID: "bench"}, Logger: slog.New(slog.DiscardHandler),
		Registry:     prometheus.NewRegistry(),
		JournalBytes: 4 << 30, DeadBytes: 1 << 30, Late: nhip.LateWindow,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return c
}

// BenchmarkDecode measures decoders with the checks of their facts.
func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct{ name, topic, payload string }{
		{
			"position", "nhip/in/position/5473",
			`{"time":"2026-02-16T12:00:00Z","lat":38.9235,"lon":-77.0521,"speed":4.57,"bearing":265,"route":"C53",` +
				`"trip":"8428100","direction":0,"start_date":"20260216"}`,
		},
		{
			"hfp", "/hfp/v2/journey/ongoing/vp/bus/0018/01029/5520/2/Matinkylä (M)/18:48/4170215/0/60;24/28/75/72",
			`{"VP":{"desi":"520","dir":"2","oper":6,"veh":1029,"tst":"2026-02-16T12:00:00.931Z","tsi":1771243200,"spd":8.03,` +
				`"hdg":278,"lat":60.277200,"long":24.852980,"acc":-0.05,"dl":-240,"odo":49,"drst":0,"oday":"2026-02-16",` +
				`"jrn":442,"line":1110,"start":"18:48","loc":"GPS","stop":4170215,"route":"5520","occu":0}}`,
		},
		{
			"reading", "nhip/in/reading/embassy",
			`{"time":"2026-02-16T12:00:00Z","period":"1h","lat":21.02,"lon":105.81,"values":{"pm25":69.2,"pm10":110,"so2":5,` +
				`"no2":43,"co":300,"o3":24,"temperature":27.1,"humidity":80}}`,
		},
	} {
		b.Run(c.name, func(b *testing.B) {
			feeds, err := bindFeeds([]decode.Feed{{Topic: "#", Format: c.name, Agency: "hanoi"}})
			if err != nil {
				b.Fatal(err)
			}
			in := decode.Input{Topic: c.topic, Payload: []byte(c.payload), Received: noon, Feed: &feeds[0].Feed}
			var facts nhip.Facts
			b.ReportAllocs()
			for b.Loop() {
				facts.Reset()
				if err := feeds[0].decoder.Decode(in, &facts); err != nil {
					b.Fatal(err)
				}
				if err := facts.Validate(noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
