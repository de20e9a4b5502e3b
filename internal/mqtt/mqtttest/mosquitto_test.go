package mqtttest_test

import (
	"strings"
	"testing"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/publish"
	"nhip/internal/topics"
)

// publishAll publishes with QoS 1 on each topic. Mosquitto acknowledges also what its rules deny.
func publishAll(t *testing.T, o mqtt.Options, topics ...string) {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, topic := range topics {
		token := c.Publish(topic, 1, false, []byte(o.Username))
		if !token.WaitTimeout(awaittest.Timeout) || token.Error() != nil {
			t.Fatalf("%s: %v", topic, token.Error())
		}
	}
}

func TestShippedRulesLimitPublishing(t *testing.T) {
	b := mqtttest.Mosquitto(t, "bus-1", "bus-2")
	const last = "nhip/event/last" // published after the others by an account that may
	for user, topics := range map[string]struct{ allowed, denied []string }{
		"bus-1": {
			[]string{"nhip/in/position/bus-1", "nhip/in/reading/bus-1"},
			[]string{
				"nhip/in/position/bus-2", "nhip/in/reading/bus-2", "nhip/in/hfp/bus-1", "nhip/live/bus/x/bus-1",
				"/hfp/v2/x", "nhip/in/position/bus-1/x", "nhip/ask/main/ledger", "nhip/answer/api",
			},
		},
		mqtttest.Gateway: {
			[]string{
				"nhip/in/position/x", "nhip/in/hfp/x", "/hfp/v2/journey/x", "airgradient/readings/x", "tele/x/SENSOR",
				"v3/a/devices/b/up", "application/a/device/b/event/up", "nhip/answer/api",
			},
			[]string{
				"nhip/live/bus/x/1", "nhip/live/census/x", "nhip/dead/x/y", "nhip/event/x", "nhip/ask/main/ledger",
				"nhip/say/review/x", "other/x",
			},
		},
		mqtttest.API: {
			[]string{"nhip/ask/main/ledger", "nhip/ask/main/dead/list", "nhip/say/review/x", "nhip/probe/nhip-api"},
			[]string{
				"nhip/live/bus/x/1", "nhip/answer/api", "nhip/event/x", "nhip/in/position/x", "nhip/in/position/nhip-api",
			},
		},
		mqtttest.Collector: {
			[]string{"nhip/live/bus/x/1", "nhip/live/census/x", "nhip/dead/x/y", "nhip/event/x", "nhip/answer/api"},
			[]string{"nhip/ask/main/ledger", "/hfp/v2/x", "nhip/in/hfp/x", "other/x"},
		},
	} {
		t.Run(user, func(t *testing.T) {
			o := b.Options(mqtttest.Collector)
			o.ClientID = "listener"
			l := mqtttest.Listen(t, o, "#")
			publisher := b.Options(user)
			publisher.ClientID = "publisher"
			publishAll(t, publisher, append(topics.denied, topics.allowed...)...)
			publishAll(t, b.Options(mqtttest.Collector), last)
			delivered := make(map[string]bool)
			l.Wait(t, "the last message", func(m mqtttest.Message) bool {
				delivered[m.Topic] = true
				return m.Topic == last
			})
			for _, topic := range topics.allowed {
				if !delivered[topic] {
					t.Errorf("%s can't publish on %s", user, topic)
				}
			}
			for _, topic := range topics.denied {
				if delivered[topic] {
					t.Errorf("%s can publish on %s", user, topic)
				}
			}
		})
	}
}

func TestShippedRulesLimitReceiving(t *testing.T) {
	b := mqtttest.Mosquitto(t, "bus-1")
	const (
		live   = "nhip/live/bus/x/1"
		in     = "nhip/in/position/bus-1"
		answer = "nhip/answer/api"
		census = "nhip/live/census/main"
		last   = "nhip/live/bus/x/last"
	)
	listeners := make(map[string]*mqtttest.Listener)
	for _, user := range []string{mqtttest.API, mqtttest.Gateway, "bus-1"} {
		listeners[user] = mqtttest.Listen(t, b.Options(user), "#")
	}
	device := b.Options("bus-1")
	device.ClientID = "publisher"
	publishAll(t, device, in)
	publishAll(t, b.Options(mqtttest.Collector), live, answer, census, last)
	var received []string
	listeners[mqtttest.API].Wait(t, "the last message", func(m mqtttest.Message) bool {
		received = append(received, m.Topic)
		return m.Topic == last
	})
	if got := strings.Join(received, " "); got != live+" "+answer+" "+census+" "+last {
		t.Errorf("the api receives %s", got)
	}
	listeners[mqtttest.Gateway].Wait(t, "the census", func(m mqtttest.Message) bool { return m.Topic == census })
	for _, user := range []string{mqtttest.Gateway, "bus-1"} {
		if m, ok := listeners[user].Next(); ok {
			t.Errorf("%s receives %s", user, m.Topic)
		}
	}
}

func TestLogInNeedsPassword(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	for name, spoil := range map[string]func(*mqtt.Options){
		"no name":        func(o *mqtt.Options) { o.Username, o.Password = "", "" },
		"no password":    func(o *mqtt.Options) { o.Password = "" },
		"wrong password": func(o *mqtt.Options) { o.Password = "x" },
		"unknown name":   func(o *mqtt.Options) { o.Username = "x" },
	} {
		o := b.Options(mqtttest.Collector)
		spoil(&o)
		if c, err := mqtt.Dial(t.Context(), o); err == nil {
			c.Close()
			t.Errorf("%s: the log-in succeeds", name)
		}
	}
}

func TestMosquittoAcceptsLongestPacket(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	l := mqtttest.Listen(t, b.Options(mqtttest.Collector), "nhip/in/#")
	gateway, err := publish.Dial(t.Context(), publish.Options{Options: b.Options(mqtttest.Gateway), Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	const topic = "nhip/in/position/x"
	payload := make([]byte, topics.MaxPayload(topic))
	if err := gateway.Publish(t.Context(), topic, payload); err != nil {
		t.Fatal(err)
	}
	l.Wait(t, "the longest message", func(m mqtttest.Message) bool { return m.Topic == topic })
	if err := gateway.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestMosquittoKeepsRetainedMessagesAcrossRestart(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	c, err := mqtt.Dial(t.Context(), b.Options(mqtttest.Collector))
	if err != nil {
		t.Fatal(err)
	}
	token := c.Publish("nhip/live/bus/x/1", 1, true, []byte("here"))
	if !token.WaitTimeout(awaittest.Timeout) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	c.Close()
	b.Stop(t)
	b.Start(t)
	l := mqtttest.Listen(t, b.Options(mqtttest.API), topics.Live)
	l.Wait(t, "the retained message", func(m mqtttest.Message) bool { return m.Retained && m.Payload == "here" })
}
