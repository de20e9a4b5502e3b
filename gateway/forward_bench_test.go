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
	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
)

// fix is as long as a bus's.
const fix = `{"time":"2026-02-16T12:00:00.123Z","lat":21.03,"lon":105.85,"speed":4.57,"bearing":265,"route":"32"}`

const benchDevices = 256

func benchForwarder(b *testing.B, upstream string) *Forwarder {
	b.Helper()
	f, err := NewForwarder(ForwardOptions{
		Dir: b.TempDir(), Upstream: mqtt.Options{URL: upstream, ClientID: "edge", Username: "edge", Password: accounts.Operator},
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

// fill puts n messages of many devices into the journal.
func fill(b *testing.B, f *Forwarder, n int) {
	b.Helper()
	var answered sync.WaitGroup
	for i := range n {
		answered.Add(1)
		f.Accept(nhip.Message{
			Client: fmt.Sprint(i % benchDevices), Topic: fmt.Sprintf("nhip/in/position/%d", i%benchDevices),
			Payload: []byte(fix), Received: time.Now(),
		}, func(err error) {
			if err != nil {
				b.Error(err)
			}
			answered.Done()
		})
	}
	answered.Wait()
}

// BenchmarkForward is the way of what has piled up to a broker upstream that does nothing with it,
// and to a gateway of ours that puts it on disk.
func BenchmarkForward(b *testing.B) {
	b.Run("broker", func(b *testing.B) { forwardAll(b, mqtttest.Start(b)) })
	b.Run("disk", func(b *testing.B) {
		g, err := New(Options{
			Addr: "127.0.0.1:0", Accounts: accounts, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := g.Start(benchForwarder(b, "tcp://127.0.0.1:1")); err != nil {
			b.Fatal(err)
		}
		defer g.Stop(context.Background())
		forwardAll(b, g.URL())
	})
}

func forwardAll(b *testing.B, upstream string) {
	f := benchForwarder(b, upstream)
	fill(b, f, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	f.Start()
	await.True(b, "all is forwarded", func() bool { return f.Pending() == 0 })
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkForwardAccept is the door with 256 devices at it that each wait for the disk: alone, and
// while what has piled up goes out.
func BenchmarkForwardAccept(b *testing.B) {
	for _, c := range []struct {
		name    string
		backlog int
	}{{"alone", 0}, {"forwarding", 400_000}} {
		b.Run(c.name, func(b *testing.B) {
			f := benchForwarder(b, mqtttest.Start(b))
			if c.backlog > 0 {
				fill(b, f, c.backlog)
				f.Start()
			}
			var device atomic.Int64
			b.SetParallelism(benchDevices / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				m := nhip.Message{Client: fmt.Sprint(device.Add(1)), Topic: "nhip/in/position/1", Payload: []byte(fix), Received: time.Now()}
				answered := make(chan error, 1)
				done := func(err error) { answered <- err }
				for pb.Next() {
					f.Accept(m, done)
					if err := <-answered; err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
