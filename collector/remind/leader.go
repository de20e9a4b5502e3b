package remind

import (
	"cmp"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"nhip/internal/topics"
)

// leader tells which collector decides reminders: of those that have a census the one that has been connected for the
// longest time, then the one with the least id. One that was away lacks what was set, fired and removed meanwhile. The
// broker clears the census of a collector that stops or dies, so that another one takes over. It is safe for concurrent
// use.
type leader struct {
	id string

	mu       sync.Mutex
	since    int64            // of this collector, see topics.Census
	present  map[string]int64 // since when, by collector
	complete bool             // the retained messages of the connection have probably all arrived
}

func newLeader(id string) *leader { return &leader{id: id, present: make(map[string]int64)} }

// connected begins a new connection to the broker at a time of the machine's clock. The broker sends the retained
// messages again.
func (l *leader) connected(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.present)
	l.complete, l.since = false, now.UnixMilli()
}

// ownSince returns since when this collector is connected, as its census tells it.
func (l *leader) ownSince() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.since
}

func (l *leader) retainedReceived() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complete = true
}

// receive applies the census of a collector.
func (l *leader) receive(collector string, payload []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var census topics.Census
	if len(payload) == 0 || json.Unmarshal(payload, &census) != nil {
		delete(l.present, collector)
		return
	}
	l.present[collector] = census.Since
}

// leads reports whether this collector decides. Its own census may still be that of an earlier connection.
func (l *leader) leads() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.present[l.id]; !l.complete || !known {
		return false
	}
	for other, since := range l.present {
		if other != l.id && cmp.Or(cmp.Compare(since, l.since), strings.Compare(other, l.id)) < 0 {
			return false
		}
	}
	return true
}
