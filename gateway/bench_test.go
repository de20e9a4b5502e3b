package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"nhip"
	"nhip/internal/journal"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
)

// turn is how long each contestant is spoken to before the next one is.
const turn = time.Second

const operator = "operator-secret"

// BenchmarkDurablePuback counts messages that are acknowledged when they are on disk: conns devices
// with at most so many each on the way. In turns with the gateway on a real journal come the same
// gateway with a door that answers at once, and a bare server that can nothing but append, sync and
// acknowledge. The ratios are the gateway's rate to theirs.
func BenchmarkDurablePuback(b *testing.B) {
	mqtttest.NeedDisk(b)
	for _, c := range []struct{ conns, window int }{{4, 200}, {50, 20}, {200, 10}, {1000, 1}, {1000, 5}} {
		b.Run(fmt.Sprintf("conns=%d/window=%d", c.conns, c.window), func(b *testing.B) {
			j, durable := startDurable(b)
			arms := []*mqtttest.Contestant{
				{Crowd: mqtttest.StartCrowd(b, durable, operator, c.conns, c.window)},
				{Crowd: mqtttest.StartCrowd(b, startGateway(b, open{}), operator, c.conns, c.window)},
				{Crowd: mqtttest.StartCrowd(b, mqtttest.StartBare(b), operator, c.conns, c.window)},
			}
			b.ResetTimer()
			for b.Loop() {
				for _, a := range arms {
					a.Take(b, turn)
				}
			}
			kept := j.Stats()
			if kept.Appended != uint64(arms[0].Messages) {
				b.Errorf("%d messages were acknowledged, %d are on disk", arms[0].Messages, kept.Appended)
			}
			report(b, arms[0], arms[1], arms[2], kept.Commits)
		})
	}
}

func report(b *testing.B, ours, diskless, bare *mqtttest.Contestant, commits uint64) {
	b.ReportMetric(0, "ns/op") // an op is a turn of each
	b.ReportMetric(ours.Rate(), "msgs/s")
	b.ReportMetric(ours.Rate()/diskless.Rate(), "of-diskless")
	b.ReportMetric(ours.Rate()/bare.Rate(), "of-bare")
	b.ReportMetric(float64(ours.Messages)/float64(commits), "msgs/sync")
	b.ReportMetric(float64(ours.CPU.Microseconds())/float64(ours.Messages), "cpu-µs/msg")
	b.ReportMetric(float64(ours.P99.Microseconds())/1000, "p99-ms")
}

// ledger is a door that keeps each message in a journal, as the collector does, and nothing more.
type ledger struct{ *journal.Journal }

func (l ledger) Accept(m nhip.Message, done func(error)) {
	l.Append(m.Payload, func(_ uint64, err error) { done(err) })
}

// open is a door that takes everything and keeps nothing.
type open struct{}

func (open) Accept(_ nhip.Message, done func(error)) { done(nil) }

func startDurable(b *testing.B) (j *journal.Journal, address string) {
	j, err := journal.Open(b.TempDir(), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	return j, startGateway(b, ledger{j})
}

func startGateway(b *testing.B, door nhip.Door) (address string) {
	g, err := New(Options{
		Addr: "127.0.0.1:0", Accounts: Accounts{Operator: operator}, Clock: nhip.WallClock{},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := g.Start(door); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = g.Stop(context.Background()) })
	return g.Addr()
}
