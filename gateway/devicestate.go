package gateway

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/fleet"
)

// deviceState is what the gateway knows of one device. It outlives connections, and versions of the fleet.
type deviceState struct {
	heard atomic.Int64 // Unix ms of the last message; 0: none

	mu          sync.Mutex
	connections int
	since       time.Time // of the latest connection
	refused     *nhip.DeviceEvent
	limited     *nhip.DeviceEvent
	takenOver   *nhip.DeviceEvent
	logged      map[string]time.Time // when an event was logged last, by its reason
}

// deviceStates are the states of all devices of the fleet, also of the disabled ones. It is immutable: a new fleet
// makes a new one, which keeps the states of the devices that stay.
type deviceStates struct {
	ids   []string // sorted
	all   map[string]*deviceState
	fleet map[string]fleetEntry
}

// fleetEntry is what the fleet says of a device.
type fleetEntry struct {
	feed     string
	agency   string // of a bus
	disabled bool
}

// newDeviceStates returns the states for a fleet. before may be nil.
func newDeviceStates(f *fleet.Fleet, feeds fleet.Feeds, before *deviceStates) *deviceStates {
	s := &deviceStates{all: make(map[string]*deviceState), fleet: make(map[string]fleetEntry)}
	agencyOf := f.Agencies(feeds)
	for i := range f.Devices {
		d := &f.Devices[i]
		s.fleet[d.ID] = fleetEntry{d.Feed, agencyOf(d.ID, d.Feed), d.Disabled}
		if s.all[d.ID] = before.of(d.ID); s.all[d.ID] == nil {
			s.all[d.ID] = new(deviceState)
		}
	}
	s.ids = slices.Sorted(maps.Keys(s.all))
	return s
}

// of returns the state of a device; nil if the fleet has no such device.
func (s *deviceStates) of(id string) *deviceState {
	if s == nil {
		return nil
	}
	return s.all[id]
}

// disabled reports whether the fleet has a device and disables it.
func (s *deviceStates) disabled(id string) bool { return s.fleet[id].disabled }

// The methods of deviceState work on nil, too: there is nothing to note of clients that are no devices.

func (s *deviceState) hear(now time.Time) {
	if s != nil {
		s.heard.Store(now.UnixMilli())
	}
}

func (s *deviceState) connect(now time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections++
	s.since = now
}

func (s *deviceState) disconnect() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections--
}

// logEvery is how often the same event of a device is logged. The state has every one.
const logEvery = time.Minute

// note keeps an event in a field of the state, and reports whether it should be logged.
func (s *deviceState) note(field func(*deviceState) **nhip.DeviceEvent, e nhip.DeviceEvent) (log bool) {
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	*field(s) = &e
	if last, known := s.logged[e.Reason]; known && e.Time.Sub(last).Abs() < logEvery {
		return false
	}
	if s.logged == nil {
		s.logged = make(map[string]time.Time, 1)
	}
	s.logged[e.Reason] = e.Time
	return true
}

// Fields of a deviceState.
func refusedOf(s *deviceState) **nhip.DeviceEvent   { return &s.refused }
func limitedOf(s *deviceState) **nhip.DeviceEvent   { return &s.limited }
func takenOverOf(s *deviceState) **nhip.DeviceEvent { return &s.takenOver }

// describe returns the state of a device for others.
func (s *deviceStates) describe(id, gateway string) nhip.DeviceState {
	one, entry := s.all[id], s.fleet[id]
	d := nhip.DeviceState{ID: id, Feed: entry.feed, Agency: entry.agency, Disabled: entry.disabled}
	if heard := one.heard.Load(); heard != 0 {
		d.Heard = time.UnixMilli(heard).UTC()
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	d.Connected, d.ConnectedSince = one.connections > 0, one.since
	d.Refused, d.Limited, d.TakenOver = one.refused, one.limited, one.takenOver
	if d.Connected || !d.Heard.IsZero() {
		d.Gateway = gateway
	}
	return d
}

// maxPage bounds the encoded devices of a page, which must fit into a packet.
const maxPage = maxPacket / 2

// Devices returns a page of the devices of the fleet, in the order of their ids. name is that of the gateway. The page
// ends before q.Limit if it would not fit into a packet. A device that is not in the fleet is nhip.CodeNotFound.
func (g *Gateway) Devices(q nhip.DeviceQuery, name string) (nhip.DevicePage, error) {
	states := g.hook.states.Load()
	page := nhip.DevicePage{Devices: []nhip.DeviceState{}}
	if q.ID != "" {
		if states.of(q.ID) == nil {
			return page, nhip.Errorf(nhip.CodeNotFound, "id", "the fleet has no device %q", q.ID)
		}
		page.Devices = append(page.Devices, states.describe(q.ID, name))
		return page, nil
	}
	from, found := slices.BinarySearch(states.ids, q.After)
	if found {
		from++
	}
	size := 0
	for _, id := range states.ids[from:] {
		one := states.describe(id, name)
		raw, err := json.Marshal(one)
		if err != nil {
			return page, err
		}
		if n := len(page.Devices); n > 0 && (n >= q.Limit || size+len(raw) > maxPage) {
			page.Next = page.Devices[n-1].ID
			break
		}
		size += len(raw)
		page.Devices = append(page.Devices, one)
	}
	return page, nil
}

// SavedDevices is what of the states of devices outlives the process.
type SavedDevices map[string]nhip.DeviceState

// SaveDevices returns what is known of the devices of which anything is known.
func (g *Gateway) SaveDevices() SavedDevices {
	states := g.hook.states.Load()
	all := make(SavedDevices)
	for _, id := range states.ids {
		one := states.describe(id, "")
		if one.Heard.IsZero() && one.ConnectedSince.IsZero() && one.Refused == nil && one.Limited == nil {
			continue
		}
		all[id] = one
	}
	return all
}

// RestoreDevices sets what was known when the process ended. It must be called before Start, and with a fleet in force.
func (g *Gateway) RestoreDevices(all SavedDevices) {
	states := g.hook.states.Load()
	for id, saved := range all {
		one := states.of(id)
		if one == nil {
			continue
		}
		if !saved.Heard.IsZero() {
			one.heard.Store(saved.Heard.UnixMilli())
		}
		one.mu.Lock()
		one.since = saved.ConnectedSince
		one.refused, one.limited, one.takenOver = saved.Refused, saved.Limited, saved.TakenOver
		one.mu.Unlock()
	}
}
