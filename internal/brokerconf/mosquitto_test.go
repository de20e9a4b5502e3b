package brokerconf_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/internal/brokerconf"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/mqtttest"

	"github.com/google/go-cmp/cmp"
)

var feeds = fleet.Feeds{
	"position": {Topic: "nhip/in/position/+", Format: "position"},
	"sensors":  {Topic: "sensors/+", Format: "position"},
}

// device returns a device that may log in to Mosquitto.
func device(id, feed, secret string, topics ...string) fleet.Device {
	return fleet.Device{
		ID: id, Feed: feed, Topics: topics, Secrets: []string{fleet.Digest(secret)}, Mosquitto: fleet.MosquittoDigest(secret),
	}
}

// write writes the files to a folder and returns the path of each.
func write(t *testing.T, files []brokerconf.File) func(name string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return filepath.Join(dir, name) }
}

// TestMosquittoAcceptsFleet runs a real Mosquitto with the generated files.
func TestMosquittoAcceptsFleet(t *testing.T) {
	off := device("off", "sensors", "o")
	off.Disabled = true
	f := &fleet.Fleet{Devices: []fleet.Device{
		device("bus-1", "sensors", "b"), device("bus-2", "sensors", "c"), device("depot", "position", "d", "nhip/in/#"), off,
		{ID: "certonly", Feed: "sensors"},
	}}
	files, without := brokerconf.Mosquitto(f, feeds)
	if diff := cmp.Diff([]string{"certonly"}, without); diff != "" {
		t.Error(diff)
	}
	path := write(t, files)
	passwords, err := os.OpenFile(path("nhip-devices.passwd"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{mqtttest.Collector, mqtttest.API, mqtttest.Gateway} {
		if _, err := passwords.WriteString(role + ":" + fleet.MosquittoDigest("r") + "\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := passwords.Close(); err != nil {
		t.Fatal(err)
	}
	b := mqtttest.MosquittoWith(t, map[string]string{
		"acl_file": path("nhip.acl"), "password_file": path("nhip-devices.passwd"),
	})
	as := func(user, secret string) mqtt.Options {
		return mqtt.Options{URL: b.URL, ClientID: user, Username: user, Password: secret}
	}
	for user, secret := range map[string]string{"bus-1": "c", "off": "o", "unknown": "x"} {
		if c, err := mqtt.Dial(t.Context(), as(user, secret)); err == nil {
			c.Close()
			t.Errorf("%s is accepted", user)
		}
	}
	l := mqtttest.Listen(t, as(mqtttest.Collector, "r"), "#")
	publish := func(user, secret string, topics ...string) {
		c, err := mqtt.Dial(t.Context(), as(user, secret))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, topic := range topics {
			tok := c.Publish(topic, 1, false, []byte(user))
			tok.Wait()
		}
	}
	publish("bus-1", "b", "sensors/bus-2", "nhip/in/position/bus-1", "nhip/live/bus/a/1", "nhip/cmd/bus-1/x",
		"sensors/bus-1")
	if m := l.Wait(t, "the first message", func(mqtttest.Message) bool { return true }); m.Topic != "sensors/bus-1" {
		t.Errorf("a device may publish on %s", m.Topic)
	}
	publish("depot", "d", "nhip/in/import/position/x", "sensors/bus-1", "nhip/in/position/anybody")
	if m := l.Wait(t, "the bridge",
		func(m mqtttest.Message) bool { return m.Payload == "depot" }); m.Topic != "nhip/in/position/anybody" {
		t.Errorf("a bridge may publish on %s", m.Topic)
	}
	publish(mqtttest.Gateway, "r", "sensors/any", "nhip/fleet/vehicle/1")
	l.Wait(t, "the gateway's message on the topic of a feed", func(m mqtttest.Message) bool {
		return m.Topic == "sensors/any"
	})
	l.Wait(t, "the fleet", func(m mqtttest.Message) bool { return m.Topic == "nhip/fleet/vehicle/1" })
}

func TestEMQX(t *testing.T) {
	f := &fleet.Fleet{
		Devices: []fleet.Device{
			device("bus.1", "sensors", "b"),
			device("depot", "position", "d", "nhip/in/#"),
			{ID: "certonly", Feed: "sensors"},
		},
	}
	files, without := brokerconf.EMQX(f, feeds)
	if diff := cmp.Diff([]string{"certonly"}, without); diff != "" {
		t.Error(diff)
	}
	acl, users := files[0].Text, files[1].Text
	for _, want := range []string{
		`{allow, {'and', [{username, "bus.1"}, {clientid, {re, "^bus\\.1$"}}]}, publish, ["sensors/bus.1"]}.`,
		`{allow, {username, "bus.1"}, subscribe, ["nhip/cmd/bus.1/#"]}.`,
		`{clientid, {re, "^depot(-.*)?$"}}`,
		`{allow, {username, "nhip-gateway"}, subscribe, ["nhip/live/census/+", "nhip/fleet/device/#", "nhip/ask/#"]}.`,
		`{allow, {username, "nhip-api"}, publish, ["nhip/ask/#", "nhip/say/#", "nhip/probe/#"]}.`,
		`{allow, {username, "nhip-gateway"}, publish, ["nhip/in/#", "nhip/fleet/#", "nhip/answer/#", ` +
			`"nhip/in/position/+", "sensors/+"]}.`,
	} {
		if !strings.Contains(acl, want) {
			t.Errorf("%s is not in\n%s", want, acl)
		}
	}
	if !strings.HasSuffix(acl, "{deny, all}.\n") {
		t.Error("the access list does not end with deny")
	}
	if want := `{"user_id":"bus.1","password_hash":"` + strings.TrimPrefix(fleet.Digest("b"), "sha256-") +
		`","salt":"","is_superuser":false}`; !strings.Contains(users, want) {
		t.Errorf("%s is not in %s", want, users)
	}
}
