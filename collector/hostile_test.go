package collector

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"nhip"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"
	"nhip/internal/topics"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// hostileTexts are texts of a position that break topics or that brokers refuse in them.
var hostileTexts = []string{
	"12:中", "12:" + strings.Repeat("中", 80), strings.Repeat("/", 250), "a/+/#", "$SYS", "\u0085", "\ufffe", "\U0001fffe",
	strings.Repeat("%", 256), "..", "\ufeff", "12:3\u0301",
}

// TestHostileTextsNeverCostTheBroker sends facts whose texts become topics. The collector keeps its connection,
// publishes everything else, and starts again on the same folder.
func TestHostileTextsNeverCostTheBroker(t *testing.T) {
	for name, broker := range map[string]func(t *testing.T) mqtt.Options{
		"embedded":  func(t *testing.T) mqtt.Options { return mqtt.Options{URL: mqtttest.Start(t), ClientID: "collector"} },
		"mosquitto": func(t *testing.T) mqtt.Options { return mqtttest.Mosquitto(t).Options(mqtttest.Collector) },
	} {
		t.Run(name, func(t *testing.T) {
			o := broker(t)
			h := &harness{
				broker: o.URL, account: o, hfp: true, dir: t.TempDir(), clock: &fakeClock{t: noon}, store: &fakeStore{},
			}
			h.start(t)
			l := mqtttest.Listen(t, mqtt.Options{
				URL: o.URL, ClientID: "listener", Username: o.Username, Password: o.Password,
			}, topics.Live)
			for i, text := range hostileTexts {
				quoted, _ := json.Marshal(text)
				fields := ""
				for _, f := range []string{"start_time", "route", "line", "trip", "headsign", "next_stop", "stop"} {
					h.accept(t, fmt.Sprintf("nhip/in/position/%s%d", f, i), fmt.Sprintf(
						`{"time":"2026-02-16T12:00:00Z","lat":21,"lon":105.85,%q:%s}`, f, quoted))
					fields += fmt.Sprintf(",%q:%s", f, quoted)
				}
				h.accept(t, fmt.Sprintf("nhip/in/position/all%d", i),
					`{"time":"2026-02-16T12:00:00Z","lat":21,"lon":105.85`+fields+`}`)
				h.accept(t, "nhip/in/position/"+topics.Escape(text), positionAt(noon, 21))
				h.accept(t, "nhip/in/reading/"+topics.Escape(text), pm25At(noon, 5))
				review := nhip.Review{
					ID: text, Station: "s", From: noon.Add(-1), To: noon, Action: nhip.ActionExclude, By: "x", Why: "y", Time: noon,
				}
				raw, _ := json.Marshal(review)
				h.accept(t, topics.UserActionTopic(nhip.ActionKindReview, text), string(raw))
			}
			h.checkHealthy(t, l, "first")
			if n := testutil.ToFloat64(h.metrics.dropped.WithLabelValues("start_time")); n != float64(2*len(hostileTexts)) {
				t.Errorf("%v start times dropped, want %d", n, 2*len(hostileTexts))
			}
			if bus, ok := h.state.Bus("hanoi", "start_time0"); !ok || bus.StartTime != "" || bus.Lat != 21 {
				t.Errorf("the fix with the invalid start_time is %+v", bus)
			}
			h.stop(t)
			h.start(t)
			h.checkHealthy(t, l, "second")
		})
	}
}

// checkHealthy checks that the collector publishes, and has not lost its connection.
func (h *harness) checkHealthy(t *testing.T, l *mqtttest.Listener, vehicle string) {
	t.Helper()
	h.accept(t, "nhip/in/position/"+vehicle, positionAt(noon, 21))
	l.Wait(t, "the live topic", func(m mqtttest.Message) bool { return m.Topic == topics.LiveBusTopic("hanoi", vehicle) })
	l.Wait(t, "the HFP topic", func(m mqtttest.Message) bool {
		return strings.HasPrefix(m.Topic, topics.LiveHFP+"journey/ongoing/vp/bus/hanoi/"+vehicle+"/")
	})
	all, err := h.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == "nhip_mqtt_connections_lost_total" && f.GetMetric()[0].GetCounter().GetValue() != 0 {
			t.Errorf("the connection was lost %v times", f.GetMetric()[0].GetCounter().GetValue())
		}
	}
	if !h.Publishing() || h.ConnectionFault() != "" {
		t.Errorf("publishing %t, fault %q", h.Publishing(), h.ConnectionFault())
	}
}

// A value is kept without its place if that is impossible: a station's place is in the fleet file anyway.
func TestInvalidPlaceCostsNoReading(t *testing.T) {
	h := newHarness(t)
	h.start(t)
	h.accept(t, "nhip/in/reading/s1",
		`{"time":"2026-02-16T12:00:00Z","period":"1h","lat":0,"lon":0,"values":{"pm25":31.5,"pm10":60}}`)
	st, ok := h.state.Station("s1")
	if !ok || st.Values[nhip.PM25].Value != 31.5 || st.Lat.Known() {
		t.Errorf("the station is %+v", st)
	}
	if n := testutil.ToFloat64(h.metrics.dropped.WithLabelValues("lat")); n != 2 {
		t.Errorf("%v places dropped, want 2", n)
	}
}
