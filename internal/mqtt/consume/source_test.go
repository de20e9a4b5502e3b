package consume_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/consume"
	"nhip/internal/mqtt/mqtttest"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// stopLimit ends a Stop that can't succeed.
const stopLimit = 100 * time.Millisecond

func TestSourceReceivesMessagesPublishedWhileStopped(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		first := startSource(t, b)
		first.waitConnected(t)
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		if first.Connected() {
			t.Error("a stopped source is connected")
		}
		const n = 20
		p := newPublisher(t, b.options(mqtttest.Gateway))
		p.publish(0, n, deviceTopics...)
		p.waitAcked(n * len(deviceTopics))
		second := startSource(t, b)
		second.wait(t, n, deviceTopics...)
	})
}

// TestSourceLosesNothingWhenConnectionIsCut uses Mosquitto only: mochi drops messages that are published while the
// client reconnects.
func TestSourceLosesNothingWhenConnectionIsCut(t *testing.T) {
	b := startMosquitto(t)
	proxy := mqtttest.NewProxy(t, b.url)
	f := startSource(t, b, through(proxy))
	f.waitConnected(t)
	p := newPublisher(t, b.options(mqtttest.Gateway))
	const n, cuts = 300, 5
	for i := range cuts {
		p.publish(i*n/cuts, (i+1)*n/cuts, deviceTopics...)
		proxy.Cut()
	}
	f.wait(t, n, deviceTopics...)
	f.waitConnected(t)
	if proxy.Dialed() < 2 {
		t.Error("the connection was never cut")
	}
}

// TestFullSourceNoticesLostConnection uses Mosquitto only, like the test above: mochi drops messages between the two
// clients that take the session from each other.
func TestFullSourceNoticesLostConnection(t *testing.T) {
	b := startMosquitto(t)
	proxy := mqtttest.NewProxy(t, b.url)
	f := startSource(t, b, through(proxy), consume.SmallQueues)
	f.waitConnected(t)
	f.acceptor.with(func(r *recorder) { r.hold = true })
	const n = 30
	newPublisher(t, b.options(mqtttest.Gateway)).publish(0, n, deviceTopics...)
	awaittest.True(t, "the queues are full", func() bool {
		return f.metric(t, "unacked") == 5 && f.metric(t, "queue_length") == 10
	})
	proxy.Cut()
	awaittest.True(t, "the loss is logged", func() bool { return f.log.Count("lost the MQTT broker") == 1 })
	f.acceptor.with(func(r *recorder) { r.hold = false })
	takeOver(t, b.options(mqtttest.Collector)) // ends the connection that the source has opened since
	f.wait(t, n, deviceTopics...)
}

func TestSourceLosesNothingToClientWithSameID(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		f := startSource(t, b)
		f.waitConnected(t)
		f.acceptor.with(func(r *recorder) { r.hold = true })
		p := newPublisher(t, b.options(mqtttest.Gateway))
		const n = 30
		p.publish(0, n, deviceTopics...)
		awaittest.True(t, "the acceptor holds every message", func() bool {
			return f.metric(t, "unacked") == n*float64(len(deviceTopics))
		})
		f.acceptor.with(func(r *recorder) { r.hold = false })
		takeOver(t, b.options(mqtttest.Collector))
		f.wait(t, n, deviceTopics...)
		awaittest.True(t, "the loss is logged", func() bool { return f.log.Count("lost the MQTT broker") > 0 })
	})
}

// takeOver connects to the persistent session of a client id and disconnects.
func takeOver(t *testing.T, o mqtt.Options) {
	t.Helper()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(o.URL).SetClientID(o.ClientID).
		SetUsername(o.Username).SetPassword(o.Password).SetCleanSession(false).SetAutoAckDisabled(true).
		SetDefaultPublishHandler(func(paho.Client, paho.Message) {}))
	if token := c.Connect(); !token.WaitTimeout(awaittest.Timeout) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	c.Disconnect(0)
}

func TestSourcesWithSameIDLogWarning(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		one := startSource(t, b)
		one.waitConnected(t)
		two := startSource(t, b)
		const warning = "another process may use the same client id"
		awaittest.True(t, "a warning", func() bool { return one.log.Count(warning)+two.log.Count(warning) > 0 })
		if err := two.stop(); err != nil {
			t.Fatal(err)
		}
		one.waitConnected(t)
		if n := one.log.Count(warning); n > 1 {
			t.Errorf("the warning is logged %d times, want at most once", n)
		}
	})
}

func TestSourceRedeliversRejectedMessages(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		proxy := mqtttest.NewProxy(t, b.url)
		f := startSource(t, b, through(proxy))
		f.waitConnected(t)
		f.acceptor.with(func(r *recorder) { r.full = true })
		p := newPublisher(t, b.options(mqtttest.Gateway))
		const n = 10
		p.publish(0, n, deviceTopics...)
		p.waitAcked(n * len(deviceTopics))
		awaittest.True(t, "four connections", func() bool { return proxy.Dialed() >= 4 })
		if f.metric(t, "acked_total") != 0 || f.metric(t, "refused_total") == 0 {
			t.Errorf("%v messages are acknowledged and %v rejected, want none acknowledged",
				f.metric(t, "acked_total"), f.metric(t, "refused_total"))
		}
		f.acceptor.with(func(r *recorder) { r.full = false })
		f.wait(t, n, deviceTopics...)
		awaittest.True(t, "every message is acknowledged", func() bool {
			return f.metric(t, "acked_total") == n*float64(len(deviceTopics))
		})
		if f.metric(t, "redelivered_total") == 0 {
			t.Error("no message is counted as redelivered")
		}
		awaittest.True(t, "the recovery is logged", func() bool { return f.log.Count("stored again") == 1 })
		if got := f.log.Count("can't be stored"); got != 1 || f.log.Count(errDiskFull.Error()) != 1 {
			t.Errorf("the rejection is logged %d times, want once:\n%s", got, f.log)
		}
	})
}

func TestStopWaitsForAcceptor(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		proxy := mqtttest.NewProxy(t, b.url)
		f := startSource(t, b, through(proxy))
		f.waitConnected(t)
		f.acceptor.with(func(r *recorder) { r.hold = true })
		const n = 50
		p := newPublisher(t, b.options(mqtttest.Gateway))
		p.publish(0, n, deviceTopics[0])
		awaittest.True(t, "the acceptor holds every message", func() bool { return f.metric(t, "unacked") == n })
		stopped := make(chan error, 1)
		go func() { stopped <- f.stop() }()
		awaittest.True(t, "Stop is called", f.Stopping)
		f.acceptor.with(func(r *recorder) {
			for i := range r.pending { // the last first: the acknowledgements wait for the first message
				go r.pending[len(r.pending)-1-i](nil)
			}
		})
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		if got := f.metric(t, "acked_total"); got != n {
			t.Errorf("%v messages are acknowledged, want %d", got, n)
		}
		awaittest.True(t, "the broker has read the last packet", func() bool { return proxy.Ended() == 1 })
		next := startSource(t, b)
		next.waitConnected(t)
		p.publish(n, n+1, deviceTopics[0])
		awaittest.True(t, "the next message", func() bool { return next.metric(t, "messages_total") > 0 })
		if got := next.metric(t, "redelivered_total"); got != 0 {
			t.Errorf("%v acknowledged messages are delivered again", got)
		}
	})
}

func TestStopGivesUpOnAcceptorThatNeverAnswers(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		f := startSource(t, b)
		f.waitConnected(t)
		f.acceptor.with(func(r *recorder) { r.hold = true })
		p := newPublisher(t, b.options(mqtttest.Gateway))
		p.publish(0, 5, deviceTopics[0])
		awaittest.True(t, "the acceptor holds every message", func() bool { return f.metric(t, "unacked") == 5 })
		ctx, cancel := context.WithTimeout(t.Context(), stopLimit)
		defer cancel()
		err := f.Stop(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "5 messages") {
			t.Errorf("Stop returned %v, want DeadlineExceeded for 5 messages", err)
		}
		f.acceptor.with(func(r *recorder) {
			for _, done := range r.pending { // late answers must do no harm
				done(nil)
			}
		})
		next := startSource(t, b)
		next.wait(t, 5, deviceTopics[0])
	})
}

// blockingAcceptor blocks in Accept until the channel is closed.
type blockingAcceptor chan struct{}

// Accept implements nhip.Acceptor.
func (a blockingAcceptor) Accept(_ nhip.Message, done func(error)) { <-a; done(nil) }

func TestStopGivesUpOnAcceptorThatBlocks(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		acceptor := make(blockingAcceptor)
		f := startSource(t, b, func(o *consume.Options) { o.Acceptor = acceptor })
		f.waitConnected(t)
		newPublisher(t, b.options(mqtttest.Gateway)).publish(0, 3, deviceTopics[0])
		awaittest.True(t, "Accept blocks", func() bool {
			return f.metric(t, "messages_total") == 3 && f.metric(t, "unacked") == 1
		})
		ctx, cancel := context.WithTimeout(t.Context(), stopLimit)
		defer cancel()
		if err := f.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop returned %v, want DeadlineExceeded", err)
		}
		close(acceptor)
	})
}

func TestSourceSkipsRetainedMessages(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		o := b.options(mqtttest.Gateway)
		gateway, err := mqtt.Dial(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer gateway.Close()
		publish := func(topic string, retain bool, payload string) {
			token := gateway.Publish(topic, 1, retain, []byte(payload))
			if !token.WaitTimeout(awaittest.Timeout) || token.Error() != nil {
				t.Fatal(token.Error())
			}
		}
		publish(deviceTopics[0], true, "old")
		publish("tele/1/SENSOR", false, "") // once this one is acknowledged, the broker has retained the first
		f := startSource(t, b)
		f.waitConnected(t)
		awaittest.True(t, "the retained message is acknowledged", func() bool { return f.metric(t, "acked_total") == 1 })
		publish(deviceTopics[0], true, "0")
		f.wait(t, 1, deviceTopics[0])
		if got := f.metric(t, "retained_skipped_total"); got != 1 {
			t.Errorf("%v retained messages are skipped, want 1", got)
		}
	})
}

func TestSourceSubscribesOnceToOverlappingFilters(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		f := startSource(t, b, func(o *consume.Options) {
			o.Filters = []string{"nhip/in/position/1", "nhip/in/#", "nhip/in/position/+", "nhip/in/#"}
		})
		f.waitConnected(t)
		newPublisher(t, b.options(mqtttest.Gateway)).publish(0, 10, deviceTopics...)
		f.wait(t, 10, deviceTopics...)
		if got := f.metric(t, "messages_total"); got != 10*float64(len(deviceTopics)) {
			t.Errorf("%v messages were delivered, want each once", got)
		}
	})
}

func TestReceivedTimeComesFromClock(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		at := time.Date(2026, 2, 16, 15, 58, 0, 0, time.UTC)
		f := startSource(t, b, func(o *consume.Options) { o.Clock = nhip.NewReplayClock(at, 1) })
		f.waitConnected(t)
		newPublisher(t, b.options(mqtttest.Gateway)).publish(0, 1, deviceTopics[0])
		f.wait(t, 1, deviceTopics[0])
		f.acceptor.with(func(r *recorder) {
			if got := r.accepted[0].Received; !got.Equal(at) {
				t.Errorf("received at %s, want %s", got, at)
			}
		})
	})
}
