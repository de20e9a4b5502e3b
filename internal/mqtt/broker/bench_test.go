package broker_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"nhip/internal/journal"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/mqtttest"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// roundTime is how long each contestant is measured before the next one.
const roundTime = time.Second

// BenchmarkDurable measures the rate of messages that are acknowledged once they are on disk, with conns devices that
// each have at most window messages in flight. It alternates between this broker with a journal, mochi with a journal,
// and a bare server that only appends, syncs and acknowledges.
func BenchmarkDurable(b *testing.B) {
	mqtttest.NeedDisk(b)
	for _, c := range []struct{ conns, window int }{{4, 200}, {50, 20}, {200, 10}, {1000, 1}} {
		b.Run(fmt.Sprintf("%dx%d", c.conns, c.window), func(b *testing.B) {
			j := openJournal(b)
			ours := mqtttest.StartWith(b, journalRules{j: j})[len("tcp://"):]
			arms := []*mqtttest.Contestant{
				{Crowd: mqtttest.StartCrowd(b, ours, "s", c.conns, c.window)},
				{Crowd: mqtttest.StartCrowd(b, startMochi(b, openJournal(b)), "s", c.conns, c.window)},
				{Crowd: mqtttest.StartCrowd(b, mqtttest.StartBaseline(b), "s", c.conns, c.window)},
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
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(arms[0].Rate(), "msgs/s")
			b.ReportMetric(arms[0].Rate()/arms[2].Rate(), "of-bare")
			b.ReportMetric(arms[1].Rate()/arms[2].Rate(), "mochi-of-bare")
			b.ReportMetric(float64(arms[0].Messages)/float64(stats.Commits), "msgs/sync")
			b.ReportMetric(float64(arms[0].CPU.Microseconds())/float64(arms[0].Messages), "cpu-µs/msg")
			b.ReportMetric(float64(arms[2].CPU.Microseconds())/float64(arms[2].Messages), "bare-cpu-µs/msg")
			b.ReportMetric(float64(arms[0].P99.Microseconds())/1000, "p99-ms")
		})
	}
}

func openJournal(b *testing.B) *journal.Journal {
	j, err := journal.Open(b.TempDir(), journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	return j
}

// journalRules write each message to a journal.
type journalRules struct {
	mqtttest.AllowAll
	j *journal.Journal
}

func (r journalRules) Publish(_ *broker.Client, m *broker.Message, done func(error)) broker.Decision {
	r.j.Append(m.Payload, func(_ uint64, err error) { done(err) })
	return broker.Take
}

// mochiHook writes each message to a journal and waits for it, as mochi requires before it acknowledges.
type mochiHook struct {
	mochi.HookBase
	j *journal.Journal
}

func (h *mochiHook) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck || b == mochi.OnPublish
}

func (h *mochiHook) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

func (h *mochiHook) OnACLCheck(*mochi.Client, string, bool) bool { return true }

func (h *mochiHook) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	outcome := make(chan error, 1)
	h.j.Append(pk.Payload, func(_ uint64, err error) { outcome <- err })
	if err := <-outcome; err != nil {
		return pk, packets.ErrRejectPacket
	}
	return pk, packets.CodeSuccessIgnore
}

func startMochi(b *testing.B, j *journal.Journal) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := errors.Join(s.AddHook(&mochiHook{j: j}, nil), s.AddListener(listeners.NewNet("bench", l)),
		s.Serve()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}
