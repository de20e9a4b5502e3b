package stream

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"nhip"
	"nhip/internal/awaittest"
)

// alerts is a source of service alerts, which tests set.
type alerts struct {
	mu  sync.Mutex
	all map[string]string // the lines and stops that they concern, by id
}

func (a *alerts) set(id, concerns string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all[id] = concerns; concerns == "" {
		delete(a.all, id)
	}
}

func (a *alerts) active() (out []ServiceAlert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, concerns := range a.all {
		out = append(out, ServiceAlert{Feed: "city", ID: id, Version: concerns, Content: func() ([]byte, AlertReach) {
			return fmt.Appendf(nil, `{"feed":"city","id":%q,"concerns":%q}`, id, concerns), concerned(concerns)
		}})
	}
	return out
}

// concerned is what an alert concerns, as in "line 32 stop s1".
type concerned string

func (c concerned) ConcernsLine(id string) bool { return strings.Contains(string(c), "line "+id) }
func (c concerned) ConcernsStop(id string) bool { return strings.Contains(string(c), "stop "+id) }

func newAlertServer(t *testing.T, o Options) (*server, *alerts) {
	t.Helper()
	a := &alerts{all: make(map[string]string)}
	o.Watch.Alerts, o.Watch.Stops, o.alertsEvery = a.active, newBoards("s1", "s2"), often
	return newServer(t, "workers", o), a
}

func TestAlertsReachWhomTheyConcern(t *testing.T) {
	t.Parallel()
	s, a := newAlertServer(t, Options{})
	addBus(t, s, nhip.Bus{ID: "1", Lat: 21, Lon: 105})
	line, stop := dialSocket(t, s, "?lines=32"), dialSocket(t, s, "?stops=s1")
	other, box := dialSocket(t, s, "?lines=33"), dialSocket(t, s, "?bbox=104,20,104.1,20.1")
	all, every := dialSocket(t, s, "?alerts=all&bbox=104,20,104.1,20.1"), dialSocket(t, s, "")
	only := dialSocket(t, s, "?alerts=all")
	line.expect("hello", "ready")
	stop.expectAll("hello", "ready", "board s1")
	other.expect("hello", "ready")
	box.expect("hello", "ready")
	all.expect("hello", "ready")
	only.expect("hello", "ready")
	every.expect("hello", "bus 1", "ready")
	a.set("detour", "line 32 stop s1")
	for _, c := range []*socketClient{line, stop, all, every, only} {
		c.expect("service-alert detour")
	}
	a.set("detour", "line 33")
	line.expect("gone detour")
	stop.expect("gone detour")
	for _, c := range []*socketClient{other, all, every} { // for the two that had it, it is another one
		c.expect("service-alert detour")
	}
	a.set("detour", "") // it ends
	for _, c := range []*socketClient{other, all, every} {
		c.expect("gone detour")
	}
	a.set("again", "line 32")
	line.expect("service-alert again")
	box.send(`{"type":"subscribe","alerts":"all"}`)
	box.expect("subscribed", "service-alert again", "ready")
	box.send(`{"type":"subscribe","alerts":"some"}`)
	box.expect("error")
}

// TestStreamThatResumesLearnsThatAnAlertHasEnded: the client was away when it did.
func TestStreamThatResumesLearnsThatAnAlertHasEnded(t *testing.T) {
	s, a := newAlertServer(t, Options{})
	a.set("detour", "line 32")
	c := dialSocket(t, s, "?lines=32")
	c.expectAll("hello", "service-alert detour", "ready")
	a.set("detour", "line 32 and more")
	c.expect("service-alert detour") // after the id of what came before
	_ = c.CloseNow()
	a.set("detour", "")
	awaittest.True(t, "the alert has gone", func() bool {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		return len(s.hub.alerts) == 0
	})
	other := dialSocket(t, s, "?lines=32&last_event_id="+c.id)
	other.expect("resumed", "gone detour")
}

func TestAlertsOnStreamsAreBounded(t *testing.T) {
	s, a := newAlertServer(t, Options{maxAlerts: 2})
	for i := range 5 {
		a.set(fmt.Sprint(i), "line 32")
	}
	awaittest.True(t, "two alerts are shown", func() bool {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		return len(s.hub.alerts) == 2
	})
}
