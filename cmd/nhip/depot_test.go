package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/api/apitest"
	"nhip/internal/await"
	"nhip/internal/certs/certstest"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
)

// TestADepotOverTLS: buses speak to a gateway in their depot, which passes on to the city over TLS, as a
// bridge of the city's fleet. The city's own roles and tools come in from inside, without TLS.
func TestADepotOverTLS(t *testing.T) {
	dir := t.TempDir()
	authority := certstest.New(t, "city")
	cert, key, ca := filepath.Join(dir, "city.pem"), filepath.Join(dir, "city.key"), filepath.Join(dir, "ca.pem")
	certstest.WritePair(t, authority.Issue("city", time.Now().Add(time.Hour)), cert, key)
	authority.Write(ca)
	city := t.TempDir()
	influxd(t)
	p, at := launch(t, city, "up", "--data-dir", city, "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--influxd", influxd(t),
		"--fleet", fleetOf(t, fmt.Sprintf("vehicles: [{id: bus-1, plate: 29B-123.45}]\ndevices: [{id: depot, feed: position, topics: [nhip/in/#], rate: 5000, secrets: [%s]}]", fleet.Digest("city's"))),
		"--config", writeYAML(t, fmt.Sprintf("mqtt: {tls: {cert: %q, key: %q}}\nhttp: {tls: {cert: %q, key: %q}}", cert, key, cert, key)))
	if !strings.HasPrefix(at["mqtt"], "ssl://") || !strings.HasPrefix(at["http"], "https://") {
		t.Fatalf("the ready line tells %v", at)
	}
	depot := t.TempDir()
	gate, _ := launch(t, depot, "gateway", "--data-dir", depot, "--mqtt", "127.0.0.1:0", "--upstream", at["mqtt"],
		"--config", writeYAML(t, fmt.Sprintf("broker: {ca: %q, username: depot, password: city's}", ca)))
	addresses, err := datadir.ReadAddresses(depot)
	if err != nil {
		t.Fatal(err)
	}
	gate.Addresses = addresses
	secret := secretOf(t, gate.succeed(t, "device", "add", "bus-1", "--feed", "position"))
	await.True(t, "the bus is let in at its depot", func() bool { return gate.mayEnter(t, "bus-1", secret) })
	bus, _ := gate.asDevice(t, "bus-1", secret)
	m := position("bus-1", time.Now(), 21.03, 105.85)
	if tok := bus.Publish(m[0], 1, false, []byte(m[1])); !tok.WaitTimeout(waitFor) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	if addresses, err = datadir.ReadAddresses(p.dir); err != nil || !strings.HasPrefix(addresses.HTTP, "http://127.0.0.1:") {
		t.Fatalf("tools are told %+v, %v", addresses, err)
	}
	c := apitest.New(t, addresses.HTTP)
	var buses collection
	await.True(t, "the bus is on the city's map", func() bool {
		answerInto(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1
	})
	if plate := buses.Features[0].Properties["plate"]; plate != "29B-123.45" {
		t.Errorf("the fleet is not told: plate %v", plate)
	}
	p.Addresses = addresses
	if !strings.Contains(p.succeed(t, "ledger"), "bus-1") {
		t.Error("a tool does not get in")
	}
}
