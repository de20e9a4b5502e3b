package gateway

import (
	"bytes"
	"sync"

	"nhip/internal/topics"
)

// privateMark is in the live state of a station with a private position. It can't be in a text of JSON, in which the
// quotes have backslashes.
var privateMark = []byte(`"private":true`)

// privateStations holds the ids of stations whose live state says that their position is private.
type privateStations struct {
	mu  sync.RWMutex
	all map[string]bool
}

// note notes whether the live state of a station says that its position is private, before anybody can read it. Other
// topics are ignored.
func (p *privateStations) note(topic string, payload []byte) {
	station, ok := topics.ParseLiveAir(topic)
	if !ok || len(payload) == 0 { // what is cleared stays private
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !bytes.Contains(payload, privateMark):
		delete(p.all, station)
	case p.all == nil:
		p.all = make(map[string]bool)
		fallthrough
	default:
		p.all[station] = true
	}
}

// has reports whether the live state of a station says that its position is private.
func (p *privateStations) has(station string) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.all[station]
}
