// Package stream serves /v1/live, the changes of the live state as server-sent events or over a WebSocket.
//
// A Hub holds every bus, every station and the board of every stop that a client watches as an object with the event
// that describes it, and a log of changes. A stream is a position in that log and the set of objects on its client's
// map: what its client needs next is what the log names behind that position, in its newest state. A client that reads
// slowly therefore costs nothing and misses intermediate states only. A client that comes back soon continues at its
// position. Connections without TLS are taken over from net/http and written by a few workers, so that a stream costs
// a few kilobytes; others are written by a goroutine each.
package stream

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"nhip/api/live"
	"nhip/api/rest"

	"github.com/paulmach/orb"
)

// Hub distributes the changes of a live.State, which it observes, to streams. A slow stream does not delay it.
type Hub struct {
	live.Ignore
	o       Options
	metrics metrics
	began   time.Time // by which streams are scheduled; not the city's time
	base    time.Time // to which the times of rows refer, by the city's clock
	seed    uint64    // differs between hubs, so that the ids of one's events are unknown to others

	closing chan struct{} // closed by Close
	wake    chan struct{} // holds a token when a worker may have work before it expects to
	asked   chan struct{} // holds a token when a client watches what is not computed yet

	wideTurn chan struct{}  // holds a token while a goroutine of a request composes for a wide box
	readers  sync.WaitGroup // goroutines of connections

	mu        sync.Mutex
	closed    bool
	running   bool // whether workers run
	objects   []*object
	unused    []uint32 // slots without an object
	byTopic   map[string]*object
	log       changeLog
	epochs    epochs
	narrow    subscribers // streams with narrow subscriptions
	resting   []*stream   // others that have all changes
	watched   map[string]*object
	alerts    map[string]*object // active service alerts
	streams   map[*stream]struct{}
	addresses map[netip.Prefix]int // open streams by address
	queues    queues
	wishFrom  time.Duration // when the next new subscription may be served
	rows      []byte        // rows of the moves event that is being composed
	scratch   []byte
	zero      orb.Point // to which the places of short rows refer
	zeroKnown bool      // whether a client may have been told
}

// NewHub returns a Hub without streams. Its Run serves them.
func NewHub(o Options) *Hub {
	o.heartbeat, o.stuckLimit = cmp.Or(o.heartbeat, heartbeat), cmp.Or(o.stuckLimit, rest.ClientTimeout)
	o.watchEvery, o.maxWatched = cmp.Or(o.watchEvery, watchEvery), cmp.Or(o.maxWatched, maxWatched)
	o.alertsEvery, o.maxAlerts = cmp.Or(o.alertsEvery, alertsEvery), cmp.Or(o.maxAlerts, maxAlerts)
	h := &Hub{
		o: o, metrics: newMetrics(&o), began: time.Now(), base: o.Clock.Now().Truncate(time.Hour),
		closing: make(chan struct{}), wake: make(chan struct{}, 1), asked: make(chan struct{}, 1),
		wideTurn: make(chan struct{}, 1), seed: rand.Uint64(),
		byTopic: make(map[string]*object), narrow: newSubscribers(), streams: make(map[*stream]struct{}),
		watched: make(map[string]*object), alerts: make(map[string]*object), addresses: make(map[netip.Prefix]int),
	}
	return h
}

// elapsed returns the time since the hub was made, which no setting of the clock changes.
func (h *Hub) elapsed() time.Duration { return time.Since(h.began) }

// Direct returns the number of open streams that workers write without waiting: those without TLS.
func (h *Hub) Direct() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for s := range h.streams {
		if s.connection != nil && s.raw != nil {
			n++
		}
	}
	return n
}

// Streams returns the number of open streams.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.streams)
}

// Close ends all streams and refuses new ones.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	close(h.closing)
}
