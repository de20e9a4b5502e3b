package publish_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/mqtt/publish"
	"nhip/internal/topics"
)

func TestPoolCountsAcksAcrossLostConnection(t *testing.T) {
	broker := mqtttest.Start(t)
	received := mqtttest.Listen(t, mqtt.Options{URL: broker, ClientID: "listener"}, "a/#")
	proxy := mqtttest.NewProxy(t, broker)
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	pool := dialPool(t, proxy.URL, publish.Options{Connections: 2})
	const n = 300
	for i := range n {
		if i == n/2 {
			proxy.Cut()
		}
		if err := pool.Publish(ctx, fmt.Sprintf("a/%d", i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := pool.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if pool.Acked() != n {
		t.Errorf("%d messages are acknowledged, want %d", pool.Acked(), n)
	}
	got := make(map[string]bool)
	for len(got) < n {
		what := fmt.Sprintf("message %d of %d", len(got)+1, n)
		m := received.Wait(t, what, func(m mqtttest.Message) bool { return !got[m.Topic] })
		got[m.Topic] = true
	}
}

func TestPoolRejectsInvalidMessages(t *testing.T) {
	pool := dialPool(t, mqtttest.Start(t), publish.Options{})
	for topic, payload := range map[string]string{
		"": "x", "a/+": "x", "a/#": "x", "big": strings.Repeat("x", topics.MaxPacket),
	} {
		if pool.Publish(t.Context(), topic, []byte(payload)) == nil {
			t.Errorf("Publish accepts topic %q with %d bytes", topic, len(payload))
		}
	}
	if err := pool.Close(t.Context()); err != nil || pool.Acked() != 0 {
		t.Errorf("Close returned %v after %d acknowledgements, want nil after 0", err, pool.Acked())
	}
}

func TestPoolCloseGivesUpAtDeadline(t *testing.T) {
	proxy := mqtttest.NewProxy(t, mqtttest.Start(t))
	pool := dialPool(t, proxy.URL, publish.Options{})
	proxy.Cut()
	if err := pool.Publish(t.Context(), "a/1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := pool.Close(ctx) // the pool may reconnect in time
	if err == nil && pool.Acked() != 1 || err != nil && !strings.Contains(err.Error(), "a/1") {
		t.Errorf("Close returned %v after %d acknowledgements", err, pool.Acked())
	}
}

func TestPoolGivesUpAfterMaxLosses(t *testing.T) {
	proxy := mqtttest.NewProxy(t, mqtttest.Start(t))
	pool := dialPool(t, proxy.URL, publish.Options{MaxLosses: 1})
	proxy.CutOnNextSend() // a broker does this to a client that may not publish on a topic
	if err := pool.Publish(t.Context(), "nhip/live/x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "nhip/live/x") {
		t.Errorf("Close returned %v, want an error that names the topic", err)
	}
}

// dialPool returns a pool that is connected to a broker, by one connection unless o says otherwise.
func dialPool(t *testing.T, url string, o publish.Options) *publish.Pool {
	t.Helper()
	o.URL, o.ClientID = url, "pool"
	o.Connections = max(o.Connections, 1)
	pool, err := publish.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}
