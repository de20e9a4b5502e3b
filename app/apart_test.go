package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/influx/influxtest"
	"nhip/internal/mqtt/mqtttest"
)

// apart runs roles apart on a Mosquitto and a database.
type apart struct {
	dir      string
	broker   *mqtttest.Broker
	database *influxtest.Instance
	yaml     string // further keys
}

func newApart(t *testing.T, yaml string) *apart {
	t.Helper()
	return &apart{dir: t.TempDir(), broker: mqtttest.Mosquitto(t), database: influxtest.Server(t), yaml: yaml}
}

func (a *apart) start(t *testing.T, role func(app.Options) *app.Role, account string) *apptest.Platform {
	t.Helper()
	o := a.broker.Options(account)
	return apptest.Start(t, role, apptest.Options(t, a.dir, fmt.Sprintf(
		"broker: {url: %q, username: %q, password: %q}\n%s%s",
		o.URL, o.Username, o.Password, a.database.YAML(t, "nhip", ""), a.yaml)))
}

// readyz returns the answer of /readyz of a role at a URL.
func readyz(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url + "/readyz")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	var b strings.Builder
	_ = resp.Write(&b) // an incomplete answer does not contain what is looked for
	return b.String()
}

// TestGatewayThatStartsFirstLosesNothing: Mosquitto acknowledges what nobody has subscribed to. Then the broker loses
// its database while all roles run.
func TestGatewayThatStartsFirstLosesNothing(t *testing.T) {
	a := newApart(t, "")
	gateway := a.start(t, app.Gateway, mqtttest.Gateway)
	gateway.Dir = a.dir
	const each = 427
	publish := func(vehicles ...string) {
		var messages []apptest.Message
		for _, v := range vehicles {
			for i := range each {
				messages = append(messages, apptest.Position(v, time.Now().Add(-time.Duration(each-i)*time.Second), 21, 105.85))
			}
		}
		gateway.Publish(t, messages...)
	}
	publish("first-1", "first-2")
	awaittest.True(t, "the gateway reports that no collector is there", func() bool {
		return strings.Contains(readyz(t, gateway.Health), `"degraded":["collector"]`)
	})
	collector := a.start(t, app.Collector, mqtttest.Collector)
	api := a.start(t, app.API, mqtttest.API)
	api.Dir = a.dir
	stored := func(want int) {
		t.Helper()
		awaittest.True(t, fmt.Sprintf("%d messages are stored", want), func() bool {
			page, err := api.Client(t).Ledger(t.Context(), client.LedgerQuery{})
			if err != nil {
				return false
			}
			n := 0
			for _, row := range page.Rows {
				n += int(row.Stored)
			}
			return n == want
		})
	}
	stored(2 * each)
	awaittest.True(t, "the gateway is not degraded", func() bool {
		return strings.Contains(readyz(t, gateway.Health), `"degraded":[]`)
	})
	a.broker.Kill(t)
	a.broker.Wipe(t)
	a.broker.Start(t)
	publish("wiped-1", "wiped-2")
	stored(4 * each)
	collector.Stop(t)
	publish("stopped")
	a.start(t, app.Collector, mqtttest.Collector)
	stored(5 * each)
}

// TestUserActionsArriveOverMosquitto: reviews and acknowledgements of alerts pass the shipped rules of Mosquitto.
func TestUserActionsArriveOverMosquitto(t *testing.T) {
	a := newApart(t, "air: {alerts: [{name: dust, measure: VN_AQI, tendency: 100, hysteresis: 5}]}")
	gateway := a.start(t, app.Gateway, mqtttest.Gateway)
	gateway.Dir = a.dir
	a.start(t, app.Collector, mqtttest.Collector)
	hour := time.Now().Truncate(time.Hour)
	for i := range 3 {
		gateway.Publish(t, apptest.Reading("hn-01", hour.Add(-time.Duration(2-i)*time.Hour), 65)) // VN_AQI 125
	}
	p := a.start(t, app.API, mqtttest.API)
	p.Dir = a.dir
	api := p.Client(t)
	if _, err := api.CreateReview(t.Context(), client.NewReview{
		ID: "r1", Station: "hn-01", Quantity: "pm25", From: hour.Add(-10 * time.Hour), To: hour.Add(-5 * time.Hour),
		Action: nhip.ActionExclude, By: "Lan", Why: "lọc bụi bẩn",
	}); err != nil {
		t.Fatal(err)
	}
	var alert nhip.Alert
	awaittest.True(t, "the alert is open", func() bool {
		alerts, err := api.Alerts(t.Context())
		if err != nil || len(alerts.Open) != 1 {
			return false
		}
		alert = alerts.Open[0]
		return true
	})
	if _, err := api.AckAlert(t.Context(), alert.ID, "Lan", "đã biết"); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the alert is acknowledged", func() bool {
		alerts, err := api.Alerts(t.Context())
		return err == nil && len(alerts.Open) == 1 && alerts.Open[0].AckBy == "operator"
	})
}
