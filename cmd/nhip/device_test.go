package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"

	"golang.org/x/sys/unix"
)

// secretOf parses the output of nhip device add and rotate.
func secretOf(t *testing.T, stdout string) string {
	t.Helper()
	m := regexp.MustCompile(`^id: \S+\nsecret: ([0-9a-f]{64})\n$`).FindStringSubmatch(stdout)
	if m == nil {
		t.Fatalf("a secret is printed as %q", stdout)
	}
	return m[1]
}

// TestDeviceLifecycle adds, rotates, disables and enables a device on the command line while nhip runs.
func TestDeviceLifecycle(t *testing.T) {
	const id = "29B-12345"
	p := apptest.Up(t, t.TempDir(), "")
	first := secretOf(t, succeed(t, p.Dir, "device", "add", id, "--feed", "position"))
	c := p.API(t)
	apptest.AwaitFleet(t, c, 1)
	bus, _ := p.ConnectDevice(t, id, first)
	m := apptest.Position(id, time.Now(), 21.03, 105.85)
	if tok := bus.Publish(m.Topic, 1, false, []byte(m.Payload)); !tok.WaitTimeout(waitFor) || tok.Error() != nil {
		t.Fatalf("the device's message is not acknowledged: %v", tok.Error())
	}
	var buses apptest.Features
	awaittest.True(t, "the bus is on the map", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1
	})

	bus.Close() // two connections with one id end each other
	second := secretOf(t, succeed(t, p.Dir, "device", "rotate", id))
	apptest.AwaitFleet(t, c, 2)
	if !p.Accepts(t, id, second) {
		t.Error("the new secret is rejected")
	}
	if code, _, stderr := try(t, p.Dir, "device", "rotate", id); code != 1 || !strings.Contains(stderr, "--end") {
		t.Errorf("a third secret: exit %d, %s", code, stderr)
	}
	succeed(t, p.Dir, "device", "rotate", id, "--end")
	apptest.AwaitFleet(t, c, 3)
	if p.Accepts(t, id, first) {
		t.Error("the old secret is still accepted")
	}

	again, lost := p.ConnectDevice(t, id, second)
	began := time.Now()
	succeed(t, p.Dir, "device", "disable", id)
	<-lost
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a disabled device is disconnected after %s", took)
	}
	again.Close() // it would reconnect
	if p.Accepts(t, id, second) {
		t.Error("a disabled device is accepted")
	}
	line := regexp.MustCompile(`29B-12345 +position +disabled +1 +no +\S+Z +\S+Z disabled +nhip/in/position/29B-12345\n`)
	if list := succeed(t, p.Dir, "device", "list"); !line.MatchString(list) {
		t.Errorf("the list is\n%s", list)
	}
	succeed(t, p.Dir, "device", "enable", id)
	apptest.AwaitFleet(t, c, 5)
	if !p.Accepts(t, id, second) {
		t.Error("an enabled device is rejected")
	}

	raw, err := os.ReadFile(filepath.Join(p.Dir, "fleet.yaml"))
	if err != nil || strings.Contains(string(raw), second) {
		t.Errorf("the fleet file contains a secret: %s, %v", raw, err)
	}
}

// deviceJSON is what nhip device list and show print with --json.
type deviceJSON struct {
	ID, Feed  string
	Connected *bool
	Heard     time.Time
	Refused   *nhip.DeviceEvent
}

func parseDevice(t *testing.T, text string) (d deviceJSON) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

// TestDevicesOfTable adds devices from a table while nhip runs, shows what it knows of them, and removes them.
func TestDevicesOfTable(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	c := p.API(t)
	table := apptest.WriteFile(t, "devices.csv", "\ufeffID;Feed;Rate\n29B-1;;\n29B-2;;50\nhn-01;reading;\n")
	out := succeed(t, p.Dir, "device", "add", "--csv", table, "--feed", "position")
	rows := regexp.MustCompile(`(?m)^(\S+),([0-9a-f]{64})$`).FindAllStringSubmatch(out, -1)
	if !strings.HasPrefix(out, "id,secret\n") || len(rows) != 3 || rows[1][1] != "29B-2" {
		t.Fatalf("added: %q", out)
	}
	apptest.AwaitFleet(t, c, 1)
	bus, lost := p.ConnectDevice(t, "29B-1", rows[0][2])
	m := apptest.Position("29B-1", time.Now(), 21.03, 105.85)
	if tok := bus.Publish(m.Topic, 1, false, []byte(m.Payload)); !tok.WaitTimeout(waitFor) || tok.Error() != nil {
		t.Fatalf("not acknowledged: %v", tok.Error())
	}
	if p.Accepts(t, "29B-2", "wrong") {
		t.Fatal("a wrong secret is accepted")
	}
	one := parseDevice(t, succeed(t, p.Dir, "device", "show", "29B-1", "--json"))
	if one.Connected == nil || !*one.Connected || time.Since(one.Heard) > waitFor || one.Refused != nil {
		t.Errorf("a connected device: %+v", one)
	}
	lines := strings.Split(strings.TrimSpace(succeed(t, p.Dir, "device", "list", "--json")), "\n")
	if len(lines) != 3 {
		t.Fatalf("listed: %v", lines)
	}
	two := parseDevice(t, lines[1])
	if two.ID != "29B-2" || *two.Connected || !two.Heard.IsZero() || two.Refused.Reason != nhip.RefusedCredentials {
		t.Errorf("a refused device: %+v", two)
	}
	shown := succeed(t, p.Dir, "device", "show", "29B-2")
	if !regexp.MustCompile(`(?m)^refused +\S+Z credentials \(127\.0\.0\.1:\d+\)$`).MatchString(shown) {
		t.Errorf("shown:\n%s", shown)
	}
	out = succeed(t, p.Dir, "device", "remove", "29B-1", "29B-2")
	if !strings.Contains(out, "removed: 29B-1 29B-2") || !strings.Contains(out, "has ended their connections") {
		t.Errorf("removed: %s", out)
	}
	select {
	case <-lost:
	case <-time.After(waitFor):
		t.Error("a removed device stays connected")
	}
	bus.Close()
	if p.Accepts(t, "29B-1", rows[0][2]) {
		t.Error("a removed device is accepted")
	}
	code, _, stderr := try(t, p.Dir, "device", "show", "29B-1")
	if code != 1 || !strings.Contains(stderr, `no device "29B-1"`) {
		t.Errorf("a removed device is shown: exit %d, %s", code, stderr)
	}
}

// TestTableOfDevicesIsAddedWholeOrNotAtAll: each fault names its line, and the fleet stays as it was.
func TestTableOfDevicesIsAddedWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	succeed(t, dir, "device", "add", "old", "--feed", "position")
	before, err := os.ReadFile(filepath.Join(dir, "fleet.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		"id,feed\nnew,position\nold,position\nx/y,position\nnew,position\nz,nowhere\n": {
			`:3: `, `"old" already`, ":4: id: must not contain", `:5: the device "new" is given twice`, ":6: feed: must be",
			"no device is added, because 4 of 5 have faults",
		},
		"id,feed,rate\na,position,fast\n,position,\nc,,\n": {
			":2: rate: must be a whole number", ":3: id: is missing", ":4: feed: is missing", "no device is added",
		},
		"id,feed,rate\na,position,fast\nold,position,\n,nowhere,\nx/y,position,\n": {
			":2: rate: must be a whole number", `:3: `, `"old" already`, ":4: id: is missing", ":5: id: must not contain",
			"no device is added, because 4 of 4 have faults",
		},
		"":                           {"is empty"},
		"name,feed\na,position\n":    {`:1: the columns must be some of id, feed, topics, rate, each once, got "name"`},
		"feed\nposition\n":           {":1: the column id is missing"},
		"id\na\n":                    {":1: the column feed is missing, and --feed is not given"},
		"id,feed\n":                  {"has no devices"},
		"id,feed\na,position,more\n": {":2: wrong number of fields"},
		"id,feed\n\"a,position\n":    {":2: extraneous or missing"},
	} {
		path := apptest.WriteFile(t, "devices.csv", text)
		code, stdout, stderr := try(t, dir, "device", "add", "--csv", path)
		if code != 1 || stdout != "" {
			t.Errorf("%q: exit %d, printed %q", text, code, stdout)
		}
		for _, part := range want {
			if !strings.Contains(stderr, part) || !strings.Contains(stderr, path) {
				t.Errorf("%q: no %q in\n%s", text, part, stderr)
			}
		}
	}
	if after, err := os.ReadFile(filepath.Join(dir, "fleet.yaml")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the fleet has changed: %s, %v", after, err)
	}
	path := apptest.WriteFile(t, "devices.csv", "id,feed,topics\ndepot,position,nhip/in/position/+ a/#\ncert,position,\n")
	out := succeed(t, dir, "device", "add", "--csv", path, "--no-secret", "--json")
	if out != "{\"id\":\"depot\"}\n{\"id\":\"cert\"}\n" {
		t.Errorf("added: %s", out)
	}
	list := succeed(t, dir, "device", "list") // without a running nhip
	if !regexp.MustCompile(`depot +position +enabled +0 +\? +\? +\? +nhip/in/position/\+ a/#\n`).MatchString(list) {
		t.Errorf("listed:\n%s", list)
	}
	_, _, stderr := try(t, dir, "device", "list", "--json")
	if !strings.Contains(stderr, "only the fleet file is shown") {
		t.Errorf("nothing says why connections are not known: %s", stderr)
	}
}

func TestDeviceAddPrintsJSON(t *testing.T) {
	out := succeed(t, t.TempDir(), "device", "add", "a", "--feed", "position", "--json")
	if !regexp.MustCompile(`^\{"id":"a","secret":"[0-9a-f]{64}"\}\n$`).MatchString(out) {
		t.Error(out)
	}
	for _, args := range [][]string{{"device", "add"}, {"device", "add", "a"}, {"device", "add", "a", "--csv", "x"}} {
		if code, _, stderr := try(t, t.TempDir(), args...); code != 1 || stderr == "" {
			t.Errorf("%v: exit %d, %q", args, code, stderr)
		}
	}
}

// TestFaultyFleetIsRejected replaces the fleet of a running nhip by a faulty one: the old one stays in force.
func TestFaultyFleetIsRejected(t *testing.T) {
	p := apptest.Up(t, t.TempDir(), "")
	secret := secretOf(t, succeed(t, p.Dir, "device", "add", "a", "--feed", "position"))
	c := p.API(t)
	apptest.AwaitFleet(t, c, 1)
	faulty := []byte("devices:\n  - {id: b, feed: nowhere}\n")
	if err := os.WriteFile(filepath.Join(p.Dir, "fleet.yaml"), faulty, 0o600); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the metric shows the fault", func() bool {
		return apptest.Metric(t, c, "nhip_fleet_refused ") == "nhip_fleet_refused 1"
	})
	if !p.Accepts(t, "a", secret) {
		t.Error("the old fleet is not in force")
	}
	code, _, stderr := try(t, p.Dir, "check")
	if code != 1 || !strings.Contains(stderr, "fleet.yaml:2:19: devices[0].feed: must be a feed of the configuration") {
		t.Errorf("nhip check: exit %d, %s", code, stderr)
	}
	code, _, stderr = try(t, p.Dir, "device", "add", "c", "--feed", "position")
	if code != 1 || !strings.Contains(stderr, "fleet.yaml:2:19:") {
		t.Errorf("nhip device add: exit %d, %s", code, stderr)
	}
}

func TestFleetDiff(t *testing.T) {
	old := apptest.WriteFile(t, "old.yaml", "vehicles: [{id: a, line: '32'}]\n")
	updated := apptest.WriteFile(t, "new.yaml",
		"vehicles: [{id: a, line: '33'}]\ndevices: [{id: a, feed: position}]\n")
	var stdout, stderr bytes.Buffer
	if code := executeShared(t.Context(), []string{"fleet", "diff", old, updated}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if got, want := stdout.String(), "~ vehicle a: line 32 → 33\n+ device a\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestGatewayRecoversFromFileLimit lets a gateway run out of file descriptors. When there are some again, it must
// accept connections.
func TestGatewayRecoversFromFileLimit(t *testing.T) {
	dir := t.TempDir()
	fleetFile := apptest.WriteFile(t, "the-fleet.yaml", fmt.Sprintf(
		"devices: [{id: probe, feed: position, secrets: [%s]}]", fleet.Digest("s")))
	p := launch(t, dir, "gateway", "--data-dir", dir, "--mqtt", "127.0.0.1:0", "--upstream", "tcp://127.0.0.1:1",
		"--config", apptest.WriteFile(t, "nhip.yaml", fmt.Sprintf("fleet: %q", fleetFile)))
	var before unix.Rlimit
	few := unix.Rlimit{Cur: 40, Max: 40}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, &few, &before); err != nil {
		t.Skipf("this machine does not allow to limit another process: %v", err)
	}
	var crowd []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.MQTT, "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, conn)
	}
	impatient := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	awaittest.True(t, "no file descriptors are left", func() bool {
		resp, err := impatient.Get(p.ready["health"] + "/livez")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err != nil
	})
	for _, conn := range crowd {
		_ = conn.Close()
	}
	awaittest.True(t, "connections that could not be accepted are counted", func() bool {
		resp, err := http.Get(p.ready["health"] + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body) // a part is enough; the test asks again
		return strings.Contains(string(text), `nhip_gateway_refused_total{reason="accept"}`)
	})
	device, _ := p.ConnectDevice(t, "probe", "s")
	tok := device.Publish("nhip/in/position/probe", 1, false, []byte("{}"))
	if !tok.WaitTimeout(waitFor) || tok.Error() != nil {
		t.Errorf("no message is acknowledged: %v", tok.Error())
	}
}
