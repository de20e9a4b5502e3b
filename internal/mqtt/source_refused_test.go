package mqtt_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"nhip"
	"nhip/internal/await"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/prometheus/client_golang/prometheus"
)

// keeper lets everybody in, and lets them read what it names once it is open.
type keeper struct {
	broker.HookBase
	guarded string
	open    atomic.Bool
}

// Provides lists what the keeper decides on.
func (k *keeper) Provides(b byte) bool {
	return b == broker.OnACLCheck || b == broker.OnConnectAuthenticate
}

// OnConnectAuthenticate lets everybody in.
func (k *keeper) OnConnectAuthenticate(*broker.Client, packets.Packet) bool { return true }

// OnACLCheck keeps the guarded filter.
func (k *keeper) OnACLCheck(_ *broker.Client, topic string, _ bool) bool {
	return topic != k.guarded || k.open.Load()
}

func TestARefusedSubscriptionIsAnErrorThatNamesTheFilter(t *testing.T) {
	k := &keeper{guarded: "secret/#"}
	url := mqtttest.StartWith(t, k)
	line := newBridge(t, url)
	b := testBroker{url: url, options: func(id string) mqtt.Options { return mqtt.Options{URL: url, ClientID: id} }}
	h := listen(t, b, across(line), func(o *mqtt.SourceOptions) { o.Filters = []string{"open/#", "secret/#"} })
	await.True(t, "some tries", func() bool { return line.dialled.Load() >= 4 })
	if h.Connected() {
		t.Error("it is connected")
	}
	if h.log.count("level=ERROR") != 1 || h.log.count("refuses the subscription to secret/#") != 1 {
		t.Errorf("it is not said once and well:\n%s", h.log.text())
	}
	k.open.Store(true)
	h.waitUp(t)
}

func TestNewSourceNamesWhatIsWrong(t *testing.T) {
	good := mqtt.SourceOptions{
		Options: mqtt.Options{URL: "tcp://localhost:1883", ClientID: "c"}, Filters: []string{"a/#"},
		Clock: nhip.WallClock{}, Door: &shelf{}, Registry: prometheus.NewRegistry(),
	}
	for want, spoil := range map[string]func(*mqtt.SourceOptions){
		"url: the scheme":          func(o *mqtt.SourceOptions) { o.URL = "ws://localhost:8883" },
		"url: the address":         func(o *mqtt.SourceOptions) { o.URL = "tcp://user:hidden%zz@localhost" },
		"client id: must not be":   func(o *mqtt.SourceOptions) { o.ClientID = "" },
		"filters: at least one":    func(o *mqtt.SourceOptions) { o.Filters = nil },
		"filters[1].topic: # must": func(o *mqtt.SourceOptions) { o.Filters = []string{"a", "b/#/c"} },
		"clock: ":                  func(o *mqtt.SourceOptions) { o.Clock = nil },
		"door: ":                   func(o *mqtt.SourceOptions) { o.Door = nil },
	} {
		o := good
		spoil(&o)
		_, err := mqtt.NewSource(o)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	s, err := mqtt.NewSource(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("a source that was not started stops with %v", err)
	}
	if _, err := mqtt.NewSource(good); err == nil {
		t.Error("two sources share their metrics")
	}
}
