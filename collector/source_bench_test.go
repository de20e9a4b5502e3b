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
	"nhip/internal/awaittest"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/consume"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/publish"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/prometheus/client_golang/prometheus"
)

// The backlog of BenchmarkSource: positions of all buses in turn.
const (
	backlog            = 200_000 // messages
	backlogBuses       = 2_500
	backlogConnections = 16 // that publish it
)

// BenchmarkSource consumes a backlog of QoS 1 messages from Mosquitto in four ways:
//
//   - bare: a paho client with a buffered connection and batched acknowledgements, which ignores the messages;
//   - source: our source with an acceptor that acknowledges at once;
//   - acked: the whole collector until all messages are acknowledged, while it processes them in the background;
//   - stored: the same until all rows are stored in a real InfluxDB.
//
// The CPU time is that of this process.
func BenchmarkSource(b *testing.B) {
	var bare float64
	for _, c := range []struct {
		name    string
		consume func(b *testing.B, broker *mqtttest.Broker) (start, stop func())
	}{
		{"bare", consumeBare}, {"source", consumeSource}, {"acked", consumeAcked}, {"stored", consumeStored},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took, cpu time.Duration
			for range b.N {
				b.StopTimer()
				broker := mqtttest.Mosquitto(b)
				start, stop := c.consume(b, broker)
				publishBacklog(b, broker)
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

// publishBacklog publishes the backlog while the collector's session is offline.
func publishBacklog(b *testing.B, broker *mqtttest.Broker) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	o := broker.Options(mqtttest.Gateway)
	o.ClientID = "bench-devices"
	publisher, err := publish.Dial(ctx, publish.Options{Options: o, Connections: backlogConnections})
	if err != nil {
		b.Fatal(err)
	}
	for i := range backlog {
		at := noon.Add(time.Duration(i/backlogBuses) * time.Second)
		payload := benchPayload(at, 21+float64(i%backlogBuses)/1e4)
		if err := publisher.Publish(ctx, fmt.Sprintf("nhip/in/position/%d", i%backlogBuses), payload); err != nil {
			b.Fatal(err)
		}
	}
	if err := publisher.Close(ctx); err != nil {
		b.Fatal(err)
	}
}

const benchFilter = "nhip/in/position/+"

func benchOptions(broker *mqtttest.Broker) mqtt.Options {
	o := broker.Options(mqtttest.Collector)
	o.ClientID = "bench-collector"
	return o
}

func consumeBare(b *testing.B, broker *mqtttest.Broker) (start, stop func()) {
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

// bufferedConn gathers writes until the writer pauses, and reads large chunks.
type bufferedConn struct {
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
	bc := &bufferedConn{
		Conn: c, r: bufio.NewReaderSize(c, size), w: bufio.NewWriterSize(c, size), kick: make(chan struct{}, 1),
	}
	go bc.flush()
	return bc, nil
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c *bufferedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.kick <- struct{}{}:
	default:
	}
	return c.w.Write(p)
}

// flush returns when the connection is closed.
func (c *bufferedConn) flush() {
	for range c.kick {
		c.mu.Lock()
		err := c.w.Flush()
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *bufferedConn) Close() error {
	err := c.Conn.Close()
	select { // makes flush notice the closed connection
	case c.kick <- struct{}{}:
	default:
	}
	return err
}

// countingAcceptor closes all when the whole backlog is done.
type countingAcceptor struct {
	nhip.Acceptor
	n   atomic.Int64
	all chan struct{}
}

func (a *countingAcceptor) Accept(m nhip.Message, done func(error)) {
	a.Acceptor.Accept(m, func(err error) {
		done(err)
		if a.n.Add(1) == backlog {
			close(a.all)
		}
	})
}

// nopAcceptor acknowledges messages at once.
type nopAcceptor struct{}

func (nopAcceptor) Accept(_ nhip.Message, done func(error)) { done(nil) }

func consumeSource(b *testing.B, broker *mqtttest.Broker) (start, stop func()) {
	return consumeWith(b, broker, nopAcceptor{})
}

// consumeWith creates a session of the source at the broker; start resumes it.
func consumeWith(b *testing.B, broker *mqtttest.Broker, acceptor nhip.Acceptor) (start, stop func()) {
	b.Helper()
	a := &countingAcceptor{Acceptor: acceptor, all: make(chan struct{})}
	source := func() *consume.Source {
		s, err := consume.New(consume.Options{
			Options: benchOptions(broker), Filters: []string{benchFilter}, Clock: &fakeClock{t: noon}, Acceptor: a,
		})
		if err != nil {
			b.Fatal(err)
		}
		s.Start()
		return s
	}
	first := source()
	awaittest.True(b, "the source is subscribed", first.Connected)
	if err := first.Stop(b.Context()); err != nil {
		b.Fatal(err)
	}
	var second *consume.Source
	return func() { second = source(); <-a.all }, func() {
		if err := second.Stop(b.Context()); err != nil {
			b.Error(err)
		}
	}
}

// nopStore is a database that discards all rows.
type nopStore struct{}

func (nopStore) Write(context.Context, []byte) error { return nil }

func consumeAcked(b *testing.B, broker *mqtttest.Broker) (start, stop func()) {
	return consumeWithCollector(b, broker, nopStore{}, func(*Collector) bool { return true })
}

func consumeStored(b *testing.B, broker *mqtttest.Broker) (start, stop func()) {
	return consumeWithCollector(b, broker, influxtest.Start(b), func(c *Collector) bool { return c.Pending() == 0 })
}

// consumeWithCollector consumes the backlog until all messages are acknowledged and done returns true.
func consumeWithCollector(b *testing.B, broker *mqtttest.Broker, store Store, done func(*Collector) bool) (start,
	stop func(),
) {
	b.Helper()
	live := broker.Options(mqtttest.Collector)
	live.ClientID = "bench-live"
	c, err := New(Options{
		ID: "c", Dir: b.TempDir(), Clock: &fakeClock{t: noon.Add(time.Minute)}, Store: store,
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
	consume, stopSource := consumeWith(b, broker, c)
	return func() {
			consume()
			awaittest.True(b, "the collector is done", func() bool { return done(c) })
		}, func() {
			stopSource()
			if err := c.Stop(b.Context()); err != nil {
				b.Error(err)
			}
		}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // can't fail for the own process
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
