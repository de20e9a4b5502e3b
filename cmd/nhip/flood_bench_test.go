package main

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"golang.org/x/time/rate"
)

// BenchmarkFlood counts what 200 devices are acknowledged for while one more says garbage, 1,000 times a
// second over several connections, in turns with the same devices alone. of-quiet is the ratio of the two rates.
func BenchmarkFlood(b *testing.B) {
	const conns, window, turn, secret = 200, 10, time.Second, "benchmark"
	mqtttest.NeedDisk(b)
	address := startDoor(b, secret, nowhere{})
	crowd := mqtttest.StartCrowd(b, address, secret, conns, window)
	quiet, flooded := &mqtttest.Contestant{Crowd: crowd}, &mqtttest.Contestant{Crowd: crowd}
	noisy, err := mqtt.DialFan(b.Context(), mqtt.FanOptions{
		Options: mqtt.Options{URL: "tcp://" + address, ClientID: "noisy", Username: "noisy", Password: secret}, Lanes: 8,
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		quiet.Take(b, turn)
		ctx, stop := context.WithCancel(b.Context())
		var flooding sync.WaitGroup
		flooding.Go(func() {
			pace := rate.NewLimiter(1_000, 10)
			for i := 0; pace.Wait(ctx) == nil; i++ {
				_ = noisy.PublishFor(ctx, fmt.Sprint(i), "nhip/in/position/noisy", []byte("garbage"), nil) // fails with the turn's end
			}
		})
		flooded.Take(b, turn)
		stop()
		flooding.Wait()
	}
	if err := noisy.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op") // an op is a turn of each
	b.ReportMetric(flooded.Rate()/quiet.Rate(), "of-quiet")
	b.ReportMetric(float64(noisy.Acked())/float64(b.N), "garbage/turn")
}
