package api

import (
	"sync"

	"nhip"
)

// pendingUpdates is how many updates may wait for one stream. A reader that falls further behind is
// cut off: it is given the whole map when it comes back, which is cheaper than the backlog.
const pendingUpdates = 4096

// update is one change of the live city: a bus, a station, or, with neither, what has left.
type update struct {
	key     string // its live topic
	kind    string // "bus" or "air"
	bus     *nhip.Bus
	station *nhip.Station

	agency, id string // of what has left
}

// hub hands updates to streams without ever waiting for one.
type hub struct {
	mu      sync.Mutex
	streams map[chan update]bool
	closed  bool
}

func newHub() *hub { return &hub{streams: make(map[chan update]bool)} }

// join returns a channel of updates, which is closed when its reader is too slow or the hub
// closes; nil when it is closed already.
func (h *hub) join() chan update {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	ch := make(chan update, pendingUpdates)
	h.streams[ch] = true
	return ch
}

func (h *hub) leave(ch chan update) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[ch] {
		delete(h.streams, ch)
		close(ch)
	}
}

func (h *hub) tell(u update) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.streams {
		select {
		case ch <- u:
		default:
			delete(h.streams, ch)
			close(ch)
		}
	}
}

func (h *hub) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams)
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for ch := range h.streams {
		delete(h.streams, ch)
		close(ch)
	}
}
