package mqtt_test

import (
	"log/slog"
	"testing"

	"nhip/internal/awaittest"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/recovery"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestPanicOfHandlerCostsOneMessage: paho does not recover from a panic of a handler.
func TestPanicOfHandlerCostsOneMessage(t *testing.T) {
	url := mqtttest.Start(t)
	guard := recovery.NewGuard(nil, slog.New(slog.DiscardHandler))
	handled := make(chan string, 8)
	o := mqtt.Options{URL: url, ClientID: "api", Guard: guard, Subscribe: map[string]byte{topics.LiveBuses: 1}}
	o.Handle = func(_ string, payload []byte, _ bool) {
		if string(payload) == "bad" {
			panic("a fault of the handler")
		}
		handled <- string(payload)
	}
	c, err := mqtt.Dial(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	collector, err := mqtt.Dial(t.Context(), mqtt.Options{URL: url, ClientID: "collector"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(collector.Close)
	for _, payload := range []string{"bad", "good"} {
		collector.Publish("nhip/live/bus/a/1", 1, false, []byte(payload)).Wait()
	}
	if got := <-handled; got != "good" {
		t.Errorf("handled %q", got)
	}
	awaittest.True(t, "the panic is counted", func() bool { return testutil.ToFloat64(guard.Count("mqtt_handler")) == 1 })
}
