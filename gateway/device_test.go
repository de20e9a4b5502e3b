package gateway

import (
	"bytes"
	"testing"
	"time"

	"nhip/internal/await"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

var feeds = fleet.Feeds{
	"position": {Topic: "nhip/in/position/+", Format: "position"}, "tts": {Topic: "v3/+/devices/+/up", Format: "tts"},
	"boxes": {Topic: "boxes/+", Format: "sensor-community"}, "lorawan": {Topic: "application/+/device/+/event/up", Format: "chirpstack"},
}

func box(id string, secrets ...string) fleet.Device {
	d := fleet.Device{ID: id, Feed: "position"}
	for _, s := range secrets {
		d.Secrets = append(d.Secrets, fleet.Digest(s))
	}
	return d
}

func withFleet(g *Gateway, devices ...fleet.Device) {
	g.SetFleet(&fleet.Fleet{Devices: devices}, feeds)
}

// refuses reports whether a log-in fails.
func refuses(t *testing.T, o mqtt.Options) bool {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), o)
	if err == nil {
		c.Close()
	}
	return err != nil
}

func TestADeviceEntersWithItsSecretsOnly(t *testing.T) {
	g := start(t, &door{})
	withFleet(g, box("bus-1", "new", "old"), box("bus-2", "other"), box("cert-only"))
	off := box("bus-3", "third")
	off.Disabled = true
	withFleet(g, box("bus-1", "new", "old"), box("bus-2", "other"), box("cert-only"), off)
	for _, secret := range []string{"new", "old"} { // a rotation
		if refuses(t, as(g, "bus-1", secret)) {
			t.Errorf("the secret %q does not open", secret)
		}
	}
	for name, o := range map[string]mqtt.Options{
		"another's secret":            as(g, "bus-1", "other"),
		"a disabled device":           as(g, "bus-3", "third"),
		"an unknown device":           as(g, "bus-9", "new"),
		"no secret":                   as(g, "bus-1", ""),
		"a device without a secret":   as(g, "cert-only", ""),
		"another client id":           {URL: g.URL(), ClientID: "bus-2", Username: "bus-1", Password: "new"},
		"the operator as a device":    as(g, "bus-1", accounts.Operator),
		"a role as a device":          as(g, "bus-1", accounts.Role),
		"a device in another's place": {URL: g.URL(), ClientID: "bus-1", Username: "bus-2", Password: "other"},
	} {
		if !refuses(t, o) {
			t.Errorf("%s is let in", name)
		}
	}
	if n := testutil.ToFloat64(g.hook.metrics.refused.WithLabelValues(badClientID)); n != 4 {
		t.Errorf("%v wrong client ids counted, want 4", n)
	}
}

func TestNobodyTakesTheClientIDOfAHigherRank(t *testing.T) {
	g := start(t, &door{})
	role := dial(t, as(g, "nhip-api", accounts.Role))
	if !refuses(t, as(g, "nhip-api", accounts.Operator)) {
		t.Error("an operator evicts a role")
	}
	if !acked(role.Publish("nhip/live/bus/a/1", 1, true, []byte("{}")), waitFor) {
		t.Error("the role is gone")
	}
}

func TestADeviceSpeaksOnItsOwnTopicsOnly(t *testing.T) {
	d := &door{}
	g := start(t, d)
	withFleet(g, box("bus-1", "s"), box("bus-2", "t"))
	own := dial(t, as(g, "bus-1", "s"))
	if !acked(own.Publish("nhip/in/position/bus-1", 1, false, []byte("{}")), waitFor) {
		t.Fatal("its own topic is denied")
	}
	for i, topic := range []string{
		"nhip/in/position/bus-2", "nhip/in/position/bus-1/x", "nhip/in/position", "nhip/in/position/bus-10", "nhip/live/bus/a/1",
		"nhip/cmd/bus-1/go", "nhip/fleet/station/x", "nhip/in/import/position/x", "/hfp/v2/x", "a",
	} {
		own.Publish(topic, 0, true, []byte("lie"))
		await.True(t, topic+" is denied", func() bool {
			return testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) == float64(i+1)
		})
	}
	if got := d.messages(); len(got) != 1 || got[0].Topic != "nhip/in/position/bus-1" || got[0].Client != "bus-1" {
		t.Errorf("the door heard %v", got)
	}
}

func TestABridgeSpeaksForOthers(t *testing.T) {
	d := &door{}
	g := start(t, d)
	depot := box("depot", "s")
	depot.Topics = []string{"nhip/in/#", "tele/+/SENSOR"}
	withFleet(g, depot, box("depot-2", "t"))
	for i, id := range []string{"depot", "depot-0", "depot-1"} { // at a time
		c := dial(t, mqtt.Options{URL: g.URL(), ClientID: id, Username: "depot", Password: "s"})
		if !acked(c.Publish("nhip/in/position/anybody", 1, false, []byte("{}")), waitFor) || len(d.messages()) != i+1 {
			t.Errorf("%s may not speak", id)
		}
	}
	for _, id := range []string{"depot-2", "depots", "x"} {
		if !refuses(t, mqtt.Options{URL: g.URL(), ClientID: id, Username: "depot", Password: "s"}) {
			t.Errorf("a bridge is let in as %s", id)
		}
	}
	c := dial(t, mqtt.Options{URL: g.URL(), ClientID: "depot-9", Username: "depot", Password: "s"})
	c.Publish("nhip/in/import/position/x", 0, false, []byte("{}"))
	await.True(t, "history is denied", func() bool { return testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) == 1 })
}

func TestADeviceHearsItsOwnCommandsOnly(t *testing.T) {
	g := start(t, &door{})
	withFleet(g, box("bus-1", "s"))
	for _, filter := range []string{"#", "nhip/live/#", "nhip/cmd/#", "nhip/cmd/+/x", "nhip/cmd/bus-2/#", "$SYS/#", "$share/a/nhip/cmd/bus-1/#", "+/cmd/bus-1/#", "nhip/fleet/#"} {
		r := dialRaw(t, g)
		r.say(connectAs("bus-1", "s"))
		r.hear(4)
		r.say(subscribe(filter))
		if got := r.hear(5); !bytes.Equal(got, []byte{0x90, 3, 0, 7, 0x80}) {
			t.Errorf("a subscription to %s is answered with %x", filter, got)
		}
		_ = r.Close()
	}
	l := mqtttest.Listen(t, as(g, "bus-1", "s"), "nhip/cmd/bus-1/#")
	operator := dial(t, as(g, "desk", accounts.Operator))
	operator.Publish("nhip/cmd/bus-2/restart", 1, false, []byte("not yours"))
	operator.Publish("nhip/cmd/bus-1/restart", 1, false, []byte("now"))
	if m := l.Wait(t, "the command", func(mqtttest.Message) bool { return true }); m.Payload != "now" {
		t.Errorf("heard %+v", m)
	}
}

func TestANewFleetEndsTheSessionsOfThoseWhoAreOut(t *testing.T) {
	g := start(t, &door{})
	withFleet(g, box("gone", "s"), box("off", "s"), box("rotated", "old", "new"), box("stays", "s"))
	connected := make(map[string]*mqtt.Client)
	lost := make(chan string, 8)
	for id, secret := range map[string]string{"gone": "s", "off": "s", "rotated": "old", "stays": "s"} {
		o := as(g, id, secret)
		o.OnDown = func(error) { lost <- id }
		connected[id] = dial(t, o)
	}
	off := box("off", "s")
	off.Disabled = true
	began := time.Now()
	withFleet(g, off, box("rotated", "new"), box("stays", "s"))
	for range 3 {
		if id := <-lost; id == "stays" {
			t.Error("a device that may stay is cut off")
		}
	}
	t.Logf("cut off after %s", time.Since(began).Round(time.Millisecond))
	if !acked(connected["stays"].Publish("nhip/in/position/stays", 1, false, []byte("{}")), waitFor) {
		t.Error("a device that may stay can't speak")
	}
	if n := testutil.ToFloat64(g.hook.metrics.refused.WithLabelValues("revoked")); n != 3 {
		t.Errorf("%v revocations counted, want 3", n)
	}
}

func TestTopicsOfANewFleetHoldAtOnce(t *testing.T) {
	d := &door{}
	g := start(t, d)
	withFleet(g, box("bus-1", "s"))
	c := dial(t, as(g, "bus-1", "s"))
	moved := box("bus-1", "s")
	moved.Topics = []string{"depot/7/#"}
	withFleet(g, moved)
	if !acked(c.Publish("depot/7/gps", 1, false, []byte("{}")), waitFor) {
		t.Error("the new topic is denied")
	}
}

func TestTheFleetIsToldToTheRoles(t *testing.T) {
	g := start(t, &door{})
	f := &fleet.Fleet{Stations: []fleet.Station{{ID: "s", Kind: fleet.Reference}}, Devices: []fleet.Device{box("bus-1", "secret")}}
	g.SetFleet(f, feeds)
	l := mqtttest.Listen(t, as(g, "role", accounts.Role), "nhip/fleet/#")
	m := l.Wait(t, "the station", func(mqtttest.Message) bool { return true })
	if m.Topic != "nhip/fleet/station/s" || !m.Retained || m.Payload != `{"id":"s","kind":"reference","position":""}` {
		t.Errorf("heard %+v", m)
	}
	g.SetFleet(&fleet.Fleet{}, feeds)
	if m = l.Wait(t, "that it has left", func(m mqtttest.Message) bool { return m.Payload == "" }); m.Topic != "nhip/fleet/station/s" {
		t.Errorf("heard %+v", m)
	}
}

func BenchmarkACL(b *testing.B) {
	known := newDirectory(&fleet.Fleet{Devices: []fleet.Device{box("29B-12345")}}, feeds)
	s := &session{rank: Box}
	s.device.Store(known["29B-12345"])
	b.ReportAllocs()
	for b.Loop() {
		if !s.mayPublish("nhip/in/position/29B-12345") {
			b.Fatal("denied")
		}
	}
}
