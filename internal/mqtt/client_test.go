package mqtt_test

import (
	"sync/atomic"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"
)

// watchedClient is a client with a watchdog that counts what happens.
type watchedClient struct {
	*mqtt.Client
	messages, up, down, retained atomic.Int64
}

func dialWatched(t *testing.T, o mqtt.Options) *watchedClient {
	t.Helper()
	w := new(watchedClient)
	o.Watch, o.Subscribe = true, map[string]byte{topics.LiveBuses: 1}
	o.Handle = func(string, []byte, bool) { w.messages.Add(1) }
	o.OnUp = func() { w.up.Add(1) }
	o.OnDown = func(error) { w.down.Add(1) }
	o.OnRetained = func() { w.retained.Add(1) }
	var err error
	if w.Client, err = mqtt.DialRetry(t.Context(), mqtt.FastTimings(o)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// receives waits until the client receives what a collector publishes.
func (w *watchedClient) receives(t *testing.T, collector *mqtt.Client) {
	t.Helper()
	before := w.messages.Load()
	awaittest.True(t, "a message", func() bool {
		collector.Publish("nhip/live/bus/a/1", 1, false, []byte("{}")).WaitTimeout(time.Second)
		return w.messages.Load() > before
	})
}

func dialCollector(t *testing.T, b *mqtttest.Broker) *mqtt.Client {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), b.Options(mqtttest.Collector))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestClientRetriesSubscription loses or delays the SUBACK of the first connection, and of one after a loss.
func TestClientRetriesSubscription(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, mend func(*mqtttest.Proxy)
		connections int // more than without the fault
	}{
		"one is lost":   {func(p *mqtttest.Proxy) { p.DropSubacks(1) }, func(*mqtttest.Proxy) {}, 0},
		"it comes late": {(*mqtttest.Proxy).HoldSubacks, (*mqtttest.Proxy).ReleaseSubacks, 0},
		"none comes":    {func(p *mqtttest.Proxy) { p.DropSubacks(4) }, func(*mqtttest.Proxy) {}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := mqtttest.Mosquitto(t)
			proxy := mqtttest.NewProxy(t, b.URL)
			o := b.Options(mqtttest.API)
			o.URL = proxy.URL
			collector := dialCollector(t, b)
			mend := func() {
				<-proxy.Subacks()
				c.mend(proxy)
			}
			c.spoil(proxy)
			go mend()
			w := dialWatched(t, o)
			awaittest.True(t, "the client is subscribed", func() bool { return w.up.Load() == 1 })
			w.receives(t, collector)
			first := proxy.Dialed()
			if first != 1+c.connections {
				t.Errorf("%d connections", first)
			}
			c.spoil(proxy)
			proxy.Cut()
			mend()
			awaittest.True(t, "the client is subscribed again", func() bool { return w.up.Load() == 2 })
			w.receives(t, collector)
			if again := proxy.Dialed() - first; again != 1+c.connections {
				t.Errorf("%d connections after the loss", again)
			}
		})
	}
}

// TestClientReplacesSilentConnection: the connection carries acknowledgements and pings, and no message.
func TestClientReplacesSilentConnection(t *testing.T) {
	b := mqtttest.Mosquitto(t)
	proxy := mqtttest.NewProxy(t, b.URL)
	o := b.Options(mqtttest.API)
	o.URL = proxy.URL
	collector := dialCollector(t, b)
	w := dialWatched(t, o)
	w.receives(t, collector)
	awaittest.True(t, "a probe comes back", func() bool { return w.retained.Load() == 1 })
	proxy.DropMessages()
	awaittest.True(t, "the silence is noticed", w.Silent)
	awaittest.True(t, "there is a new connection", func() bool { return w.up.Load() == 2 && w.down.Load() == 1 })
	w.receives(t, collector)
	awaittest.True(t, "probes come back", func() bool { return w.retained.Load() == 2 && !w.Silent() })
}

// TestClientRestoresLostSubscription: the broker forgets the subscriptions of an open connection.
func TestClientRestoresLostSubscription(t *testing.T) {
	server, url := mqtttest.Serve(t, mqtttest.AllowAll{})
	w := dialWatched(t, mqtt.Options{URL: url, ClientID: "api"})
	awaittest.True(t, "a probe comes back", func() bool { return w.retained.Load() == 1 })
	for _, filter := range []string{topics.LiveBuses, topics.ProbeTopic("api")} {
		if !server.Unsubscribe("api", filter) {
			t.Fatalf("there was no subscription to %s", filter)
		}
	}
	awaittest.True(t, "the client subscribes again", func() bool {
		return server.Subscribers("nhip/live/bus/a/1") == 1
	})
}

// strictBroker refuses the subscription until it is allowed.
type strictBroker struct {
	mqtttest.AllowAll
	allowed atomic.Bool
}

// MaySubscribe implements broker.Rules.
func (s *strictBroker) MaySubscribe(_ *broker.Client, filter string) bool {
	return filter != topics.LiveBuses || s.allowed.Load()
}

// TestClientRetriesRefusedSubscription: the rules of the broker change while the client runs.
func TestClientRetriesRefusedSubscription(t *testing.T) {
	rules := new(strictBroker)
	rules.allowed.Store(true)
	url := mqtttest.StartWith(t, rules)
	proxy := mqtttest.NewProxy(t, url)
	w := dialWatched(t, mqtt.Options{URL: proxy.URL, ClientID: "api"})
	rules.allowed.Store(false)
	proxy.Cut()
	awaittest.True(t, "the client connects again", func() bool { return w.down.Load() == 1 && proxy.Dialed() == 2 })
	if w.up.Load() != 1 {
		t.Error("a refused subscription counts as granted")
	}
	rules.allowed.Store(true)
	awaittest.True(t, "the subscription is granted", func() bool { return w.up.Load() == 2 })
}
