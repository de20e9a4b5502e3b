package gateway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// stateOf returns what the gateway knows of a device.
func stateOf(t *testing.T, g *Gateway, id string) nhip.DeviceState {
	t.Helper()
	page, err := g.Devices(nhip.DeviceQuery{ID: id}, "gate")
	if err != nil || len(page.Devices) != 1 {
		t.Fatalf("%s: %+v, %v", id, page, err)
	}
	return page.Devices[0]
}

// logText is a log that tests read.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) contains(parts ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		all := true
		for _, part := range parts {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

// startLogged starts a gateway whose log the test reads.
func startLogged(t *testing.T, l Limits) (*Gateway, *logText) {
	t.Helper()
	log := new(logText)
	g := startWith(t, &fakeAcceptor{}, l)
	g.hook.log = slog.New(slog.NewTextHandler(log, nil))
	return g, log
}

func TestStateFollowsConnection(t *testing.T) {
	g, _ := startLogged(t, Limits{})
	setDevices(g, newDevice("bus-1", "s"), newDevice("bus-2", "t"))
	if s := stateOf(t, g, "bus-1"); s.Connected || !s.Heard.IsZero() || s.Refused != nil || s.Gateway != "" {
		t.Errorf("before its first connection: %+v", s)
	}
	began := time.Now()
	c := dial(t, clientOptions(g, "bus-1", "s"))
	s := stateOf(t, g, "bus-1")
	if !s.Connected || s.ConnectedSince.Before(began.Add(-time.Second)) || !s.Heard.IsZero() || s.Gateway != "gate" {
		t.Errorf("connected: %+v", s)
	}
	if !acked(c.Publish("nhip/in/position/bus-1", 1, false, []byte("{}")), waitFor) {
		t.Fatal("not acknowledged")
	}
	if s := stateOf(t, g, "bus-1"); s.Heard.Before(began.Add(-time.Second)) {
		t.Errorf("after a message: %+v", s)
	}
	setDevices(g, newDevice("bus-1", "s"), newDevice("bus-3", "u")) // a new fleet keeps what is known
	if s := stateOf(t, g, "bus-1"); !s.Connected || s.Heard.IsZero() {
		t.Errorf("after a new fleet: %+v", s)
	}
	c.Close()
	awaittest.True(t, "the device is not connected", func() bool { return !stateOf(t, g, "bus-1").Connected })
	if _, err := g.Devices(nhip.DeviceQuery{ID: "bus-2"}, "gate"); nhip.ErrorCode(err) != nhip.CodeNotFound {
		t.Errorf("a removed device: %v", err)
	}
}

// TestStateOfRemovedDeviceStartsAnew: the end of an old connection does not count for a device that was removed and
// added again.
func TestStateOfRemovedDeviceStartsAnew(t *testing.T) {
	g, log := startLogged(t, Limits{})
	setDevices(g, newDevice("bus-1", "s"))
	lost := make(chan struct{})
	o := clientOptions(g, "bus-1", "s")
	o.OnDown = func(error) { close(lost) }
	old := dial(t, o)
	g.SetFleet(new(fleet.Fleet), feeds)
	<-lost
	old.Close()
	if !log.contains("device disconnected", "device=bus-1", "reason=removed") {
		t.Errorf("the removal is logged as %s", log.b.String())
	}
	setDevices(g, newDevice("bus-1", "s"))
	dial(t, clientOptions(g, "bus-1", "s"))
	awaittest.True(t, "the old connection has ended", func() bool { return len(g.server.Clients()) == 1 })
	if s := stateOf(t, g, "bus-1"); !s.Connected {
		t.Errorf("%+v", s)
	}
}

func TestRefusalsAreKeptByDevice(t *testing.T) {
	g, log := startLogged(t, Limits{})
	off := newDevice("off", "o")
	off.Disabled = true
	setDevices(g, newDevice("bus-1", "s"), newDevice("bus-2", "t"), off)
	for _, c := range []struct {
		device, reason string
		o              mqtt.Options
	}{
		{"bus-1", nhip.RefusedCredentials, clientOptions(g, "bus-1", "wrong")},
		{"bus-1", nhip.RefusedClientID, mqtt.Options{URL: g.URL(), ClientID: "bus-2", Username: "bus-1", Password: "s"}},
		{"off", nhip.RefusedDisabled, clientOptions(g, "off", "o")},
	} {
		if !loginFails(t, c.o) {
			t.Fatalf("%+v is accepted", c)
		}
		got := stateOf(t, g, c.device).Refused
		if got == nil || got.Reason != c.reason || time.Since(got.Time) > waitFor || got.Detail == "" {
			t.Errorf("%s: %+v, want %s", c.device, got, c.reason)
		}
		if !log.contains("client refused", "device="+c.device, "reason="+c.reason) {
			t.Errorf("%s is not in the log", c.reason)
		}
	}
	if s := stateOf(t, g, "bus-2"); s.Refused != nil {
		t.Errorf("another device: %+v", s.Refused)
	}
	if !loginFails(t, clientOptions(g, "stranger", "x")) || log.contains("device=stranger") {
		t.Error("a stranger is named as a device")
	}
	c := dial(t, clientOptions(g, "bus-1", "s"))
	c.Publish("nhip/in/position/bus-2", 0, false, []byte("{}"))
	awaittest.True(t, "a foreign topic is kept", func() bool {
		s := stateOf(t, g, "bus-1")
		return s.Refused.Reason == nhip.RefusedPublish && s.Refused.Detail == "nhip/in/position/bus-2"
	})
	if !log.contains("client without permission", "device=bus-1", "action=publish") {
		t.Error("a foreign topic is not in the log")
	}
}

func TestStateOfPushes(t *testing.T) {
	g, _ := startLogged(t, Limits{MessageRate: 1})
	off := newDevice("off", "o")
	off.Disabled = true
	setDevices(g, newDevice("a", "s"), off)
	push := func(path, user, secret string) int {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("{}"))
		r.SetBasicAuth(user, secret)
		w := httptest.NewRecorder()
		g.Push().ServeHTTP(w, r)
		return w.Code
	}
	if code := push("/in/position/a", "a", "wrong"); code != http.StatusUnauthorized ||
		stateOf(t, g, "a").Refused.Reason != nhip.RefusedCredentials {
		t.Errorf("a wrong secret: %d, %+v", code, stateOf(t, g, "a").Refused)
	}
	if code := push("/in/position/off", "off", "o"); code != http.StatusUnauthorized ||
		stateOf(t, g, "off").Refused.Reason != nhip.RefusedDisabled {
		t.Errorf("a disabled device: %d, %+v", code, stateOf(t, g, "off").Refused)
	}
	if code := push("/in/position/b", "a", "s"); code != http.StatusForbidden ||
		stateOf(t, g, "a").Refused.Reason != nhip.RefusedPublish {
		t.Errorf("another's message: %d, %+v", code, stateOf(t, g, "a").Refused)
	}
	if code := push("/in/position/a", "a", "s"); code != http.StatusNoContent || stateOf(t, g, "a").Heard.IsZero() {
		t.Errorf("a push: %d, %+v", code, stateOf(t, g, "a"))
	}
	awaittest.True(t, "a flood is kept", func() bool {
		return push("/in/position/a", "a", "s") == http.StatusTooManyRequests &&
			stateOf(t, g, "a").Limited.Reason == classMessageRate
	})
}

// TestTakeoverAndLimitAreLoggedByDevice: an operator finds two devices with one secret, and one that sends too much.
func TestTakeoverAndLimitAreLoggedByDevice(t *testing.T) {
	g, log := startLogged(t, Limits{MessageRate: 5})
	setDevices(g, newDevice("bus-1", "s"))
	lost := make(chan struct{})
	o := clientOptions(g, "bus-1", "s")
	var once sync.Once
	o.OnDown = func(error) { once.Do(func() { close(lost) }) }
	first := dial(t, o)
	second := dialRaw(t, g)
	second.send(connectAs("bus-1", "s"))
	second.read(4)
	<-lost
	first.Close() // it would take the session back
	s := stateOf(t, g, "bus-1")
	if s.TakenOver == nil || testutil.ToFloat64(g.hook.metrics.takeovers) < 1 ||
		!log.contains("taken over", "device=bus-1", "previous=127.0.0.1:") {
		t.Errorf("a takeover: %+v, log %s", s, log.b.String())
	}
	third := dial(t, clientOptions(g, "bus-1", "s"))
	for range 5*burstSeconds + 1 {
		third.Publish("nhip/in/position/bus-1", 0, false, []byte("{}"))
	}
	awaittest.True(t, "the limit is kept and logged", func() bool {
		s := stateOf(t, g, "bus-1")
		return s.Limited != nil && s.Limited.Reason == classMessageRate &&
			log.contains("device limited", "device=bus-1", "class=message_rate")
	})
}

// TestDevicePages reads a large fleet page by page.
func TestDevicePages(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	var all []fleet.Device
	for i := range 1_000 {
		all = append(all, newDevice(fmt.Sprintf("bus-%04d", i)))
	}
	setDevices(g, all...)
	var got []string
	q := nhip.DeviceQuery{Limit: 300}
	for {
		page, err := g.Devices(q, "gate")
		if err != nil {
			t.Fatal(err)
		}
		if raw, _ := json.Marshal(page); len(raw) > maxPacket-1024 || len(page.Devices) > q.Limit {
			t.Errorf("a page of %d devices has %d bytes", len(page.Devices), len(raw))
		}
		for _, d := range page.Devices {
			got = append(got, d.ID)
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	if len(got) != len(all) || got[0] != "bus-0000" || got[999] != "bus-0999" {
		t.Errorf("%d devices, from %s to %s", len(got), got[0], got[len(got)-1])
	}
}

// TestStatesOutliveTheProcess: what was known is known after a restart, but for what is connected.
func TestStatesOutliveTheProcess(t *testing.T) {
	g := start(t, &fakeAcceptor{})
	setDevices(g, newDevice("bus-1", "s"), newDevice("bus-2", "t"))
	c := dial(t, clientOptions(g, "bus-1", "s"))
	if !acked(c.Publish("nhip/in/position/bus-1", 1, false, []byte("{}")), waitFor) || !loginFails(t,
		clientOptions(g, "bus-2", "wrong")) {
		t.Fatal("not acknowledged, or a wrong secret is accepted")
	}
	raw, err := json.Marshal(g.SaveDevices())
	if err != nil {
		t.Fatal(err)
	}
	var saved SavedDevices
	if err := json.Unmarshal(raw, &saved); err != nil {
		t.Fatal(err)
	}
	next := start(t, &fakeAcceptor{})
	setDevices(next, newDevice("bus-1", "s"), newDevice("bus-2", "t"))
	next.RestoreDevices(saved)
	before := stateOf(t, g, "bus-1")
	if s := stateOf(t, next, "bus-1"); s.Connected || !s.Heard.Equal(before.Heard) ||
		!s.ConnectedSince.Equal(before.ConnectedSince) {
		t.Errorf("%+v, want what was known: %+v", s, before)
	}
	if s := stateOf(t, next, "bus-2"); s.Refused == nil || s.Refused.Reason != nhip.RefusedCredentials {
		t.Errorf("%+v", s)
	}
}
