package staff

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"time"

	"nhip"
)

// maxEnded is the maximum number of ended alerts that are kept.
const maxEnded = 1000

// alertStore holds the alerts that the collectors publish, and sends changes to its listeners. It is safe for
// concurrent use.
type alertStore struct {
	mu        sync.Mutex
	open      map[string]nhip.Alert
	ended     []nhip.Alert // newest last
	listeners map[*alertInbox]bool
	changed   chan struct{} // closed at the next message about an alert; nil while nobody waits for it
}

// receive applies a message about an alert. An empty payload removes the alert from the open ones. The error is that of
// an undecodable payload.
func (s *alertStore) receive(id string, payload []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		defer close(s.changed)
		s.changed = nil
	}
	if len(payload) == 0 {
		delete(s.open, id)
		return nil
	}
	var a nhip.Alert
	if err := json.Unmarshal(payload, &a); err != nil {
		return err
	}
	if s.open == nil {
		s.open = make(map[string]nhip.Alert)
	}
	if before, known := s.open[id]; known && reflect.DeepEqual(before, a) {
		return nil // a retained message that was received again after a reconnect
	}
	if a.Grade > 0 {
		s.open[id] = a
	} else {
		delete(s.open, id)
		s.ended = append(s.ended, a)
		s.ended = s.ended[max(0, len(s.ended)-maxEnded):]
	}
	for l := range s.listeners {
		l.put(a)
	}
	return nil
}

// find returns an open alert.
func (s *alertStore) find(id string) (nhip.Alert, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.open[id]
	return a, ok
}

// get returns an alert, open or ended.
func (s *alertStore) get(id string) (nhip.Alert, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.open[id]; ok {
		return a, true
	}
	for _, a := range slices.Backward(s.ended) {
		if a.ID == id {
			return a, true
		}
	}
	return nhip.Alert{}, false
}

// awaitAck returns an alert as soon as it is acknowledged or no longer open, and otherwise as it is after a time.
func (s *alertStore) awaitAck(ctx context.Context, id string, limit time.Duration) (nhip.Alert, bool) {
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	for {
		a, open, changed := s.watch(id)
		if !open || !a.AckTime.IsZero() {
			return a, open
		}
		select {
		case <-changed:
		case <-timeout.C:
			return a, open
		case <-ctx.Done():
			return a, open
		}
	}
}

// watch returns an open alert and a channel that is closed at the next message about any alert.
func (s *alertStore) watch(id string) (a nhip.Alert, open bool, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	a, open = s.open[id]
	return a, open, s.changed
}

// list returns the open alerts, highest grade first, and the ended ones, newest first.
func (s *alertStore) list() (open, ended []nhip.Alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	open, ended = []nhip.Alert{}, append([]nhip.Alert{}, s.ended...)
	for _, a := range s.open {
		open = append(open, a)
	}
	slices.SortFunc(open, func(x, y nhip.Alert) int {
		return cmp.Or(cmp.Compare(y.Grade, x.Grade), y.Time.Compare(x.Time), cmp.Compare(x.ID, y.ID))
	})
	slices.Reverse(ended)
	return open, ended
}

// listen returns an inbox that receives changes until stop is called. It returns nil if there are maxAlertStreams.
func (s *alertStore) listen() (in *alertInbox, stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.listeners) >= maxAlertStreams {
		return nil, nil
	}
	in = &alertInbox{wake: make(chan struct{}, 1)}
	if s.listeners == nil {
		s.listeners = make(map[*alertInbox]bool)
	}
	s.listeners[in] = true
	return in, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, in)
	}
}
