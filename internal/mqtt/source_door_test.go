package mqtt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"

	"nhip"
	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
)

var errDiskFull = errors.New("no space left on device")

// shelf is a door that remembers what it took. It answers from a goroutine of its own, as a journal
// does.
type shelf struct {
	mu     sync.Mutex
	took   []nhip.Message
	held   []func(error) // what it has not answered yet
	full   bool          // it takes nothing
	silent bool          // it keeps its answers
}

// Accept takes or refuses a message.
func (s *shelf) Accept(m nhip.Message, done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.full:
		go done(errDiskFull)
	case s.silent:
		s.held = append(s.held, done)
	default:
		s.took = append(s.took, m)
		done(nil)
	}
}

func (s *shelf) set(change func(*shelf)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// payloads returns what was taken of each topic, without what came again.
func (s *shelf) payloads() map[string][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := make(map[string]bool)
	all := make(map[string][]string)
	for _, m := range s.took {
		if key := m.Topic + " " + string(m.Payload); !seen[key] {
			seen[key] = true
			all[m.Topic] = append(all[m.Topic], string(m.Payload))
		}
	}
	return all
}

// wants waits until the numbers from 0 to n-1 were taken of each topic.
func (s *shelf) wants(t *testing.T, n int, topics ...string) {
	t.Helper()
	await.True(t, fmt.Sprintf("%d messages of each of %d topics", n, len(topics)), func() bool {
		all := s.payloads()
		for _, topic := range topics {
			if len(all[topic]) < n {
				return false
			}
		}
		return true
	})
}

// inOrder checks that each topic's numbers were taken from 0 upwards.
func (s *shelf) inOrder(t *testing.T) {
	t.Helper()
	for topic, got := range s.payloads() {
		for i, payload := range got {
			if payload != strconv.Itoa(i) {
				t.Fatalf("%s: message %d is %s", topic, i, payload)
			}
		}
	}
}

// logbook is a log that a test can read.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write takes a line.
func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

func (l *logbook) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// testBroker is a broker that the same tests run against.
type testBroker struct {
	url     string
	options func(user string) mqtt.Options
	ordered bool // what it kept is delivered in the order in which it was said
}

// eachBroker runs a test against Mosquitto and against the library of the embedded broker.
func eachBroker(t *testing.T, test func(*testing.T, testBroker)) {
	t.Run("mosquitto", func(t *testing.T) {
		test(t, mosquitto(t))
	})
	t.Run("mochi", func(t *testing.T) {
		url := mqtttest.Start(t)
		test(t, testBroker{url, func(user string) mqtt.Options { return mqtt.Options{URL: url, ClientID: user} }, false})
	})
}

func mosquitto(t *testing.T) testBroker {
	t.Helper()
	b := mqtttest.Mosquitto(t)
	return testBroker{b.URL, b.Options, true}
}

// heard is a source in a test.
type heard struct {
	*mqtt.Source
	broker  testBroker
	door    *shelf
	log     *logbook
	numbers *prometheus.Registry
}

// listen starts a source as the collector's; change may alter its options.
func listen(t *testing.T, b testBroker, change ...func(*mqtt.SourceOptions)) heard {
	t.Helper()
	h := heard{broker: b, door: &shelf{}, log: &logbook{}, numbers: prometheus.NewRegistry()}
	o := mqtt.SourceOptions{
		Options: b.options(mqtttest.Collector), Filters: []string{"nhip/in/position/+"},
		Clock: nhip.WallClock{}, Door: h.door, Registry: h.numbers,
	}
	o.Logger = slog.New(slog.NewTextHandler(h.log, nil))
	for _, c := range change {
		c(&o)
	}
	var err error
	if h.Source, err = mqtt.NewSource(mqtt.Hasty(o)); err != nil {
		t.Fatal(err)
	}
	h.Start()
	t.Cleanup(func() { _ = h.stop() })
	return h
}

// across makes a source's line a bridge.
func across(line *bridge) func(*mqtt.SourceOptions) {
	return func(o *mqtt.SourceOptions) { o.URL = line.url }
}

func (h heard) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	return h.Stop(ctx)
}

func (h heard) waitUp(t *testing.T) {
	t.Helper()
	await.True(t, "the source is connected", h.Connected)
}

// wants waits until all was taken, in order where the broker keeps it.
func (h heard) wants(t *testing.T, n int, topics ...string) {
	t.Helper()
	h.door.wants(t, n, topics...)
	if h.broker.ordered {
		h.door.inOrder(t)
	}
}

// number returns the value of one of the source's metrics.
func (h heard) number(t *testing.T, name string) float64 {
	t.Helper()
	families, err := h.numbers.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "nhip_source_"+name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// mouth publishes with QoS 1 for devices and waits for the acknowledgements.
type mouth struct {
	t   *testing.T
	fan *mqtt.Fan
}

func speak(t *testing.T, o mqtt.Options) mouth {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitFor)
	defer cancel()
	fan, err := mqtt.DialFan(ctx, mqtt.FanOptions{Options: o, Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = fan.Close(context.Background()) })
	return mouth{t, fan}
}

// settle waits until the broker has acknowledged so much.
func (m mouth) settle(n int) {
	m.t.Helper()
	await.True(m.t, fmt.Sprintf("%d acknowledgements", n), func() bool { return m.fan.Acked() >= int64(n) })
}

// say publishes the numbers from first to before last to each topic.
func (m mouth) say(first, last int, topics ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	for i := first; i < last; i++ {
		for _, topic := range topics {
			if err := m.fan.Publish(ctx, topic, []byte(strconv.Itoa(i))); err != nil {
				m.t.Fatal(err)
			}
		}
	}
}
