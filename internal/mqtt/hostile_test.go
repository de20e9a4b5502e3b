package mqtt_test

import (
	"strings"
	"testing"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus"
)

// unpublishable are topics and payloads for which a broker ends the connection of the sender.
var unpublishable = []struct {
	topic   string
	payload int // bytes
}{
	{"", 1},
	{"nhip/live/+/x", 1},
	{"nhip/live/#", 1},
	{"nhip/live/\x00", 1},
	{"nhip/live/\x01", 1},
	{"nhip/live/\xe4", 1},
	{"nhip/live/\u0085", 1},
	{"nhip/live/\ufffe", 1},
	{"nhip/live" + strings.Repeat("/", 250), 1},
	{"nhip/live/" + strings.Repeat("x", 70_000), 1},
	{"nhip/live/" + strings.Repeat("x", topics.MaxTopic), 1},
	{"nhip/live/bus/a/1", topics.MaxPacket},
}

// TestUnpublishableMessageCostsNoConnection: what no broker accepts is dropped and counted before it is sent.
func TestUnpublishableMessageCostsNoConnection(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) mqtt.Options{
		"embedded":  func(t *testing.T) mqtt.Options { return mqtt.Options{URL: mqtttest.Start(t), ClientID: "collector"} },
		"mosquitto": func(t *testing.T) mqtt.Options { return mqtttest.Mosquitto(t).Options(mqtttest.Collector) },
	} {
		t.Run(name, func(t *testing.T) {
			o := start(t)
			l := mqtttest.Listen(t, mqtt.Options{
				URL: o.URL, ClientID: "listener", Username: o.Username, Password: o.Password,
			}, topics.LiveBuses)
			o.Registry = prometheus.NewRegistry()
			o.OnDown = func(err error) { t.Errorf("the connection was lost: %v", err) }
			c, err := mqtt.Dial(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range unpublishable {
				for _, qos := range []byte{0, 1} {
					token := c.Publish(m.topic, qos, false, make([]byte, m.payload))
					if !token.WaitTimeout(awaittest.Timeout) || token.Error() == nil {
						t.Errorf("%.40q with %d bytes was sent", m.topic, m.payload)
					}
				}
			}
			c.Publish("nhip/live/bus/a/1", 1, false, []byte("after it"))
			l.Wait(t, "the next message", func(m mqtttest.Message) bool { return m.Payload == "after it" })
			c.Close()
			if n := counter(t, o.Registry.(*prometheus.Registry), "nhip_mqtt_unpublished_total"); n != float64(
				2*len(unpublishable)) {
				t.Errorf("%v messages counted, want %d", n, 2*len(unpublishable))
			}
		})
	}
}

// counter returns the value of a counter without labels.
func counter(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	all, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == name {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// TestRepeatedLossIsAFault: a broker that ends the connection again and again is a fault of the connection; the loss of
// a restart is not.
func TestRepeatedLossIsAFault(t *testing.T) {
	p := mqtttest.NewProxy(t, mqtttest.Start(t))
	up, down := make(chan bool, 8), make(chan error, 8)
	c, err := mqtt.Dial(t.Context(), mqtt.Options{
		URL: p.URL, ClientID: "collector", OnUp: func() { up <- true }, OnDown: func(err error) { down <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for i := range 3 {
		if fault := c.Fault(); fault != "" {
			t.Errorf("after %d losses: %s", i, fault)
		}
		<-up
		p.Cut()
		<-down
	}
	if fault := c.Fault(); !strings.Contains(fault, "3 times") {
		t.Errorf("the fault is %q", fault)
	}
}
