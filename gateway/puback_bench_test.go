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

// roundTime is how long each contestant is measured before the next one.
const roundTime = time.Second

const operator = "operator-secret"

// BenchmarkDurablePuback measures the rate of messages that are acknowledged once they are on disk, with conns devices
// that each have at most window messages in flight. It alternates between the gateway with a real journal, the gateway
// with an acceptor that stores nothing, and a bare server that only appends, syncs and acknowledges. The ratios are the
// first gateway's rate to the others'.
func BenchmarkDurablePuback(b *testing.B) {
	mqtttest.NeedDisk(b)
	for _, c := range []struct{ conns, window int }{{4, 200}, {50, 20}, {200, 10}, {1000, 1}, {1000, 5}} {
		b.Run(fmt.Sprintf("conns=%d/window=%d", c.conns, c.window), func(b *testing.B) {
			j, durable := startDurable(b)
			arms := []*mqtttest.Contestant{
				{Crowd: mqtttest.StartCrowd(b, durable, operator, c.conns, c.window)},
				{Crowd: mqtttest.StartCrowd(b, startGateway(b, nopAcceptor{}), operator, c.conns, c.window)},
				{Crowd: mqtttest.StartCrowd(b, mqtttest.StartBaseline(b), operator, c.conns, c.window)},
			}
			b.ResetTimer()
			for b.Loop() {
				for _, a := range arms {
					a.RunTurn(b, roundTime)
				}
			}
			stats := j.Stats()
			if stats.Appended != uint64(arms[0].Messages) {
				b.Errorf("%d messages acknowledged, %d on disk", arms[0].Messages, stats.Appended)
			}
			report(b, arms[0], arms[1], arms[2], stats.Commits)
		})
	}
}

func report(b *testing.B, ours, diskless, bare *mqtttest.Contestant, commits uint64) {
	b.ReportMetric(0, "ns/op") // an op is one round of each contestant
	b.ReportMetric(ours.Rate(), "msgs/s")
	b.ReportMetric(ours.Rate()/diskless.Rate(), "of-diskless")
	b.ReportMetric(ours.Rate()/bare.Rate(), "of-bare")
	b.ReportMetric(float64(ours.Messages)/float64(commits), "msgs/sync")
	b.ReportMetric(float64(ours.CPU.Microseconds())/float64(ours.Messages), "cpu-µs/msg")
	b.ReportMetric(float64(ours.P99.Microseconds())/1000, "p99-ms")
}

// journalAcceptor only writes each message to a journal, as the collector does.
type journalAcceptor struct{ *journal.Journal }

func (l journalAcceptor) Accept(m nhip.Message, done func(error)) {
	l.Append(m.Payload, func(_ uint64, err error) { done(err) })
}

// nopAcceptor accepts every message and stores nothing.
type nopAcceptor struct{}

func (nopAcceptor) Accept(_ nhip.Message, done func(error)) { done(nil) }

func startDurable(b *testing.B) (j *journal.Journal, address string) {
	j, err := journal.Open(b.TempDir(), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	return j, startGateway(b, journalAcceptor{j})
}

func startGateway(b *testing.B, acceptor nhip.Acceptor) (address string) {
	g, err := New(Options{
		Addr: "127.0.0.1:0", Accounts: Accounts{Operator: NewSecret(operator)}, Clock: nhip.WallClock{},
		Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := g.Start(acceptor); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = g.Stop(context.Background()) })
	return g.Addr()
}
