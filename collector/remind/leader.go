package remind

import (
	"encoding/json"
	"sync"

	"nhip/internal/topics"
)

// leader tells which collector decides reminders: of those that have a census the one with the least id. The broker
// clears the census of a collector that stops or dies, so that another one takes over. It is safe for concurrent use.
type leader struct {
	id string

	mu       sync.Mutex
	present  map[string]bool
	complete bool // the retained messages of the connection have probably all arrived
}

func newLeader(id string) *leader { return &leader{id: id, present: make(map[string]bool)} }

// connected begins a new connection to the broker, which sends the retained messages again.
func (l *leader) connected() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.present)
	l.complete = false
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
	l.present[collector] = true
}

// leads reports whether this collector decides.
func (l *leader) leads() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.complete || !l.present[l.id] {
		return false
	}
	for other := range l.present {
		if other < l.id {
			return false
		}
	}
	return true
}
