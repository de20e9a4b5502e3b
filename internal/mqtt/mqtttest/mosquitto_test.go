package mqtttest_test

import (
	"strings"
	"testing"
	"time"

	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
)

const answerWithin = 10 * time.Second

// says publishes with QoS 1. Mosquitto acknowledges what it denies, too.
func says(t *testing.T, o mqtt.Options, topics ...string) {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, topic := range topics {
		if token := c.Publish(topic, 1, false, []byte(o.Username)); !token.WaitTimeout(answerWithin) || token.Error() != nil {
			t.Fatalf("%s: %v", topic, token.Error())
		}
	}
}

func TestTheShippedRulesSayWhoMaySayWhat(t *testing.T) {
	b := mqtttest.Mosquitto(t, "bus-1", "bus-2")
	const last = "nhip/event/last" // said after all, by one who may
	for user, topics := range map[string]struct{ may, mayNot []string }{
		"bus-1": {
			[]string{"nhip/in/position/bus-1", "nhip/in/reading/bus-1"},
			[]string{"nhip/in/position/bus-2", "nhip/in/reading/bus-2", "nhip/in/hfp/bus-1", "nhip/live/bus/x/bus-1", "/hfp/v2/x", "nhip/in/position/bus-1/x", "nhip/ask/main/ledger", "nhip/answer/api"},
		},
		mqtttest.Gateway: {
			[]string{"nhip/in/position/x", "nhip/in/hfp/x", "/hfp/v2/journey/x", "airgradient/readings/x", "tele/x/SENSOR", "v3/a/devices/b/up", "application/a/device/b/event/up"},
			[]string{"nhip/live/bus/x/1", "nhip/live/census/x", "nhip/dead/x/y", "nhip/event/x", "nhip/ask/main/ledger", "nhip/answer/api", "other/x"},
		},
		mqtttest.API: {
			[]string{"nhip/ask/main/ledger", "nhip/ask/main/dead/list"},
			[]string{"nhip/live/bus/x/1", "nhip/answer/api", "nhip/event/x", "nhip/in/position/x", "nhip/in/position/nhip-api"},
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
			said := b.Options(user)
			said.ClientID = "speaker"
			says(t, said, append(topics.mayNot, topics.may...)...)
			says(t, b.Options(mqtttest.Collector), last)
			heard := make(map[string]bool)
			l.Wait(t, "the last", func(m mqtttest.Message) bool {
				heard[m.Topic] = true
				return m.Topic == last
			})
			for _, topic := range topics.may {
				if !heard[topic] {
					t.Errorf("may not say %s", topic)
				}
			}
			for _, topic := range topics.mayNot {
				if heard[topic] {
					t.Errorf("may say %s", topic)
				}
			}
		})
	}
}

func TestTheShippedRulesSayWhoMayHearWhat(t *testing.T) {
	b := mqtttest.Mosquitto(t, "bus-1")
	const live, in, answer, last = "nhip/live/bus/x/1", "nhip/in/position/bus-1", "nhip/answer/api", "nhip/live/bus/x/last"
	hears := make(map[string]*mqtttest.Listener)
	for _, user := range []string{mqtttest.API, mqtttest.Gateway, "bus-1"} {
		hears[user] = mqtttest.Listen(t, b.Options(user), "#")
	}
	device := b.Options("bus-1")
	device.ClientID = "speaker"
	says(t, device, in)
	says(t, b.Options(mqtttest.Collector), live, answer, last)
	var topics []string
	hears[mqtttest.API].Wait(t, "the last", func(m mqtttest.Message) bool {
		topics = append(topics, m.Topic)
		return m.Topic == last
	})
	if got := strings.Join(topics, " "); got != live+" "+answer+" "+last {
		t.Errorf("the api hears %s", got)
	}
	for _, user := range []string{mqtttest.Gateway, "bus-1"} {
		if m, ok := hears[user].Next(); ok {
			t.Errorf("%s hears %s", user, m.Topic)
		}
	}
}

func TestNobodyEntersWithoutAPassword(t *testing.T) {
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
			t.Errorf("%s: let in", name)
		}
	}
}

func TestAPacketMayBeAsLongAsOurOwnGatewayTakes(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	l := mqtttest.Listen(t, b.Options(mqtttest.Collector), "nhip/in/#")
	gateway, err := mqtt.DialFan(t.Context(), mqtt.FanOptions{Options: b.Options(mqtttest.Gateway), Lanes: 1})
	if err != nil {
		t.Fatal(err)
	}
	const topic, head = "nhip/in/position/x", 16 // as the fan reckons
	if err := gateway.Publish(t.Context(), topic, make([]byte, mqtt.MaxPacket-head-len(topic))); err != nil {
		t.Fatal(err)
	}
	l.Wait(t, "the greatest", func(m mqtttest.Message) bool { return m.Topic == topic })
	if err := gateway.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsRetainedOutlivesACleanStop(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	c, err := mqtt.Dial(t.Context(), b.Options(mqtttest.Collector))
	if err != nil {
		t.Fatal(err)
	}
	if token := c.Publish("nhip/live/bus/x/1", 1, true, []byte("here")); !token.WaitTimeout(answerWithin) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	c.Close()
	b.Stop(t)
	b.Start(t)
	l := mqtttest.Listen(t, b.Options(mqtttest.API), mqtt.Live)
	l.Wait(t, "the city", func(m mqtttest.Message) bool { return m.Retained && m.Payload == "here" })
}
