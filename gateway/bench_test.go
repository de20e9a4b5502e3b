package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"nhip"
	"nhip/internal/journal"

	"github.com/prometheus/client_golang/prometheus"
)

// asCrowd makes the test binary play the devices of the benchmark, so that their work is not counted
// as the broker's.
const asCrowd = "NHIP_BENCH_AS_CROWD"

// turn is how long each contestant is spoken to before the next one is.
const turn = time.Second

const operator = "operator-secret"

// BenchmarkDurablePuback counts messages that are acknowledged when they are on disk: conns devices
// with at most so many each on the way. In turns with the gateway on a real journal come the same
// gateway with a door that answers at once, and a bare server that can nothing but append, sync and
// acknowledge. The ratios are the gateway's rate to theirs.
func BenchmarkDurablePuback(b *testing.B) {
	needDisk(b)
	for _, c := range []struct{ conns, window int }{{4, 200}, {50, 20}, {200, 10}, {1000, 1}, {1000, 5}} {
		b.Run(fmt.Sprintf("conns=%d/window=%d", c.conns, c.window), func(b *testing.B) {
			j, durable := startDurable(b)
			arms := []*arm{
				{crowd: startCrowd(b, durable, c.conns, c.window)},
				{crowd: startCrowd(b, startGateway(b, open{}), c.conns, c.window)},
				{crowd: startCrowd(b, startBare(b), c.conns, c.window)},
			}
			b.ResetTimer()
			for b.Loop() {
				for _, a := range arms {
					a.take(b)
				}
			}
			kept := j.Stats()
			if kept.Appended != uint64(arms[0].messages) {
				b.Errorf("%d messages were acknowledged, %d are on disk", arms[0].messages, kept.Appended)
			}
			report(b, arms[0], arms[1], arms[2], kept.Commits)
		})
	}
}

func report(b *testing.B, ours, diskless, bare *arm, commits uint64) {
	b.ReportMetric(0, "ns/op") // an op is a turn of each
	b.ReportMetric(ours.rate(), "msgs/s")
	b.ReportMetric(ours.rate()/diskless.rate(), "of-diskless")
	b.ReportMetric(ours.rate()/bare.rate(), "of-bare")
	b.ReportMetric(float64(ours.messages)/float64(commits), "msgs/sync")
	b.ReportMetric(float64(ours.cpu.Microseconds())/float64(ours.messages), "cpu-µs/msg")
	b.ReportMetric(float64(ours.slow.Microseconds())/1000, "p99-ms")
}

// arm is one contestant: its devices and what they were answered.
type arm struct {
	crowd *remoteCrowd

	messages int
	took     time.Duration
	cpu      time.Duration // of this process, which is the broker's
	slow     time.Duration // the 99th percentile from PUBLISH to PUBACK of the slowest turn
}

func (a *arm) take(b *testing.B) {
	before := cpuTime(b)
	answered := a.crowd.speak(b, turn)
	a.cpu += cpuTime(b) - before
	a.messages += answered.Messages
	a.took += answered.Took
	a.slow = max(a.slow, answered.P99)
}

func (a *arm) rate() float64 { return float64(a.messages) / a.took.Seconds() }

// cpuTime is what this process has had of the processors.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// needDisk skips where the benchmark's files would be in memory: a sync that costs nothing proves
// nothing.
func needDisk(b *testing.B) {
	const tmpfs = 0x01021994 // statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(b.TempDir(), &fs); err != nil {
		b.Fatal(err)
	}
	if fs.Type == tmpfs {
		b.Skip("temporary files are in memory here: set TMPDIR to a folder on a disk")
	}
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
