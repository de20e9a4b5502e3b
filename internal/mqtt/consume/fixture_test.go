package consume_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/consume"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/publish"

	"github.com/prometheus/client_golang/prometheus"
)

var deviceTopics = []string{"nhip/in/position/1", "nhip/in/position/2", "nhip/in/position/3"}

var errDiskFull = errors.New("no space left on device")

// recorder is an acceptor that records what it accepts. A rejection comes from another goroutine, as a journal's does.
type recorder struct {
	mu       sync.Mutex
	accepted []nhip.Message
	pending  []func(error) // the answers that it holds back
	full     bool          // reject every message
	hold     bool          // hold the answers back
}

// Accept implements nhip.Acceptor.
func (r *recorder) Accept(m nhip.Message, done func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.full:
		go done(errDiskFull)
	case r.hold:
		r.pending = append(r.pending, done)
	default:
		r.accepted = append(r.accepted, m)
		done(nil)
	}
}

func (r *recorder) with(do func(*recorder)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(r)
}

// payloads returns the accepted payloads by topic, without redelivered copies.
func (r *recorder) payloads() map[string][]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := make(map[string]bool)
	all := make(map[string][]string)
	for _, m := range r.accepted {
		if key := m.Topic + " " + string(m.Payload); !seen[key] {
			seen[key] = true
			all[m.Topic] = append(all[m.Topic], string(m.Payload))
		}
	}
	return all
}

// wait waits until n different payloads were accepted on each topic.
func (r *recorder) wait(t *testing.T, n int, topics ...string) {
	t.Helper()
	awaittest.True(t, fmt.Sprintf("%d messages on each of %d topics", n, len(topics)), func() bool {
		all := r.payloads()
		for _, topic := range topics {
			if len(all[topic]) < n {
				return false
			}
		}
		return true
	})
}

// checkOrder checks that the payloads of each topic are the numbers from 0 upwards.
func (r *recorder) checkOrder(t *testing.T) {
	t.Helper()
	for topic, got := range r.payloads() {
		for i, payload := range got {
			if payload != strconv.Itoa(i) {
				t.Fatalf("%s: message %d is %s", topic, i, payload)
			}
		}
	}
}

// testBroker is a broker that the same tests run against.
type testBroker struct {
	url     string
	options func(user string) mqtt.Options
	ordered bool // it delivers the messages of a session in the order in which they were published
}

// eachBroker runs a test against Mosquitto and against the embedded broker.
func eachBroker(t *testing.T, test func(*testing.T, testBroker)) {
	t.Run("mosquitto", func(t *testing.T) {
		test(t, startMosquitto(t))
	})
	t.Run("embedded", func(t *testing.T) {
		test(t, embeddedAt(mqtttest.Start(t)))
	})
}

func startMosquitto(t *testing.T) testBroker {
	t.Helper()
	return mosquittoAt(mqtttest.Mosquitto(t))
}

func mosquittoAt(b *mqtttest.Broker) testBroker { return testBroker{b.URL, b.Options, true} }

func embeddedAt(url string) testBroker {
	return testBroker{url, func(user string) mqtt.Options { return mqtt.Options{URL: url, ClientID: user} }, false}
}

// fixture is a source with its acceptor, log and metrics.
type fixture struct {
	*consume.Source
	broker   testBroker
	acceptor *recorder
	log      *mqtttest.Log
	registry *prometheus.Registry
}

// startSource starts a source with the collector's account; change may alter its options.
func startSource(t *testing.T, b testBroker, change ...func(*consume.Options)) fixture {
	t.Helper()
	f := fixture{broker: b, acceptor: &recorder{}, log: &mqtttest.Log{}, registry: prometheus.NewRegistry()}
	o := consume.Options{
		Options: b.options(mqtttest.Collector), Filters: []string{"nhip/in/position/+"},
		Clock: nhip.WallClock{}, Acceptor: f.acceptor, Registry: f.registry,
	}
	o.Logger = f.log.Logger()
	for _, c := range change {
		c(&o)
	}
	var err error
	if f.Source, err = consume.New(consume.ShortPauses(o)); err != nil {
		t.Fatal(err)
	}
	f.Start()
	t.Cleanup(func() { _ = f.stop() })
	return f
}

// through makes a source connect by a proxy.
func through(proxy *mqtttest.Proxy) func(*consume.Options) {
	return func(o *consume.Options) { o.URL = proxy.URL }
}

func (f fixture) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
	defer cancel()
	return f.Stop(ctx)
}

func (f fixture) waitConnected(t *testing.T) {
	t.Helper()
	awaittest.True(t, "the source is connected", f.Connected)
}

// wait waits until the numbers from 0 to n-1 were accepted on each topic, in order if the broker keeps it.
func (f fixture) wait(t *testing.T, n int, topics ...string) {
	t.Helper()
	f.acceptor.wait(t, n, topics...)
	if f.broker.ordered {
		f.acceptor.checkOrder(t)
	}
}

// metric returns the value of one of the source's metrics.
func (f fixture) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "nhip_source_"+name {
			m := family.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// publisher publishes with QoS 1 for devices.
type publisher struct {
	t    *testing.T
	pool *publish.Pool
}

func newPublisher(t *testing.T, o mqtt.Options) publisher {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	pool, err := publish.Dial(ctx, publish.Options{Options: o, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
		defer cancel()
		_ = pool.Close(ctx) // the broker may be gone
	})
	return publisher{t, pool}
}

// waitAcked waits for n acknowledgements of the broker.
func (p publisher) waitAcked(n int) {
	p.t.Helper()
	awaittest.True(p.t, fmt.Sprintf("%d acknowledgements", n), func() bool { return p.pool.Acked() >= int64(n) })
}

// publish publishes the numbers from first to before end on each topic.
func (p publisher) publish(first, end int, topics ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
	defer cancel()
	for i := first; i < end; i++ {
		for _, topic := range topics {
			if err := p.pool.Publish(ctx, topic, []byte(strconv.Itoa(i))); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}
