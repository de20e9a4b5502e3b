package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

// position is a payload of typical length.
const position = `{"time":"2026-02-16T12:00:00.123Z","lat":21.03,"lon":105.85,"speed":4.57,"bearing":265,"route":"32"}`

const benchDevices = 256

func benchForwarder(b *testing.B, upstream string) *Forwarder {
	b.Helper()
	f, err := NewForwarder(ForwardOptions{
		Dir: b.TempDir(), Upstream: mqtt.Options{
			URL: upstream, ClientID: "forwarder", Username: "forwarder", Password: accounts.Operator.String(),
		},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := f.Stop(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return f
}

// fill accepts n messages of many devices.
func fill(b *testing.B, f *Forwarder, n int) {
	b.Helper()
	var outcomes sync.WaitGroup
	for i := range n {
		outcomes.Add(1)
		f.Accept(nhip.Message{
			Client: fmt.Sprint(i % benchDevices), Topic: fmt.Sprintf("nhip/in/position/%d", i%benchDevices),
			Payload: []byte(position), Received: time.Now(),
		}, func(err error) {
			if err != nil {
				b.Error(err)
			}
			outcomes.Done()
		})
	}
	outcomes.Wait()
}

// BenchmarkForward measures the forwarding of a backlog to an upstream broker that drops the messages, and to a gateway
// that writes them to disk.
func BenchmarkForward(b *testing.B) {
	b.Run("broker", func(b *testing.B) { forwardAll(b, coveredBroker(b)) })
	b.Run("disk", func(b *testing.B) {
		g, err := New(Options{
			Addr: "127.0.0.1:0", Accounts: accounts, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler),
			Registry: prometheus.NewRegistry(),
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := g.Start(benchForwarder(b, "tcp://127.0.0.1:1")); err != nil {
			b.Fatal(err)
		}
		defer g.Stop(context.Background())
		if err := g.PublishCensus("gateway"); err != nil {
			b.Fatal(err)
		}
		forwardAll(b, g.URL())
	})
}

// coveredBroker starts a plain broker with a census that covers every topic.
func coveredBroker(b *testing.B) string {
	b.Helper()
	url := mqtttest.Start(b)
	c, err := mqtt.Dial(b.Context(), mqtt.Options{URL: url, ClientID: "census"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	c.Publish(topics.CensusTopic("all"), 1, true, []byte(`{"filters":["#"]}`)).Wait()
	return url
}

func forwardAll(b *testing.B, upstream string) {
	f := benchForwarder(b, upstream)
	fill(b, f, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	f.Start()
	awaittest.True(b, "all messages are forwarded", func() bool { return f.Pending() == 0 })
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkForwardAccept measures Accept with 256 devices that each wait for the disk: alone, and while a backlog is
// forwarded.
func BenchmarkForwardAccept(b *testing.B) {
	for _, c := range []struct {
		name    string
		backlog int
	}{{"alone", 0}, {"forwarding", 400_000}} {
		b.Run(c.name, func(b *testing.B) {
			f := benchForwarder(b, coveredBroker(b))
			if c.backlog > 0 {
				fill(b, f, c.backlog)
				f.Start()
			}
			var device atomic.Int64
			b.SetParallelism(benchDevices / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				m := nhip.Message{
					Client: fmt.Sprint(device.Add(1)), Topic: "nhip/in/position/1", Payload: []byte(position), Received: time.Now(),
				}
				outcome := make(chan error, 1)
				done := func(err error) { outcome <- err }
				for pb.Next() {
					f.Accept(m, done)
					if err := <-outcome; err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
