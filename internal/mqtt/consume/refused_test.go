package consume_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/consume"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus"
)

// filterGuard are rules that refuse one filter until open is true.
type filterGuard struct {
	mqtttest.AllowAll
	filter string
	open   atomic.Bool
}

// MaySubscribe implements broker.Rules.
func (g *filterGuard) MaySubscribe(_ *broker.Client, filter string) bool {
	return filter != g.filter || g.open.Load()
}

func TestSourceLogsRefusedSubscriptionOnce(t *testing.T) {
	guard := &filterGuard{filter: "secret/#"}
	b := embeddedAt(mqtttest.StartWith(t, guard))
	proxy := mqtttest.NewProxy(t, b.url)
	f := startSource(t, b, through(proxy), func(o *consume.Options) { o.Filters = []string{"open/#", "secret/#"} })
	awaittest.True(t, "four connections", func() bool { return proxy.Dialed() >= 4 })
	if f.Connected() {
		t.Error("the source is connected without one of its filters")
	}
	if f.log.Count("level=ERROR") != 1 || f.log.Count("refuses the subscription to secret/#") != 1 {
		t.Errorf("want one error that names the filter:\n%s", f.log)
	}
	guard.open.Store(true)
	f.waitConnected(t)
}

func TestNewNamesInvalidOption(t *testing.T) {
	good := consume.Options{
		Options: mqtt.Options{URL: "tcp://localhost:1883", ClientID: "c"}, Filters: []string{"a/#"},
		Clock: nhip.WallClock{}, Acceptor: &recorder{}, Registry: prometheus.NewRegistry(),
	}
	for want, spoil := range map[string]func(*consume.Options){
		"url: the scheme":          func(o *consume.Options) { o.URL = "ws://localhost:8883" },
		"url: the address":         func(o *consume.Options) { o.URL = "tcp://user:hidden%zz@localhost" },
		"client id: must not be":   func(o *consume.Options) { o.ClientID = "" },
		"filters: at least one":    func(o *consume.Options) { o.Filters = nil },
		"filters[1].topic: # must": func(o *consume.Options) { o.Filters = []string{"a", "b/#/c"} },
		"clock: ":                  func(o *consume.Options) { o.Clock = nil },
		"acceptor: ":               func(o *consume.Options) { o.Acceptor = nil },
	} {
		o := good
		spoil(&o)
		_, err := consume.New(o)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("New returned %v, want an error that begins with %q", err, want)
		}
	}
}

func TestStopBeforeStartReturnsAtOnce(t *testing.T) {
	o := consume.Options{
		Options: mqtt.Options{URL: "tcp://localhost:1883", ClientID: "c"}, Filters: []string{"a/#"},
		Clock: nhip.WallClock{}, Acceptor: &recorder{}, Registry: prometheus.NewRegistry(),
	}
	s, err := consume.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("Stop returned %v", err)
	}
	if _, err := consume.New(o); err == nil {
		t.Error("two sources register the same metrics")
	}
}
