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
	changeDevices(t, p, api)
	p.Stop(t)
	again := apptest.Up(t, dir, yaml)
	all, _ = allDevices(t, again.Client(t), 100)
	check(all, false)
	if again.Accepts(t, "bus-5", "s") || again.Accepts(t, "bus-6", "s") {
		t.Error("a device that was removed or disabled over the web is accepted after a restart")
	}
}

// changeDevices changes devices over the web, beside the fleet file.
func changeDevices(t *testing.T, p *apptest.Platform, api *client.Client) {
	t.Helper()
	ctx := t.Context()
	accepted := func(id, secret string, want bool) {
		t.Helper()
		awaittest.True(t, fmt.Sprintf("%s is accepted: %t", id, want), func() bool {
			return p.Accepts(t, id, secret) == want
		})
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	secret, err := api.AddDevice(ctx, client.NewDevice{ID: "new-1", Feed: "position"})
	must(err)
	accepted("new-1", secret, true)
	second, err := api.RotateDevice(ctx, "new-1")
	must(err)
	accepted("new-1", second, true)
	accepted("new-1", secret, true)
	must(api.EndDeviceRotation(ctx, "new-1"))
	accepted("new-1", secret, false)
	must(api.DisableDevice(ctx, "new-1"))
	accepted("new-1", second, false)
	must(api.EnableDevice(ctx, "new-1"))
	accepted("new-1", second, true)
	must(api.RemoveDevice(ctx, "new-1"))
	accepted("new-1", second, false)
	must(api.RemoveDevice(ctx, "bus-5")) // of the file
	accepted("bus-5", "s", false)
	must(api.DisableDevice(ctx, "bus-6"))
	accepted("bus-6", "s", false)
	changes, err := api.FleetChanges(ctx)
	if must(err); len(changes.Changes) != 2 || !changes.Changes[0].Removed || changes.Changes[0].ID != "bus-5" ||
		!changes.Changes[1].Disabled || len(changes.Changes[1].Secrets[0]) > 20 {
		t.Errorf("changes beside the file: %+v", changes)
	}
	add := func(id, feed string) error {
		_, err := api.AddDevice(ctx, client.NewDevice{ID: id, Feed: feed})
		return err
	}
	for name, c := range map[string]struct {
		err  error
		code nhip.Code
	}{
		"a device that exists": {add("bus-0", "position"), nhip.CodeConflict},
		"an unknown feed":      {add("x", "none"), nhip.CodeInvalid},
		"an id of a role":      {add("a/b", "position"), nhip.CodeInvalid},
		"no device":            {api.DisableDevice(ctx, "nobody"), nhip.CodeNotFound},
		"a removed device":     {api.EnableDevice(ctx, "new-1"), nhip.CodeNotFound},
		"no rotation":          {api.EndDeviceRotation(ctx, "bus-0"), nhip.CodeConflict},
	} {
		if nhip.ErrorCode(c.err) != c.code {
			t.Errorf("%s: %v", name, c.err)
		}
	}
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
