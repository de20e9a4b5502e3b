package collector

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/await"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
)

// What waits at the broker in BenchmarkSource: one fix of each bus, as often as it takes.
const (
	backlog  = 200_000
	backBus  = 2_500
	backSend = 16 // connections that publish it
)

// BenchmarkSource works off a backlog of QoS 1 messages that waits in Mosquitto, in four ways: a bare
// paho client with a buffered connection and acknowledgements in batches, which does nothing with a
// message; our source with a door that answers at once; the whole collector until all is acknowledged,
// while behind it the ledger is kept and rows are put into the outbox; and the same until all is stored
// in a real InfluxDB. CPU is that of this process.
func BenchmarkSource(b *testing.B) {
	var bare float64
	for _, c := range []struct {
		name  string
		drain func(b *testing.B, broker *mqtttest.Broker) (start, stop func())
	}{
		{"bare", drainBare}, {"source", drainSource}, {"acked", drainAcked}, {"stored", drainStored},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took, cpu time.Duration
			for range b.N {
				b.StopTimer()
				broker := mqtttest.Mosquitto(b)
				start, stop := c.drain(b, broker)
				fill(b, broker)
				before, began := cpuTime(), time.Now()
				b.StartTimer()
				start()
				b.StopTimer()
				took += time.Since(began)
				cpu += cpuTime() - before
				stop()
				broker.Stop(b)
			}
			rate := backlog * float64(b.N) / took.Seconds()
			if c.name == "bare" {
				bare = rate
			}
			b.ReportMetric(rate, "msgs/s")
			b.ReportMetric(float64(cpu.Nanoseconds())/1e3/backlog/float64(b.N), "cpu-µs/msg")
			if bare > 0 {
				b.ReportMetric(rate/bare, "of-bare")
			}
		})
	}
}

// fill publishes the backlog for the session of the collector's account, which is away.
func fill(b *testing.B, broker *mqtttest.Broker) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	o := broker.Options(mqtttest.Gateway)
	o.ClientID = "bench-devices"
	fan, err := mqtt.DialFan(ctx, mqtt.FanOptions{Options: o, Lanes: backSend})
	if err != nil {
		b.Fatal(err)
	}
	for i := range backlog {
		at := noon.Add(time.Duration(i/backBus) * time.Second).Format(time.RFC3339)
		payload := fmt.Appendf(nil, `{"time":%q,"lat":%.5f,"lon":105.85,"speed":4.57,"bearing":265,"route":"32"}`, at, 21+float64(i%backBus)/1e4)
		if err := fan.Publish(ctx, fmt.Sprintf("nhip/in/position/%d", i%backBus), payload); err != nil {
			b.Fatal(err)
		}
	}
	if err := fan.Close(ctx); err != nil {
		b.Fatal(err)
	}
}

const benchFilter = "nhip/in/position/+"

func benchOptions(broker *mqtttest.Broker) mqtt.Options {
	o := broker.Options(mqtttest.Collector)
	o.ClientID = "bench-collector"
	return o
}

func drainBare(b *testing.B, broker *mqtttest.Broker) (start, stop func()) {
	messages := make(chan paho.Message, 1<<16)
	o := benchOptions(broker)
	client := paho.NewClient(paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).
		SetCustomOpenConnectionFn(dialBuffered).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { messages <- m }))
	connect := func() {
		if t := client.Connect(); t.Wait() && t.Error() != nil {
			b.Fatal(t.Error())
		}
	}
	connect()
	if t := client.Subscribe(benchFilter, 1, nil); t.Wait() && t.Error() != nil {
		b.Fatal(t.Error())
	}
	client.Disconnect(100) // ms
	return func() {
		connect()
		for range backlog {
			(<-messages).Ack()
		}
	}, func() { client.Disconnect(100) }
}

// buffered gathers what is written until the writer pauses, and reads in large pieces.
type buffered struct {
	net.Conn
	r    *bufio.Reader
	mu   sync.Mutex
	w    *bufio.Writer
	kick chan struct{}
}

func dialBuffered(uri *url.URL, _ paho.ClientOptions) (net.Conn, error) {
	c, err := net.Dial("tcp", uri.Host)
	if err != nil {
		return nil, err
	}
	const size = 64 << 10
	bc := &buffered{Conn: c, r: bufio.NewReaderSize(c, size), w: bufio.NewWriterSize(c, size), kick: make(chan struct{}, 1)}
	go bc.flush()
	return bc, nil
}

func (c *buffered) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *buffered) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.kick <- struct{}{}:
	default:
	}
	return c.w.Write(p)
}

// flush ends with the connection, which the benchmark's client closes.
func (c *buffered) flush() {
	for range c.kick {
		c.mu.Lock()
		err := c.w.Flush()
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *buffered) Close() error {
	err := c.Conn.Close()
	select { // the flush meets the closed connection
	case c.kick <- struct{}{}:
	default:
	}
	return err
}

// counted is a door that tells when the whole backlog has its outcome.
type counted struct {
	nhip.Door
	n   atomic.Int64
	all chan struct{}
}

func (d *counted) Accept(m nhip.Message, done func(error)) {
	d.Door.Accept(m, func(err error) {
		done(err)
		if d.n.Add(1) == backlog {
			close(d.all)
		}
	})
}

// open is a door that answers at once.
type open struct{}

func (open) Accept(_ nhip.Message, done func(error)) { done(nil) }

func drainSource(b *testing.B, broker *mqtttest.Broker) (start, stop func()) {
	return drainThrough(b, broker, open{})
}

// drainThrough leaves a session of the source at the broker, and comes back to it.
func drainThrough(b *testing.B, broker *mqtttest.Broker, door nhip.Door) (start, stop func()) {
	b.Helper()
	d := &counted{Door: door, all: make(chan struct{})}
	source := func() *mqtt.Source {
		s, err := mqtt.NewSource(mqtt.SourceOptions{Options: benchOptions(broker), Filters: []string{benchFilter}, Clock: &hands{t: noon}, Door: d})
		if err != nil {
			b.Fatal(err)
		}
		s.Start()
		return s
	}
	first := source()
	await.True(b, "the source is subscribed", first.Connected)
	if err := first.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
	var second *mqtt.Source
	return func() { second = source(); <-d.all }, func() {
		if err := second.Stop(b.Context()); err != nil {
			b.Error(err)
		}
	}
}

// void is a database that takes everything.
type void struct{}

func (void) Write(context.Context, []byte) error { return nil }

func drainAcked(b *testing.B, broker *mqtttest.Broker) (start, stop func()) {
	return drainCollected(b, broker, void{}, func(*Collector) bool { return true })
}

func drainStored(b *testing.B, broker *mqtttest.Broker) (start, stop func()) {
	return drainCollected(b, broker, influxtest.Start(b), func(c *Collector) bool { return c.Pending() == 0 })
}

// drainCollected ends when everything is acknowledged and the collector is where it is to be.
func drainCollected(b *testing.B, broker *mqtttest.Broker, store Store, there func(*Collector) bool) (start, stop func()) {
	b.Helper()
	live := broker.Options(mqtttest.Collector)
	live.ClientID = "bench-live"
	c, err := New(Options{
		ID: "c", Dir: b.TempDir(), Clock: &hands{t: noon.Add(time.Minute)}, Store: store,
		Feeds:  []decode.Feed{{Topic: benchFilter, Format: "position", Agency: "hanoi"}},
		Broker: live, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		JournalBytes: 4 << 30, DeadBytes: 1 << 30, Late: nhip.LateWindow,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	drain, end := drainThrough(b, broker, c)
	return func() {
			drain()
			await.True(b, "the collector is through", func() bool { return there(c) })
		}, func() {
			end()
			if err := c.Stop(b.Context()); err != nil {
				b.Error(err)
			}
		}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // can't fail for oneself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
