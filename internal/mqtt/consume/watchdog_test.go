package consume_test

import (
	"testing"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/consume"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/packet"
	"nhip/internal/topics"
)

func TestProbesKeepQuietConnectionOpen(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		f := startSource(t, b, consume.FastProbes)
		f.waitConnected(t)
		probes := mqtttest.Listen(t, b.listener(), topics.ProbeTopic(mqtttest.Collector))
		for range 3 * consume.ProbesPerSilence {
			probes.Wait(t, "a probe", func(mqtttest.Message) bool { return true })
		}
		newPublisher(t, b.options(mqtttest.Gateway)).publish(0, 3, deviceTopics...)
		f.wait(t, 3, deviceTopics...)
		if f.metric(t, "resubscriptions_total")+f.metric(t, "deaf_total") != 0 ||
			f.metric(t, "connections_total") != 1 || f.metric(t, "messages_total") != 9 {
			t.Errorf("the watchdog acts although probes come back:\n%s", f.log)
		}
	})
}

// listener returns the options of a second client that may read what the collector may.
func (b testBroker) listener() mqtt.Options {
	o := b.options(mqtttest.Collector)
	o.ClientID = "listener"
	return o
}

func TestWatchdogRestoresLostSubscription(t *testing.T) {
	for _, c := range []struct {
		name string
		lost []string
	}{
		{"every filter", []string{"nhip/in/position/+", topics.ProbeTopic(mqtttest.Collector)}},
		{"all but the probe's", []string{"nhip/in/position/+"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, url := mqtttest.Serve(t, mqtttest.AllowAll{})
			b := embeddedAt(url)
			f := startSource(t, b, consume.FastWatchdog)
			f.waitConnected(t)
			p := newPublisher(t, b.options(mqtttest.Gateway))
			p.publish(0, 3, deviceTopics...)
			f.wait(t, 3, deviceTopics...)
			for _, filter := range c.lost {
				if !server.Unsubscribe(mqtttest.Collector, filter) {
					t.Fatalf("there was no subscription to %s", filter)
				}
			}
			before := f.metric(t, "resubscriptions_total")
			awaittest.True(t, "the source subscribes again", func() bool {
				return f.metric(t, "resubscriptions_total") > before
			})
			awaittest.True(t, "the broker has the subscription", func() bool {
				return server.Subscribers(deviceTopics[0]) == 1
			})
			p.publish(3, 6, deviceTopics...)
			awaittest.True(t, "the further messages", func() bool {
				return len(f.acceptor.payloads()[deviceTopics[0]]) == 6
			})
			if n := f.log.Count("subscribing again"); n != 1 {
				t.Errorf("logged %d times, want once:\n%s", n, f.log)
			}
		})
	}
}

func TestWatchdogReplacesSilentConnection(t *testing.T) {
	b := startMosquitto(t)
	proxy := mqtttest.NewProxy(t, b.url)
	f := startSource(t, b, through(proxy), consume.FastProbes)
	f.waitConnected(t)
	p := newPublisher(t, b.options(mqtttest.Gateway))
	p.publish(0, 3, deviceTopics...)
	f.wait(t, 3, deviceTopics...)
	proxy.DropMessages()
	p.publish(3, 6, deviceTopics...)
	f.wait(t, 6, deviceTopics...)
	f.waitConnected(t)
	if f.metric(t, "deaf_total") != 1 || f.metric(t, "connections_total") != 2 ||
		f.log.Count("arrives over the open connection") != 1 {
		t.Errorf("%v silent connections of %v, want 1 of 2:\n%s",
			f.metric(t, "deaf_total"), f.metric(t, "connections_total"), f.log)
	}
}

// probeGuard are rules that drop the probes of the source or, if strict, end the connection.
type probeGuard struct {
	mqtttest.AllowAll
	strict bool
}

// Publish implements broker.Rules.
func (g *probeGuard) Publish(c *broker.Client, m *broker.Message, _ func(error)) broker.Decision {
	if m.Topic != topics.ProbeTopic(mqtttest.Collector) {
		return broker.Route
	}
	if g.strict {
		c.Disconnect(packet.NotAuthorized)
	}
	return broker.Ignore
}

func TestSourceWorksWithBrokerThatAllowsNoProbes(t *testing.T) {
	for _, c := range []struct {
		name   string
		strict bool
		log    string
	}{
		{"drops them", false, "subscribing again"},
		{"ends the connection", true, "probes switched off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := embeddedAt(mqtttest.StartWith(t, &probeGuard{strict: c.strict}))
			f := startSource(t, b, consume.FastWatchdog)
			awaittest.True(t, "the log line", func() bool { return f.log.Count(c.log) == 1 })
			awaittest.True(t, "three subscriptions", func() bool { return f.metric(t, "resubscriptions_total") > 2 })
			connections := f.metric(t, "connections_total")
			newPublisher(t, b.options(mqtttest.Gateway)).publish(0, 3, deviceTopics...)
			f.wait(t, 3, deviceTopics...)
			if f.metric(t, "deaf_total") != 0 || f.metric(t, "connections_total") != connections || !f.Connected() {
				t.Errorf("the connection is replaced although no probe ever came back:\n%s", f.log)
			}
		})
	}
}
