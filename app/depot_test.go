package app_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/app"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/certs/certstest"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
)

// TestDepotOverTLS connects a bus to a gateway in a depot, which forwards to the city over TLS as a device of the
// city's fleet. Roles and tools on the city's machine use local addresses without TLS.
func TestDepotOverTLS(t *testing.T) {
	dir := t.TempDir()
	authority := certstest.New(t, "city")
	cert, key, ca := filepath.Join(dir, "city.pem"), filepath.Join(dir, "city.key"), filepath.Join(dir, "ca.pem")
	certstest.WritePair(t, authority.Issue("city", time.Now().Add(time.Hour)), cert, key)
	authority.Write(ca)
	city := apptest.Up(t, t.TempDir(), fmt.Sprintf(
		"fleet: %q\nmqtt: {tls: {cert: %[2]q, key: %[3]q}}\nhttp: {tls: {cert: %[2]q, key: %[3]q}}",
		fleetFile(t, fmt.Sprintf("vehicles: [{id: bus-1, plate: 29B-123.45}]\n"+
			"devices: [{id: depot, feed: position, topics: [nhip/in/#], rate: 5000, secrets: [%s]}]",
			fleet.Digest("city's"))), cert, key))
	if !strings.HasPrefix(city.MQTT, "ssl://") || !strings.HasPrefix(city.HTTP, "https://") {
		t.Fatalf("addresses: %+v", city.Addresses)
	}
	depot := apptest.Start(t, app.Gateway, apptest.Options(t, t.TempDir(), fmt.Sprintf(
		"fleet: %q\nbroker: {url: %q, ca: %q, username: depot, password: city's}",
		fleetFile(t, fmt.Sprintf("devices: [{id: bus-1, feed: position, secrets: [%s]}]", fleet.Digest("s"))),
		city.MQTT, ca)))
	bus, _ := depot.ConnectDevice(t, "bus-1", "s")
	m := apptest.Position("bus-1", time.Now(), 21.03, 105.85)
	token := bus.Publish(m.Topic, 1, false, []byte(m.Payload))
	if !token.WaitTimeout(awaittest.Timeout) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	local, err := datadir.ReadAddresses(city.Dir)
	if err != nil || local != city.Local || !strings.HasPrefix(local.HTTP, "http://127.0.0.1:") {
		t.Fatalf("local addresses: %+v, %v", local, err)
	}
	inside := &apptest.Platform{Addresses: app.Addresses{HTTP: local.HTTP, MQTT: local.MQTT}, Dir: city.Dir}
	c := inside.API(t)
	var buses apptest.Features
	awaittest.True(t, "the bus is on the city's map", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1
	})
	awaittest.True(t, "the fleet names the plate", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
		return buses.Features[0].Properties["plate"] == "29B-123.45"
	})
	page, err := inside.Client(t).Ledger(t.Context(), client.LedgerQuery{Device: "bus-1"})
	if err != nil || len(page.Rows) != 1 {
		t.Errorf("ledger at the local address: %+v, %v", page, err)
	}
	if !inside.Accepts(t, "operator", inside.Token(t)) {
		t.Error("the operator is not accepted at the local broker")
	}
}
