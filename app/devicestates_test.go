package app_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"nhip"
	"nhip/app"
	"nhip/app/apptest"
	"nhip/client"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
	"nhip/internal/mqtt/mqtttest"
)

// fleetOf returns a configuration with a fleet of devices, each with the secret "s".
func fleetOf(t *testing.T, ids ...string) string {
	t.Helper()
	var devices strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&devices, "- {id: %s, feed: position, secrets: [%s]}\n", id, fleet.Digest("s"))
	}
	return fmt.Sprintf("fleet: %q\n", fleetFile(t, "devices:\n"+devices.String()))
}

// allDevices reads all devices, a page of some at a time.
func allDevices(t *testing.T, c *client.Client, limit int) (all []nhip.DeviceState, silent []string) {
	t.Helper()
	for page, err := range c.DevicePages(t.Context(), client.DeviceQuery{Limit: limit}) {
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Devices) > limit {
			t.Errorf("a page has %d devices, want at most %d", len(page.Devices), limit)
		}
		all, silent = append(all, page.Devices...), page.Silent
	}
	return all, silent
}

// TestDevicesOfUp asks for the devices of nhip up, before and after a restart.
func TestDevicesOfUp(t *testing.T) {
	dir, yaml := t.TempDir(), ""
	var ids []string
	for i := range 7 {
		ids = append(ids, fmt.Sprintf("bus-%d", i))
	}
	yaml = fleetOf(t, ids...)
	p := apptest.Up(t, dir, yaml)
	device, _ := p.ConnectDevice(t, "bus-3", "s")
	if tok := device.Publish("nhip/in/position/bus-3", 1, false, []byte("{}")); !tok.WaitTimeout(awaittest.Timeout) {
		t.Fatal("not acknowledged")
	}
	if p.Accepts(t, "bus-4", "wrong") {
		t.Fatal("a wrong secret is accepted")
	}
	api := p.Client(t)
	all, silent := allDevices(t, api, 3)
	if len(all) != 7 || len(silent) > 0 || all[0].ID != "bus-0" || all[6].ID != "bus-6" {
		t.Fatalf("%+v, silent %v", all, silent)
	}
	check := func(all []nhip.DeviceState, connected bool) {
		t.Helper()
		if three := all[3]; three.Connected != connected || three.Heard.IsZero() || three.Feed != "position" {
			t.Errorf("a device that was heard: %+v", three)
		}
		if four := all[4]; four.Connected || four.Refused == nil || four.Refused.Reason != nhip.RefusedCredentials {
			t.Errorf("a device that was refused: %+v", four)
		}
		if zero := all[0]; zero.Connected || !zero.Heard.IsZero() || zero.Refused != nil {
			t.Errorf("another device: %+v", zero)
		}
	}
	check(all, true)
	c := p.API(t)
	c.Get(t, "/v1/devices/bus-3") // checks the contract
	var problem *client.Problem
	if _, err := api.Device(t.Context(), "nobody"); !errors.As(err, &problem) || problem.Status != http.StatusNotFound {
		t.Errorf("an unknown device: %v", err)
	}
	if _, err := api.Devices(t.Context(), client.DeviceQuery{Limit: 1_001}); !errors.As(err, &problem) ||
		problem.Status != http.StatusBadRequest {
		t.Errorf("a page that is too large: %v", err)
	}
	resp, err := http.Get(p.HTTP + "/v1/devices")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without the operator's token: %d", resp.StatusCode)
	}
	device.Close()
	p.Stop(t)
	all, _ = allDevices(t, apptest.Up(t, dir, yaml).Client(t), 100)
	check(all, false)
}

// TestDevicesOfGatewaysApart asks for the devices of two gateways on a Mosquitto with the shipped rules. One device is
// in the fleets of both. Then one gateway stops.
func TestDevicesOfGatewaysApart(t *testing.T) {
	west, east := newApart(t, fleetOf(t, "both", "west-1")), apart{}
	east = *west
	east.dir, east.yaml = t.TempDir(), fleetOf(t, "both", "east-1", "east-2")
	atWest := west.start(t, app.Gateway, mqtttest.Gateway)
	atEast := east.start(t, app.Gateway, mqtttest.Gateway)
	west.start(t, app.Collector, mqtttest.Collector)
	p := west.start(t, app.API, mqtttest.API)
	p.Dir = west.dir
	api := p.Client(t)
	device, _ := atEast.ConnectDevice(t, "both", "s")
	defer device.Close()
	awaittest.True(t, "both gateways answer", func() bool {
		page, err := api.Devices(t.Context(), client.DeviceQuery{})
		return err == nil && len(page.Devices) == 4
	})
	all, silent := allDevices(t, api, 2)
	if len(all) != 4 || len(silent) > 0 || all[0].ID != "both" || !all[0].Connected || all[3].ID != "west-1" {
		t.Errorf("%+v, silent %v", all, silent)
	}
	if one, err := api.Device(t.Context(), "west-1"); err != nil || one.ID != "west-1" {
		t.Errorf("a device of one of them: %+v, %v", one, err)
	}
	atWest.Stop(t)
	awaittest.True(t, "a gateway that has stopped is not asked", func() bool {
		page, err := api.Devices(t.Context(), client.DeviceQuery{})
		return err == nil && len(page.Devices) == 3 && len(page.Silent) == 0
	})
}
