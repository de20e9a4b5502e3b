package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/gateway"
	"nhip/internal/fleet"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/prometheus/client_golang/prometheus"
)

// BenchmarkIntake counts the messages that are acknowledged to devices when they are on disk: through the gateway and
// the whole collector, without a database and with InfluxDB on the same cores. They take turns with the same broker
// library under a hook that can only append, sync and acknowledge. The ratios compare the rates with the hook's.
func BenchmarkIntake(b *testing.B) {
	const conns, window, turn = 200, 10, time.Second
	mqtttest.NeedDisk(b)
	const secret = "benchmark"
	contestant := func(address string) *mqtttest.Contestant {
		return &mqtttest.Contestant{Crowd: mqtttest.StartCrowd(b, address, secret, conns, window)}
	}
	hook := contestant(startHook(b))
	intake := contestant(startIntake(b, secret, discard{}))
	stored := contestant(startIntake(b, secret, influxtest.Start(b)))
	for b.Loop() {
		for _, c := range []*mqtttest.Contestant{hook, intake, stored} {
			c.RunTurn(b, turn)
		}
	}
	b.ReportMetric(0, "ns/op") // an op is a turn of each
	b.ReportMetric(hook.Rate(), "hook-msgs/s")
	b.ReportMetric(intake.Rate()/hook.Rate(), "of-hook")
	b.ReportMetric(stored.Rate()/hook.Rate(), "stored-of-hook")
	b.ReportMetric(float64(intake.CPU.Microseconds())/float64(intake.Messages), "cpu-µs/msg")
	b.ReportMetric(float64(intake.P99.Microseconds())/1000, "p99-ms")
}

// discard is a database that accepts every row and keeps none.
type discard struct{}

func (discard) Write(context.Context, []byte) error { return nil }

// dayLater is a clock that stands a day after the crowd's device time.
type dayLater struct{}

func (dayLater) Now() time.Time { return mqtttest.CrowdBegin.AddDate(0, 0, 1) }

// startIntake runs a gateway and a collector until the benchmark ends.
func startIntake(b *testing.B, secret string, store collector.Store) (address string) {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	role := fleet.NewSecret()
	g, err := gateway.New(gateway.Options{
		Addr: "127.0.0.1:0", Accounts: gateway.Accounts{Operator: gateway.NewSecret(secret), Role: role},
		Clock: dayLater{}, Logger: log, Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	c, err := collector.New(collector.Options{
		ID: "c", Dir: b.TempDir(), Clock: dayLater{}, Store: store, Logger: log, Registry: prometheus.NewRegistry(),
		Feeds:        []decode.Feed{{Topic: "nhip/in/position/+", Format: "position", Agency: "hanoi"}},
		Broker:       mqtt.Options{URL: g.URL(), ClientID: "collector", Username: "collector", Password: role},
		JournalBytes: 4 << 30, DeadBytes: 1 << 30, Late: nhip.LateWindow,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(g.Start(c), c.Start(b.Context())); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx := context.Background()
		if err := errors.Join(g.StopAccepting(ctx), c.Stop(ctx), g.Stop(ctx)); err != nil {
			b.Error(err)
		}
	})
	return g.Addr()
}

// hook is the least that makes the broker library's acknowledgements durable: it appends payloads to a file. Payloads
// that arrive during a sync share the next one.
type hook struct {
	broker.HookBase
	file    *os.File
	pending chan pending
}

// pending is a payload that waits for its sync.
type pending struct {
	payload []byte
	synced  chan error
}

func (h *hook) ID() string { return "hook" }

func (h *hook) Provides(b byte) bool {
	return b == broker.OnConnectAuthenticate || b == broker.OnACLCheck || b == broker.OnPublish
}

func (h *hook) OnConnectAuthenticate(*broker.Client, packets.Packet) bool { return true }

func (h *hook) OnACLCheck(*broker.Client, string, bool) bool { return true }

func (h *hook) OnPublish(_ *broker.Client, pk packets.Packet) (packets.Packet, error) {
	p := pending{pk.Payload, make(chan error, 1)}
	h.pending <- p
	if err := <-p.synced; err != nil {
		return pk, packets.ErrRejectPacket
	}
	return pk, packets.CodeSuccessIgnore
}

// commit writes batches until the channel is closed.
func (h *hook) commit() {
	var batch []pending
	for first := range h.pending {
		batch = append(batch[:0], first)
		for len(h.pending) > 0 {
			batch = append(batch, <-h.pending)
		}
		var all []byte
		for _, p := range batch {
			all = append(all, p.payload...)
		}
		_, err := h.file.Write(all)
		err = errors.Join(err, h.file.Sync())
		for _, p := range batch {
			p.synced <- err
		}
	}
}

// startHook serves until the benchmark ends.
func startHook(b *testing.B) (address string) {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "hook"))
	if err != nil {
		b.Fatal(err)
	}
	h := &hook{file: file, pending: make(chan pending, 1<<14)} // more than the crowd has in flight
	var committing sync.WaitGroup
	committing.Go(h.commit)
	server := broker.New(&broker.Options{InlineClient: false, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := errors.Join(server.AddHook(h, nil), server.AddListener(l), server.Serve()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		err := server.Close()
		close(h.pending)
		committing.Wait()
		if err := errors.Join(err, file.Close()); err != nil {
			b.Error(err)
		}
	})
	return l.Address()
}
