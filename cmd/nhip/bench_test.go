package main

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

// BenchmarkDoor counts messages that devices are acknowledged for when they are on disk: through the
// gateway and the whole collector, without a database and with InfluxDB on the same cores, in turns
// with the same broker library under a hook that can nothing but append, sync and acknowledge. The
// ratios are the rates to that of the hook.
func BenchmarkDoor(b *testing.B) {
	const conns, window, turn = 200, 10, time.Second
	mqtttest.NeedDisk(b)
	const secret = "benchmark"
	contestant := func(address string) *mqtttest.Contestant {
		return &mqtttest.Contestant{Crowd: mqtttest.StartCrowd(b, address, secret, conns, window)}
	}
	hook := contestant(startHook(b))
	door := contestant(startDoor(b, secret, nowhere{}))
	stored := contestant(startDoor(b, secret, influxtest.Start(b)))
	for b.Loop() {
		for _, c := range []*mqtttest.Contestant{hook, door, stored} {
			c.Take(b, turn)
		}
	}
	b.ReportMetric(0, "ns/op") // an op is a turn of each
	b.ReportMetric(hook.Rate(), "hook-msgs/s")
	b.ReportMetric(door.Rate()/hook.Rate(), "of-hook")
	b.ReportMetric(stored.Rate()/hook.Rate(), "stored-of-hook")
	b.ReportMetric(float64(door.CPU.Microseconds())/float64(door.Messages), "cpu-µs/msg")
	b.ReportMetric(float64(door.P99.Microseconds())/1000, "p99-ms")
}

// nowhere is a database that takes everything.
type nowhere struct{}

func (nowhere) Write(context.Context, []byte) error { return nil }

// later is a clock by which what a crowd says has been for a day.
type later struct{}

func (later) Now() time.Time { return mqtttest.CrowdBegin.AddDate(0, 0, 1) }

// startDoor runs a gateway and a collector until the benchmark ends.
func startDoor(b *testing.B, secret string, store collector.Store) (address string) {
	b.Helper()
	log := slog.New(slog.DiscardHandler)
	role := fleet.NewSecret()
	g, err := gateway.New(gateway.Options{
		Addr: "127.0.0.1:0", Accounts: gateway.Accounts{Operator: secret, Role: role}, Clock: later{}, Logger: log, Registry: prometheus.NewRegistry(),
	})
	if err != nil {
		b.Fatal(err)
	}
	c, err := collector.New(collector.Options{
		ID: "c", Dir: b.TempDir(), Clock: later{}, Store: store,
		Feeds:  []decode.Feed{{Topic: "nhip/in/position/+", Format: "position", Agency: "hanoi"}},
		Broker: mqtt.Options{URL: g.URL(), ClientID: "collector", Username: "collector", Password: role}, Logger: log, Registry: prometheus.NewRegistry(),
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
		if err := errors.Join(g.CloseDoor(ctx), c.Stop(ctx), g.Stop(ctx)); err != nil {
			b.Error(err)
		}
	})
	return g.Addr()
}

// hook is the least that makes the broker library's acknowledgements durable: it appends payloads to a
// file, and those that come in meanwhile share the next sync.
type hook struct {
	broker.HookBase
	file  *os.File
	taken chan taken
}

// taken is a payload and whom to tell that it is on disk.
type taken struct {
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
	t := taken{pk.Payload, make(chan error, 1)}
	h.taken <- t
	if err := <-t.synced; err != nil {
		return pk, packets.ErrRejectPacket
	}
	return pk, packets.CodeSuccessIgnore
}

// commit ends with the channel.
func (h *hook) commit() {
	var batch []taken
	for first := range h.taken {
		batch = append(batch[:0], first)
		for len(h.taken) > 0 {
			batch = append(batch, <-h.taken)
		}
		var all []byte
		for _, t := range batch {
			all = append(all, t.payload...)
		}
		_, err := h.file.Write(all)
		err = errors.Join(err, h.file.Sync())
		for _, t := range batch {
			t.synced <- err
		}
	}
}

// startHook serves until the benchmark ends, and after the crowd.
func startHook(b *testing.B) (address string) {
	b.Helper()
	file, err := os.Create(filepath.Join(b.TempDir(), "hook"))
	if err != nil {
		b.Fatal(err)
	}
	h := &hook{file: file, taken: make(chan taken, 1<<14)} // more than the crowd has on the way
	var committing sync.WaitGroup
	committing.Go(h.commit)
	server := broker.New(&broker.Options{InlineClient: false, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := errors.Join(server.AddHook(h, nil), server.AddListener(l), server.Serve()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		err := server.Close()
		close(h.taken)
		committing.Wait()
		if err := errors.Join(err, file.Close()); err != nil {
			b.Error(err)
		}
	})
	return l.Address()
}
