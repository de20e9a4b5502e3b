package api

import (
	"sync"
	"time"

	"nhip"
)

// maxStreams is how many live streams one api serves; beyond it new ones are asked to come back.
// A stream costs two goroutines and a few tens of kilobytes.
const maxStreams = 20_000

// update is one change of the live city: a bus, a station, or, with neither, what has left.
type update struct {
	key     string // its live topic
	kind    string // "bus" or "air"
	bus     *nhip.Bus
	station *nhip.Station

	agency, id string // of what has left

	once sync.Once
	data []byte // the feature, made by the first stream that sends it
}

// feature returns the bus or station as GeoJSON. All streams share one encoding: a second of age
// between the first and the last of them matters less than ten thousand encodings.
func (u *update) feature(now time.Time) []byte {
	u.once.Do(func() {
		if u.bus != nil {
			u.data = appendBus(nil, u.bus, now, -1)
		} else {
			u.data = appendStation(nil, u.station, nhip.VNAQI, now)
		}
	})
	return u.data
}

// hub hands updates to streams without ever waiting for one.
type hub struct {
	mu      sync.Mutex
	streams map[*inbox]bool
	closed  bool
}

func newHub() *hub { return &hub{streams: make(map[*inbox]bool)} }

// inbox is what one stream has not sent yet: the newest update of each thing. So a slow reader
// misses what was in between and never the end, and costs no more than one city.
type inbox struct {
	wake chan struct{} // holds one token while there is something; closed with the hub

	mu      sync.Mutex
	updates map[string]*update
}

// join returns an inbox; nil when the hub is closed or full.
func (h *hub) join() *inbox {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || len(h.streams) >= maxStreams {
		return nil
	}
	in := &inbox{wake: make(chan struct{}, 1), updates: make(map[string]*update)}
	h.streams[in] = true
	return in
}

func (h *hub) leave(in *inbox) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, in)
}

func (h *hub) tell(u *update) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for in := range h.streams {
		in.put(u)
	}
}

func (in *inbox) put(u *update) {
	in.mu.Lock()
	in.updates[u.key] = u
	in.mu.Unlock()
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

// take empties the inbox.
func (in *inbox) take() map[string]*update {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.updates) == 0 {
		return nil
	}
	out := in.updates
	in.updates = make(map[string]*update)
	return out
}

func (h *hub) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams)
}

// close ends all streams.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	for in := range h.streams {
		close(in.wake)
	}
	clear(h.streams)
}
