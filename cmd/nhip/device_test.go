package main

import (
	"bytes"
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

	"nhip/api/apitest"
	"nhip/internal/await"
	"nhip/internal/config"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"

	"golang.org/x/sys/unix"
)

// secretOf reads what nhip device prints of a secret.
func secretOf(t *testing.T, stdout string) string {
	t.Helper()
	m := regexp.MustCompile(`^secret: ([0-9a-f]{64})\n$`).FindStringSubmatch(stdout)
	if m == nil {
		t.Fatalf("a secret is printed as %q", stdout)
	}
	return m[1]
}

// asDevice connects as a device; the channel closes when its connection is lost.
func (p *running) asDevice(t *testing.T, id, secret string) (*mqtt.Client, chan struct{}) {
	t.Helper()
	lost := make(chan struct{}, 8)
	c, err := mqtt.Dial(t.Context(), mqtt.Options{
		URL: p.MQTT, ClientID: id, Username: id, Password: secret, OnDown: func(error) { lost <- struct{}{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, lost
}

func (p *running) mayEnter(t *testing.T, id, secret string) bool {
	t.Helper()
	c, err := mqtt.Dial(t.Context(), mqtt.Options{URL: p.MQTT, ClientID: id, Username: id, Password: secret})
	if err == nil {
		c.Close()
	}
	return err == nil
}

// awaitFleet waits until so many new versions of the fleet are in force: a log-in that fails would have its
// address slowed down.
func (p *running) awaitFleet(t *testing.T, c *apitest.Client, versions int) {
	t.Helper()
	line := fmt.Sprintf("\nnhip_fleet_reloads_total %d\n", versions)
	await.True(t, "the new fleet is in force", func() bool { return strings.Contains(string(c.Get(t, "/metrics").Body), line) })
}

// TestTheLifeOfADevice takes one through the command line while nhip runs.
func TestTheLifeOfADevice(t *testing.T) {
	p := up(t, t.TempDir())
	first := secretOf(t, p.succeed(t, "device", "add", "29B-12345", "--feed", "position"))
	c := apitest.New(t, p.HTTP)
	p.awaitFleet(t, c, 1)
	bus, _ := p.asDevice(t, "29B-12345", first)
	m := position("29B-12345", time.Now(), 21.03, 105.85)
	if tok := bus.Publish(m[0], 1, false, []byte(m[1])); !tok.WaitTimeout(waitFor) || tok.Error() != nil {
		t.Fatalf("what the device says is not acknowledged: %v", tok.Error())
	}
	var buses collection
	await.True(t, "the bus is on the map", func() bool {
		answerInto(t, c.Get(t, "/v1/buses"), &buses)
		return len(buses.Features) == 1
	})

	bus.Close() // two with one id throw each other out
	second := secretOf(t, p.succeed(t, "device", "rotate", "29B-12345"))
	p.awaitFleet(t, c, 2)
	if !p.mayEnter(t, "29B-12345", second) {
		t.Error("the new secret does not open")
	}
	if code, _, stderr := p.try(t, "device", "rotate", "29B-12345"); code != 1 || !strings.Contains(stderr, "--end") {
		t.Errorf("a third secret: exit %d, %s", code, stderr)
	}
	p.succeed(t, "device", "rotate", "29B-12345", "--end")
	p.awaitFleet(t, c, 3)
	if p.mayEnter(t, "29B-12345", first) {
		t.Error("the old secret still opens")
	}

	again, lost := p.asDevice(t, "29B-12345", second)
	began := time.Now()
	p.succeed(t, "device", "disable", "29B-12345")
	<-lost
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a disabled device is cut off after %s", took)
	}
	again.Close() // it would go on trying
	if p.mayEnter(t, "29B-12345", second) {
		t.Error("a disabled device is let in")
	}
	if list := p.succeed(t, "device", "list"); !regexp.MustCompile(`29B-12345 +position +disabled +1 +nhip/in/position/29B-12345\n`).MatchString(list) {
		t.Errorf("listed as\n%s", list)
	}
	p.succeed(t, "device", "enable", "29B-12345")
	p.awaitFleet(t, c, 5)
	if !p.mayEnter(t, "29B-12345", second) {
		t.Error("an enabled device is not let in")
	}

	raw, err := os.ReadFile(filepath.Join(p.dir, fleetFile))
	if err != nil || strings.Contains(string(raw), second) {
		t.Errorf("the fleet file holds a secret as it is: %s, %v", raw, err)
	}
}

func TestABadFleetIsToldAndTheOldOneStays(t *testing.T) {
	p := up(t, t.TempDir())
	secret := secretOf(t, p.succeed(t, "device", "add", "a", "--feed", "position"))
	c := apitest.New(t, p.HTTP)
	p.awaitFleet(t, c, 1)
	path := filepath.Join(p.dir, fleetFile)
	if err := os.WriteFile(path, []byte("devices:\n  - {id: b, feed: nowhere}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the fault shows", func() bool { return strings.Contains(string(c.Get(t, "/metrics").Body), "\nnhip_fleet_refused 1\n") })
	if !p.mayEnter(t, "a", secret) {
		t.Error("the old fleet is not in force")
	}
	code, _, stderr := p.try(t, "check")
	if code != 1 || !strings.Contains(stderr, "fleet.yaml:2:19: devices[0].feed: must be a feed of the configuration") {
		t.Errorf("nhip check: exit %d, %s", code, stderr)
	}
	code, _, stderr = p.try(t, "device", "add", "c", "--feed", "position")
	if code != 1 || !strings.Contains(stderr, "fleet.yaml:2:19:") {
		t.Errorf("nhip device add: exit %d, %s", code, stderr)
	}
}

func TestFleetDiff(t *testing.T) {
	dir := t.TempDir()
	old, updated := filepath.Join(dir, "old.yaml"), filepath.Join(dir, "new.yaml")
	for path, text := range map[string]string{
		old:     "vehicles: [{id: a, line: '32'}]\n",
		updated: "vehicles: [{id: a, line: '33'}]\ndevices: [{id: a, feed: position}]\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := execute(t.Context(), []string{"fleet", "diff", old, updated}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	if got, want := stdout.String(), "~ vehicle a: line 32 → 33\n+ device a\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTheFleetOfTheDocs reads the example of docs/fleet.md.
func TestTheFleetOfTheDocs(t *testing.T) {
	raw, err := os.ReadFile("../../docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/fleet.md holds no example")
	}
	conf := config.Default()
	f, err := fleet.Read("docs/fleet.md", []byte(example), fleetFeeds(&conf))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Stations) != 1 || len(f.Vehicles) != 1 || len(f.Devices) != 2 {
		t.Errorf("the example holds %+v", f)
	}
}

// TestAGatewayWithoutFilesToOpenComesBack takes away what a gateway needs for its connections: it must not be
// deaf when there is room again.
func TestAGatewayWithoutFilesToOpenComesBack(t *testing.T) {
	p, at := edgeGateway(t, fmt.Sprintf("fleet: %q", fleetOf(t, fmt.Sprintf("devices: [{id: box, feed: position, secrets: [%s]}]", fleet.Digest("s")))))
	var before unix.Rlimit
	few := unix.Rlimit{Cur: 40, Max: 40}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_NOFILE, &few, &before); err != nil {
		t.Skipf("this machine lets nobody bound another process: %v", err)
	}
	var crowd []net.Conn
	for range 100 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.MQTT, "tcp://"))
		if err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, conn)
	}
	hasty := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	await.True(t, "no files are left to open", func() bool {
		resp, err := hasty.Get(at["health"] + "/livez")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err != nil
	})
	for _, conn := range crowd {
		_ = conn.Close()
	}
	await.True(t, "that connections could not be taken in is counted", func() bool {
		resp, err := http.Get(at["health"] + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body) // "" is what the test waits on
		return strings.Contains(string(text), `nhip_gateway_refused_total{reason="accept"}`)
	})
	box, _ := p.asDevice(t, "box", "s")
	if tok := box.Publish("nhip/in/position/box", 1, false, []byte("{}")); !tok.WaitTimeout(waitFor) || tok.Error() != nil {
		t.Errorf("the gateway is deaf: %v", tok.Error())
	}
}
