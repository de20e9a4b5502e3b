package gateway

import (
	"bytes"
	"io"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

var feeds = fleet.Feeds{
	"position": {Topic: "nhip/in/position/+", Format: "position"}, "tts": {Topic: "v3/+/devices/+/up", Format: "tts"},
	"sensors": {Topic: "sensors/+", Format: "sensor-community"}, "lorawan": {
		Topic: "application/+/device/+/event/up", Format: "chirpstack",
	},
}

func newDevice(id string, secrets ...string) fleet.Device {
	d := fleet.Device{ID: id, Feed: "position"}
	for _, s := range secrets {
		d.Secrets = append(d.Secrets, fleet.Digest(s))
	}
	return d
}

func setDevices(g *Gateway, devices ...fleet.Device) {
	g.SetFleet(&fleet.Fleet{Devices: devices}, feeds)
}

// loginFails reports whether a log-in fails.
func loginFails(t *testing.T, o mqtt.Options) bool {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), o)
	if err == nil {
		c.Close()
	}
	return err != nil
}

func TestDeviceLogsInWithItsSecretsOnly(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	setDevices(g, newDevice("bus-1", "new", "old"), newDevice("bus-2", "other"), newDevice("cert-only"))
	off := newDevice("bus-3", "third")
	off.Disabled = true
	setDevices(g, newDevice("bus-1", "new", "old"), newDevice("bus-2", "other"), newDevice("cert-only"), off)
	for _, secret := range []string{"new", "old"} { // both are valid during a rotation
		if loginFails(t, clientOptions(g, "bus-1", secret)) {
			t.Errorf("the secret %q is refused", secret)
		}
	}
	for name, o := range map[string]mqtt.Options{
		"another's secret":           clientOptions(g, "bus-1", "other"),
		"a disabled device":          clientOptions(g, "bus-3", "third"),
		"an unknown device":          clientOptions(g, "bus-9", "new"),
		"no secret":                  clientOptions(g, "bus-1", ""),
		"a device without a secret":  clientOptions(g, "cert-only", ""),
		"another client id":          {URL: g.URL(), ClientID: "bus-2", Username: "bus-1", Password: "new"},
		"the operator as a device":   clientOptions(g, "bus-1", accounts.Operator.String()),
		"a role as a device":         clientOptions(g, "bus-1", accounts.Role),
		"a device as another device": {URL: g.URL(), ClientID: "bus-1", Username: "bus-2", Password: "other"},
	} {
		if !loginFails(t, o) {
			t.Errorf("%s is accepted", name)
		}
	}
	if n := testutil.ToFloat64(g.hook.metrics.refused.WithLabelValues(nhip.RefusedClientID)); n != 4 {
		t.Errorf("%v wrong client ids counted, want 4", n)
	}
}

// TestDeviceWithoutClientIDSettingLogsIn connects a device with the client id that its firmware's MQTT library makes
// up: it gets its device id, and no other device's session is touched.
func TestDeviceWithoutClientIDSettingLogsIn(t *testing.T) {
	d := &fakeAcceptor{}
	g := start(t, d)
	setDevices(g, newDevice("bus-1", "s"), newDevice("bus-2", "t"))
	other := dial(t, clientOptions(g, "bus-2", "t"))
	for i, id := range []string{"ESP32_12AA01", "mqttx_9f", "nhip-api", "auto"} {
		c := dial(t, mqtt.Options{URL: g.URL(), ClientID: id, Username: "bus-1", Password: "s"})
		if !acked(c.Publish("nhip/in/position/bus-1", 1, false, []byte("{}")), waitFor) {
			t.Fatalf("%s: its own topic is denied", id)
		}
		c.Publish("nhip/in/position/bus-2", 0, false, []byte("forged"))
		awaittest.True(t, id+" may not publish for another device", func() bool {
			return testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) == float64(i+1)
		})
		if got := d.messages(); got[len(got)-1].Client != "bus-1" {
			t.Errorf("%s: accepted as %q", id, got[len(got)-1].Client)
		}
		if _, taken := g.hook.identityOf(id); taken {
			t.Errorf("%s: the client id of the packet is used", id)
		}
		c.Close()
	}
	if !acked(other.Publish("nhip/in/position/bus-2", 1, false, []byte("{}")), waitFor) {
		t.Error("another device is disconnected")
	}
}

func TestClientIDOfHigherKindIsProtected(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	role := dial(t, clientOptions(g, "nhip-api", accounts.Role))
	if !loginFails(t, clientOptions(g, "nhip-api", accounts.Operator.String())) {
		t.Error("an operator takes over the session of a role")
	}
	if !acked(role.Publish("nhip/live/bus/a/1", 1, true, []byte("{}")), waitFor) {
		t.Error("the role is disconnected")
	}
}

func TestDevicePublishesOnItsOwnTopicsOnly(t *testing.T) {
	d := &fakeAcceptor{}
	g := start(t, d)
	setDevices(g, newDevice("bus-1", "s"), newDevice("bus-2", "t"))
	own := dial(t, clientOptions(g, "bus-1", "s"))
	if !acked(own.Publish("nhip/in/position/bus-1", 1, false, []byte("{}")), waitFor) {
		t.Fatal("its own topic is denied")
	}
	for i, topic := range []string{
		"nhip/in/position/bus-2", "nhip/in/position/bus-1/x", "nhip/in/position", "nhip/in/position/bus-10",
		"nhip/live/bus/a/1",
		"nhip/cmd/bus-1/go", "nhip/fleet/station/x", "nhip/in/import/position/x", "/hfp/v2/x", "a",
	} {
		own.Publish(topic, 0, true, []byte("forged"))
		awaittest.True(t, topic+" is denied", func() bool {
			return testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) == float64(i+1)
		})
	}
	if got := d.messages(); len(got) != 1 || got[0].Topic != "nhip/in/position/bus-1" || got[0].Client != "bus-1" {
		t.Errorf("accepted %v", got)
	}
}

func TestBridgePublishesForOthers(t *testing.T) {
	d := &fakeAcceptor{}
	g := start(t, d)
	depot := newDevice("depot", "s")
	depot.Topics = []string{"nhip/in/#", "tele/+/SENSOR"}
	setDevices(g, depot, newDevice("depot-2", "t"))
	for i, id := range []string{"depot", "depot-0", "depot-1"} { // at the same time
		c := dial(t, mqtt.Options{URL: g.URL(), ClientID: id, Username: "depot", Password: "s"})
		if !acked(c.Publish("nhip/in/position/anybody", 1, false, []byte("{}")), waitFor) || len(d.messages()) != i+1 {
			t.Errorf("%s may not publish", id)
		}
	}
	if !loginFails(t, mqtt.Options{URL: g.URL(), ClientID: "depot-2", Username: "depot", Password: "s"}) {
		t.Error("a bridge may connect as another device")
	}
	c := dial(t, mqtt.Options{URL: g.URL(), ClientID: "depot-9", Username: "depot", Password: "s"})
	c.Publish("nhip/in/import/position/x", 0, false, []byte("{}"))
	awaittest.True(t, "the import topic is denied", func() bool {
		return testutil.ToFloat64(g.hook.metrics.denied.WithLabelValues("publish")) == 1
	})
}

func TestDeviceReadsItsOwnCommandsOnly(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	setDevices(g, newDevice("bus-1", "s"))
	for _, filter := range []string{
		"#", "nhip/live/#", "nhip/cmd/#", "nhip/cmd/+/x", "nhip/cmd/bus-2/#", "$SYS/#", "$share/a/nhip/cmd/bus-1/#",
		"+/cmd/bus-1/#", "nhip/fleet/#",
	} {
		r := dialRaw(t, g)
		r.send(connectAs("bus-1", "s"))
		r.read(4)
		r.send(subscribe(filter))
		if got := r.read(5); !bytes.Equal(got, []byte{0x90, 3, 0, 7, 0x80}) {
			t.Errorf("subscribing to %s: SUBACK %x", filter, got)
		}
		_ = r.Close()
	}
	l := mqtttest.Listen(t, clientOptions(g, "bus-1", "s"), "nhip/cmd/bus-1/#")
	operator := dial(t, clientOptions(g, "console", accounts.Operator.String()))
	operator.Publish("nhip/cmd/bus-2/restart", 1, false, []byte("for another"))
	operator.Publish("nhip/cmd/bus-1/restart", 1, false, []byte("now"))
	if m := l.Wait(t, "the command", func(mqtttest.Message) bool { return true }); m.Payload != "now" {
		t.Errorf("received %+v", m)
	}
}

func TestNewFleetDisconnectsRevokedDevices(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	setDevices(g, newDevice("removed", "s"), newDevice("off", "s"), newDevice("rotated", "old", "new"),
		newDevice("stays", "s"))
	connected := make(map[string]*mqtt.Client)
	lost := make(chan string, 8)
	for id, secret := range map[string]string{"removed": "s", "off": "s", "rotated": "old", "stays": "s"} {
		o := clientOptions(g, id, secret)
		o.OnDown = func(error) { lost <- id }
		connected[id] = dial(t, o)
	}
	off := newDevice("off", "s")
	off.Disabled = true
	began := time.Now()
	setDevices(g, off, newDevice("rotated", "new"), newDevice("stays", "s"))
	for range 3 {
		if id := <-lost; id == "stays" {
			t.Error("a device that may stay is disconnected")
		}
	}
	t.Logf("disconnected after %s", time.Since(began).Round(time.Millisecond))
	if !acked(connected["stays"].Publish("nhip/in/position/stays", 1, false, []byte("{}")), waitFor) {
		t.Error("a device that may stay can't publish")
	}
	if n := testutil.ToFloat64(g.hook.metrics.refused.WithLabelValues("revoked")); n != 3 {
		t.Errorf("%v revocations counted, want 3", n)
	}
}

func TestNewFleetChangesTopicsAtOnce(t *testing.T) {
	d := &fakeAcceptor{}
	g := start(t, d)
	setDevices(g, newDevice("bus-1", "s"))
	c := dial(t, clientOptions(g, "bus-1", "s"))
	moved := newDevice("bus-1", "s")
	moved.Topics = []string{"depot/7/#"}
	setDevices(g, moved)
	if !acked(c.Publish("depot/7/gps", 1, false, []byte("{}")), waitFor) {
		t.Error("the new topic is denied")
	}
}

func TestFleetIsPublishedToRoles(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	f := &fleet.Fleet{
		Stations: []fleet.Station{{ID: "s", Kind: fleet.Reference}}, Devices: []fleet.Device{newDevice("bus-1", "secret")},
	}
	g.SetFleet(f, feeds)
	l := mqtttest.Listen(t, clientOptions(g, "role", accounts.Role), "nhip/fleet/#")
	m := l.Wait(t, "the station", func(mqtttest.Message) bool { return true })
	if m.Topic != "nhip/fleet/station/s" || !m.Retained || m.Payload != `{"id":"s","kind":"reference","position":""}` {
		t.Errorf("received %+v", m)
	}
	g.SetFleet(&fleet.Fleet{}, feeds)
	if m = l.Wait(t, "the removal of the station",
		func(m mqtttest.Message) bool { return m.Payload == "" }); m.Topic != "nhip/fleet/station/s" {
		t.Errorf("received %+v", m)
	}
}

func BenchmarkACL(b *testing.B) {
	known := newDirectory(&fleet.Fleet{Devices: []fleet.Device{newDevice("29B-12345")}}, feeds)
	s := &session{kind: Device}
	s.device.Store(known["29B-12345"])
	b.ReportAllocs()
	for b.Loop() {
		if !s.mayPublish("nhip/in/position/29B-12345") {
			b.Fatal("denied")
		}
	}
}

// TestSessionStaysWithItsOwner: a client id that the fleet gives to another device does not bring the commands with it
// that wait in the session of the one before.
func TestSessionStaysWithItsOwner(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	connect := func(user, secret string) (r *rawClient, present bool) {
		t.Helper()
		r = dialRaw(t, g)
		r.send(pack(0x10, str("MQTT"), []byte{4, 0xc0, 0, 60}, str("depot-2"), str(user), str(secret)))
		ack := make([]byte, 4)
		if _, err := io.ReadFull(r, ack); err != nil || ack[0] != 0x20 || ack[3] != 0 {
			t.Fatalf("CONNACK % x, %v", ack, err)
		}
		return r, ack[2] == 1
	}
	setDevices(g, newDevice("depot-2", "t"))
	r, _ := connect("depot-2", "t")
	r.send(subscribe("nhip/cmd/depot-2/#"))
	if r.readUntil([]byte{0x90, 3, 0, 7, 1}) == nil {
		t.Fatal("no SUBACK")
	}
	_ = r.Close()
	awaittest.True(t, "it is offline", func() bool { return g.server.Stats().Clients == 0 })
	operator := dial(t, clientOptions(g, "tool", accounts.Operator.String()))
	if !acked(operator.Publish("nhip/cmd/depot-2/door", 1, false, []byte("secret")), waitFor) {
		t.Fatal("the command is not acknowledged")
	}
	if r, present := connect("depot-2", "t"); !present || r.readUntil([]byte("secret")) == nil {
		t.Error("the device itself does not get its session")
	} else {
		_ = r.Close()
	}
	depot := newDevice("depot", "s")
	depot.Topics = []string{"nhip/in/#"}
	setDevices(g, depot)
	awaittest.True(t, "it is offline", func() bool { return g.server.Stats().Clients == 1 })
	r, present := connect("depot", "s")
	if present {
		t.Error("another device gets the session")
	}
	r.send([]byte{0xc0, 0})
	if got := r.readUntil([]byte{0xd0, 0}); len(got) != 2 {
		t.Errorf("received %q", got)
	}
}
