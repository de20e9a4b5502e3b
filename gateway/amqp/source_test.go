package amqp_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"

	"nhip"
	"nhip/gateway/amqp"
	"nhip/gateway/amqp/amqptest"
	"nhip/internal/awaittest"
	"nhip/internal/task"

	"github.com/prometheus/client_golang/prometheus"
	amqp091 "github.com/rabbitmq/amqp091-go"
)

var errDiskFull = errors.New("no space left on device")

// recorder is an acceptor that records what it accepts.
type recorder struct {
	mu       sync.Mutex
	accepted []nhip.Message
	err      error // rejects every message
	asked    int   // how often
	hold     bool  // hold the answers back
	pending  []func(error)
}

// Accept implements nhip.Acceptor.
func (r *recorder) Accept(m nhip.Message, done func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	switch {
	case r.err != nil:
		go done(r.err)
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

// payloads returns the accepted payloads, without repetitions.
func (r *recorder) payloads() (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := make(map[string]bool)
	for _, m := range r.accepted {
		if p := string(m.Payload); !seen[p] {
			seen[p] = true
			all = append(all, p)
		}
	}
	return all
}

func (r *recorder) await(t *testing.T, n int) {
	t.Helper()
	awaittest.True(t, strconv.Itoa(n)+" messages are accepted", func() bool { return len(r.payloads()) >= n })
	for i, p := range r.payloads() {
		if p != strconv.Itoa(i) {
			t.Fatalf("message %d is %s", i, p)
		}
	}
}

// syncBuffer is a log.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// String returns the log.
func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

type fixture struct {
	*amqp.Source
	acceptor *recorder
	log      *syncBuffer
	registry *prometheus.Registry
	tasks    *task.Group
}

// start runs a source of the queue until the test ends.
func start(t *testing.T, url, queue string, change ...func(*amqp.Options)) fixture {
	t.Helper()
	f := fixture{
		acceptor: &recorder{}, log: &syncBuffer{}, registry: prometheus.NewRegistry(), tasks: task.NewGroup(),
	}
	o := amqp.Options{
		Name: "buses", URL: url, Queue: queue, Format: "ufms-bus", MaxBytes: 1000, Acceptor: f.acceptor,
		Clock: nhip.WallClock{}, Logger: slog.New(slog.NewTextHandler(f.log, nil)), Registry: f.registry,
	}
	amqp.ShortPauses(&o)
	for _, c := range change {
		c(&o)
	}
	var err error
	if f.Source, err = amqp.New(o); err != nil {
		t.Fatal(err)
	}
	f.tasks.Go("source", f.Run)
	t.Cleanup(func() { f.stop(t) })
	return f
}

func (f fixture) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), awaittest.Timeout)
	defer cancel()
	if err := f.tasks.Stop(ctx); err != nil {
		t.Error(err)
	}
	if log := f.log.String(); strings.Contains(log, amqptest.Password) || strings.Contains(log, "s3cret") {
		t.Errorf("the log has the password:\n%s", log)
	}
}

func (f fixture) awaitFault(t *testing.T, part string) {
	t.Helper()
	last := ""
	defer func() {
		if t.Failed() {
			t.Logf("the fault is %q", last)
		}
	}()
	awaittest.True(t, "the fault names: "+part, func() bool {
		last = f.Fault()
		return strings.Contains(last, part)
	})
}

func (f fixture) awaitConnected(t *testing.T) {
	t.Helper()
	awaittest.True(t, "the source is connected", func() bool { return f.Fault() == "" })
}

// metric returns the value of one of the source's metrics.
func (f fixture) metric(t *testing.T, name string) float64 {
	t.Helper()
	families, err := f.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "nhip_gateway_amqp_"+name {
			m := family.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

func (f fixture) awaitMetric(t *testing.T, name string, want float64) {
	t.Helper()
	awaittest.True(t, name+" is "+strconv.FormatFloat(want, 'f', -1, 64), func() bool { return f.metric(t, name) == want })
}

// numbers returns the numbers from first to before end.
func numbers(first, end int) (all [][]byte) {
	for i := first; i < end; i++ {
		all = append(all, []byte(strconv.Itoa(i)))
	}
	return all
}

// TestSource runs all on one broker, which takes seconds to start.
func TestSource(t *testing.T) {
	b := amqptest.RabbitMQ(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *amqptest.Broker, string)
	}{
		{"messages are stored, then acknowledged", storesThenAcknowledges},
		{"a held message stays at the broker", heldMessageStays},
		{"a message that can't be stored is tried again here", fullDiskIsTriedHere},
		{"a message that can never be stored is rejected once", permanentIsRejectedOnce},
		{"a large message is cut", largeMessageIsCut},
		{"a missing queue is named, and used once it exists", missingQueueIsNamed},
		{"a deleted queue cancels", deletedQueueCancels},
		{"TLS", overTLS},
		{"a wrong log-in is named", wrongLoginIsNamed},
		{"stopping waits for what is being stored", stoppingWaits},
		{"stopping does not wait for what can't be stored", stoppingLeavesWhatFails},
		{"a killed broker loses nothing", killedBrokerLosesNothing}, // last: it restarts the broker
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, b, strings.ReplaceAll(c.name, " ", "-")) })
	}
}

func storesThenAcknowledges(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	b.Publish(t, queue, numbers(0, 1000)...)
	f := start(t, b.URL(), queue)
	f.acceptor.await(t, 1000)
	f.awaitMetric(t, "acked_total", 1000)
	f.acceptor.with(func(r *recorder) {
		if m := r.accepted[0]; m.Topic != "nhip/in/ufms-bus/buses" || m.Client != "buses" || m.Size != 0 {
			t.Errorf("message %+v", m)
		}
	})
	f.stop(t)
	if n := b.Ready(t, queue); n != 0 {
		t.Errorf("%d messages are left", n)
	}
}

// heldMessageStays: what has no outcome when the source ends is delivered again, and the broker never has more than the
// prefetch out.
func heldMessageStays(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	b.Publish(t, queue, numbers(0, 600)...)
	f := start(t, b.URL(), queue)
	f.acceptor.with(func(r *recorder) { r.hold = true })
	awaittest.True(t, "the prefetch is used up", func() bool {
		held := 0
		f.acceptor.with(func(r *recorder) { held = len(r.pending) + len(r.accepted) })
		return held >= 256
	})
	f.acceptor.with(func(r *recorder) {
		if r.asked > 600 || len(r.pending) > 256 {
			t.Errorf("%d messages are held", len(r.pending))
		}
		r.pending[len(r.pending)-1](nil) // the last is stored first: nothing may be acknowledged
	})
	accepted := 0
	f.acceptor.with(func(r *recorder) { accepted = len(r.accepted) })
	if got := f.metric(t, "acked_total"); got > float64(accepted) {
		t.Errorf("%v are acknowledged, %d stored in order", got, accepted)
	}
	f.tasks.Cancel()
	again := start(t, b.URL(), queue)
	again.acceptor.with(func(r *recorder) { r.accepted = nil })
	f.stop(t) // gives up waiting, and closes the connection
	awaittest.True(t, "the rest is delivered again", func() bool {
		return len(again.acceptor.payloads())+accepted >= 600
	})
	if again.metric(t, "redelivered_total") == 0 {
		t.Error("no redelivery is counted")
	}
}

func fullDiskIsTriedHere(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	f := start(t, b.URL(), queue)
	f.awaitConnected(t)
	f.acceptor.with(func(r *recorder) { r.err = errDiskFull })
	b.Publish(t, queue, numbers(0, 50)...)
	f.awaitFault(t, "not stored and wait at the broker: "+errDiskFull.Error())
	before := f.metric(t, "retries_total")
	awaittest.True(t, "it is tried again", func() bool { return f.metric(t, "retries_total") > before+2 })
	if f.metric(t, "redelivered_total") != 0 || f.metric(t, "connections_total") != 1 || f.metric(t, "acked_total") != 0 {
		t.Error("messages were given back to the broker")
	}
	if n := strings.Count(f.log.String(), "not stored and wait"); n != 1 {
		t.Errorf("%d log lines:\n%s", n, f.log)
	}
	f.acceptor.with(func(r *recorder) { r.err = nil })
	f.acceptor.await(t, 50)
	f.awaitMetric(t, "acked_total", 50)
	f.awaitConnected(t)
	if n := f.metric(t, "redelivered_total"); n != 0 {
		t.Errorf("%v redeliveries", n)
	}
}

func permanentIsRejectedOnce(t *testing.T, b *amqptest.Broker, queue string) {
	ch := b.Channel(t)
	b.Declare(t, queue+"-dead")
	if _, err := ch.QueueDeclare(queue, true, false, false, false, amqp091.Table{
		"x-dead-letter-exchange": "", "x-dead-letter-routing-key": queue + "-dead",
	}); err != nil {
		t.Fatal(err)
	}
	f := start(t, b.URL(), queue)
	f.awaitConnected(t)
	f.acceptor.with(func(r *recorder) { r.err = nhip.Errorf(nhip.CodeTooLarge, "", "the limit is 1 byte") })
	b.Publish(t, queue, []byte("x"))
	f.awaitMetric(t, "rejected_total", 1)
	f.acceptor.with(func(r *recorder) { r.err = nil })
	b.Publish(t, queue, []byte("0"))
	f.acceptor.await(t, 1)
	awaittest.True(t, "the broker has it as a dead letter", func() bool { return b.Ready(t, queue+"-dead") == 1 })
	f.acceptor.with(func(r *recorder) {
		if r.asked != 2 {
			t.Errorf("asked %d times", r.asked)
		}
	})
}

func largeMessageIsCut(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	sizes := []int{0, 999, 1000, 1001, 131_000, 400_000, 3, 5_000_000, 7}
	var messages [][]byte
	for _, n := range sizes {
		messages = append(messages, bytes.Repeat([]byte("x"), n))
	}
	b.Publish(t, queue, messages...)
	f := start(t, b.URL(), queue)
	f.awaitMetric(t, "acked_total", float64(len(sizes)))
	f.awaitMetric(t, "too_large_total", 4)
	f.acceptor.with(func(r *recorder) {
		for i, m := range r.accepted {
			want := int64(0)
			if sizes[i] > 1000 {
				want = int64(sizes[i])
			}
			if len(m.Payload) != min(sizes[i], 1000) || cap(m.Payload) > 200_000 || m.Size != want {
				t.Errorf("%d bytes: %d arrive, size %d, want %d", sizes[i], len(m.Payload), m.Size, want)
			}
		}
	})
}

func missingQueueIsNamed(t *testing.T, b *amqptest.Broker, queue string) {
	f := start(t, b.URL(), queue)
	f.awaitFault(t, `queue "`+queue+`" does not exist at 127.0.0.1:`)
	if n := strings.Count(f.log.String(), "does not exist"); n != 1 {
		t.Errorf("%d log lines:\n%s", n, f.log)
	}
	b.Declare(t, queue)
	b.Publish(t, queue, numbers(0, 3)...)
	f.acceptor.await(t, 3)
	f.awaitConnected(t)
}

func deletedQueueCancels(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	f := start(t, b.URL(), queue)
	b.Publish(t, queue, numbers(0, 1)...)
	f.acceptor.await(t, 1)
	f.awaitMetric(t, "acked_total", 1)
	if _, err := b.Channel(t).QueueDelete(queue, false, false, false); err != nil {
		t.Fatal(err)
	}
	f.awaitFault(t, "does not exist")
	if !strings.Contains(f.log.String(), "the broker has cancelled the consumer") {
		t.Errorf("log:\n%s", f.log)
	}
	b.Declare(t, queue)
	b.Publish(t, queue, numbers(1, 2)...)
	f.acceptor.await(t, 2)
}

func overTLS(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	b.Publish(t, queue, numbers(0, 300)...)
	f := start(t, b.TLSURL(), queue, func(o *amqp.Options) { o.Roots = b.Roots })
	f.acceptor.await(t, 300)
	other := start(t, b.TLSURL(), queue, func(o *amqp.Options) { o.Roots = x509.NewCertPool() })
	other.awaitFault(t, "certificate")
}

func wrongLoginIsNamed(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	f := start(t, b.WithoutPassword(), queue, func(o *amqp.Options) { o.Password = "wr0ng s3cret" })
	f.awaitFault(t, "refuses the user name or the password")
	right := start(t, b.WithoutPassword(), queue, func(o *amqp.Options) { o.Password = amqptest.Password })
	right.awaitConnected(t)
	vhost := start(t, b.WithoutPassword()+"/elsewhere", queue, func(o *amqp.Options) { o.Password = amqptest.Password })
	vhost.awaitFault(t, `"elsewhere"`)
}

func stoppingWaits(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	f := start(t, b.URL(), queue)
	f.acceptor.with(func(r *recorder) { r.hold = true })
	b.Publish(t, queue, numbers(0, 10)...)
	held := func() (n int) { f.acceptor.with(func(r *recorder) { n = len(r.pending) }); return n }
	awaittest.True(t, "ten are being stored", func() bool { return held() == 10 })
	f.tasks.Cancel()
	f.acceptor.with(func(r *recorder) {
		for _, done := range r.pending {
			go done(nil)
		}
	})
	f.stop(t)
	if n := b.Ready(t, queue); n != 0 {
		t.Errorf("%d messages were not acknowledged", n)
	}
}

func stoppingLeavesWhatFails(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	f := start(t, b.URL(), queue)
	f.awaitConnected(t)
	f.acceptor.with(func(r *recorder) { r.err = errDiskFull })
	b.Publish(t, queue, numbers(0, 20)...)
	f.awaitFault(t, "not stored and wait at the broker")
	f.stop(t)
	if log := f.log.String(); strings.Contains(log, "not stored in time") {
		t.Errorf("it waited for messages that had failed:\n%s", log)
	}
	awaittest.True(t, "the broker has all messages", func() bool { return b.Ready(t, queue) == 20 })
}

// killedBrokerLosesNothing kills the broker with messages on the way. Confirmed messages of a durable queue are all
// accepted in the end.
func killedBrokerLosesNothing(t *testing.T, b *amqptest.Broker, queue string) {
	b.Declare(t, queue)
	f := start(t, b.URL(), queue)
	f.awaitConnected(t)
	b.Publish(t, queue, numbers(0, 200)...)
	f.acceptor.with(func(r *recorder) { r.hold = true })
	b.Publish(t, queue, numbers(200, 300)...)
	b.Kill()
	f.awaitFault(t, "")                 // any
	f.acceptor.with(func(r *recorder) { // answers for the lost connection change nothing
		for _, done := range r.pending {
			done(nil)
		}
		r.hold, r.pending = false, nil
	})
	awaittest.True(t, "the loss is noticed", func() bool { return f.Fault() != "" && f.metric(t, "connected") == 0 })
	b.Start(t)
	f.awaitConnected(t)
	b.Publish(t, queue, numbers(300, 400)...)
	awaittest.True(t, "all are accepted", func() bool { return len(f.acceptor.payloads()) == 400 })
	awaittest.True(t, "the queue is empty", func() bool { return f.metric(t, "unacked") == 0 && b.Ready(t, queue) == 0 })
}

func TestInvalidURLKeepsItsPassword(t *testing.T) {
	_, err := amqp.New(amqp.Options{URL: "amqp://user:s3cret@ho st/", Registry: prometheus.NewRegistry()})
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %v", err)
	}
}
