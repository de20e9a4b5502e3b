package app_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/publish"

	"golang.org/x/time/rate"
)

// BenchmarkFlood counts the messages that are acknowledged to 200 devices while one more device publishes garbage,
// 1,000 times a second over several connections. It takes turns with the same devices alone; of-quiet is the ratio of
// the two rates.
func BenchmarkFlood(b *testing.B) {
	const conns, window, turn, secret = 200, 10, time.Second, "benchmark"
	mqtttest.NeedDisk(b)
	address := startIntake(b, secret, discard{})
	crowd := mqtttest.StartCrowd(b, address, secret, conns, window)
	quiet, flooded := &mqtttest.Contestant{Crowd: crowd}, &mqtttest.Contestant{Crowd: crowd}
	noisy, err := publish.Dial(b.Context(), publish.Options{
		Options:     mqtt.Options{URL: "tcp://" + address, ClientID: "noisy", Username: "noisy", Password: secret},
		Connections: 8,
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		quiet.RunTurn(b, turn)
		ctx, stop := context.WithCancel(b.Context())
		var flooding sync.WaitGroup
		flooding.Go(func() { flood(ctx, noisy) })
		flooded.RunTurn(b, turn)
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

// flood publishes garbage until ctx ends.
func flood(ctx context.Context, noisy *publish.Pool) {
	pace := rate.NewLimiter(1_000, 10)
	for i := 0; pace.Wait(ctx) == nil; i++ {
		_ = noisy.PublishFor(ctx, fmt.Sprint(i), "nhip/in/position/noisy", []byte("garbage"), nil) // fails when ctx ends
	}
}
