package mqtt_test

import (
	"testing"

	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/packets"
)

func TestASourceHearsItself(t *testing.T) {
	eachBroker(t, func(t *testing.T, b testBroker) {
		h := listen(t, b, mqtt.Wakeful)
		h.waitUp(t)
		probes := mqtttest.Listen(t, b.listener(), mqtt.ProbeTopic(mqtttest.Collector))
		for range 40 { // four times as long as it takes to become suspicious
			probes.Wait(t, "a probe", func(mqtttest.Message) bool { return true })
		}
		speak(t, b.options(mqtttest.Gateway)).say(0, 3, topics...)
		h.wants(t, 3, topics...)
		if h.number(t, "resubscriptions_total")+h.number(t, "deaf_total") != 0 || h.number(t, "connections_total") != 1 || h.number(t, "messages_total") != 9 {
			t.Errorf("a source that hears itself is not left alone:\n%s", h.log.text())
		}
	})
}

// listener is one that may hear everything, beside the collector.
func (b testBroker) listener() mqtt.Options {
	o := b.options(mqtttest.Collector)
	o.ClientID = "listener"
	return o
}

func TestAForgottenSubscriptionIsAskedForAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		lost []string
	}{
		{"all", []string{"nhip/in/position/+", mqtt.ProbeTopic(mqtttest.Collector)}},
		{"the feed's", []string{"nhip/in/position/+"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, url := mqtttest.Serve(t, new(auth.AllowHook))
			b := testBroker{url, func(user string) mqtt.Options { return mqtt.Options{URL: url, ClientID: user} }, false}
			h := listen(t, b, mqtt.Watchful)
			h.waitUp(t)
			m := speak(t, b.options(mqtttest.Gateway))
			m.say(0, 3, topics...)
			h.wants(t, 3, topics...)
			for _, filter := range c.lost {
				if !server.Topics.Unsubscribe(filter, mqtttest.Collector) {
					t.Fatalf("%s was not subscribed to", filter)
				}
			}
			before := h.number(t, "resubscriptions_total")
			await.True(t, "it subscribes again", func() bool { return h.number(t, "resubscriptions_total") > before })
			await.True(t, "the broker knows", func() bool { return len(server.Topics.Subscribers(topics[0]).Subscriptions) == 1 })
			m.say(3, 6, topics...)
			await.True(t, "the rest is heard", func() bool { return len(h.door.payloads()[topics[0]]) == 6 })
			if h.log.count("subscribing again") != 1 {
				t.Errorf("the log:\n%s", h.log.text())
			}
		})
	}
}

func TestADeafConnectionIsGivenUp(t *testing.T) {
	b := mosquitto(t)
	line := newBridge(t, b.url)
	h := listen(t, b, across(line), mqtt.Wakeful)
	h.waitUp(t)
	m := speak(t, b.options(mqtttest.Gateway))
	m.say(0, 3, topics...)
	h.wants(t, 3, topics...)
	line.deafen()
	m.say(3, 6, topics...)
	h.wants(t, 6, topics...)
	h.waitUp(t)
	if h.number(t, "deaf_total") != 1 || h.number(t, "connections_total") != 2 || h.log.count("nothing comes over it any more") != 1 {
		t.Errorf("%v times deaf, %v connections:\n%s", h.number(t, "deaf_total"), h.number(t, "connections_total"), h.log.text())
	}
}

// withoutProbes keeps a source's probes to itself, or ends the connection over them.
type withoutProbes struct {
	auth.AllowHook
	strict bool
}

func (r *withoutProbes) Provides(b byte) bool {
	return b == broker.OnPublish || r.AllowHook.Provides(b)
}

func (r *withoutProbes) OnPublish(cl *broker.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.TopicName != mqtt.ProbeTopic(mqtttest.Collector) {
		return pk, nil
	}
	if r.strict {
		cl.Stop(packets.ErrNotAuthorized)
	}
	return pk, packets.ErrRejectPacket
}

func TestABrokerThatAllowsNoProbes(t *testing.T) {
	for _, c := range []struct {
		name   string
		strict bool
		said   string
	}{
		{"says nothing", false, "subscribing again"},
		{"ends the connection", true, "there will be no more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := mqtttest.StartWith(t, &withoutProbes{strict: c.strict})
			b := testBroker{url, func(user string) mqtt.Options { return mqtt.Options{URL: url, ClientID: user} }, false}
			h := listen(t, b, mqtt.Watchful)
			await.True(t, "it is said", func() bool { return h.log.count(c.said) == 1 })
			await.True(t, "it asks again and again", func() bool { return h.number(t, "resubscriptions_total") > 2 })
			connections := h.number(t, "connections_total")
			speak(t, b.options(mqtttest.Gateway)).say(0, 3, topics...)
			h.wants(t, 3, topics...)
			if h.number(t, "deaf_total") != 0 || h.number(t, "connections_total") != connections || !h.Connected() {
				t.Errorf("silence without probes proves something:\n%s", h.log.text())
			}
		})
	}
}
