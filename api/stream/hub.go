// Package stream serves /v1/live, the changes of the live state as server-sent events.
//
// A Hub holds every bus and station as an object with the event that describes it, and a log of changes. A stream is a
// position in that log and the set of objects on its client's map: what its client needs next is what the log names
// behind that position, in its newest state. A client that reads slowly therefore costs nothing and misses intermediate
// states only. Connections without TLS are taken over from net/http and written by a few workers, so that a stream
// costs a few kilobytes; others are written by the goroutine of their request.
package stream

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/geo/index"
	"nhip/internal/recovery"

	"github.com/paulmach/orb"
	"github.com/prometheus/client_golang/prometheus"
)

// Options configure a Hub.
type Options struct {
	Clock      nhip.Clock // the city's clock
	MaxStreams int        // open at a time; 0 is no limit
	PerAddress int        // open at a time from one address, or one /64 of IPv6; 0 is no limit
	Registerer prometheus.Registerer
	Guard      *recovery.Guard // counts and logs panics; may be nil

	heartbeat, stuckLimit time.Duration // 0: the constants; shorter in tests
}

// heartbeat is how often a stream sends the time, so that proxies keep it open and a client notices a dead connection:
// browsers hide comments and report nothing.
const heartbeat = 15 * time.Second

// sweepEvery is how often the hub looks for objects that have expired.
const sweepEvery = 5 * time.Second

// Hub distributes the changes of a live.State, which it observes, to streams. A slow stream does not delay it.
type Hub struct {
	live.Ignore
	o       Options
	metrics metrics
	began   time.Time // by which streams are scheduled; not the city's time
	base    time.Time // to which the times of rows refer, by the city's clock

	closing chan struct{} // closed by Close
	wake    chan struct{} // holds a token when a worker may have work before it expects to

	wideTurn chan struct{}  // holds a token while a goroutine of a request composes for a wide box
	watchers sync.WaitGroup // readers of connections

	mu        sync.Mutex
	closed    bool
	running   bool // whether workers run
	objects   []*object
	unused    []uint32 // slots without an object
	byTopic   map[string]*object
	log       changeLog
	grid      grid
	resting   []*stream // streams of wide boxes that have all changes
	streams   map[*stream]struct{}
	addresses map[netip.Prefix]int // open streams by address
	queues    queues
	rows      []byte // rows of the moves event that is being composed
}

// NewHub returns a Hub without streams. Its Run serves them.
func NewHub(o Options) *Hub {
	o.heartbeat, o.stuckLimit = cmp.Or(o.heartbeat, heartbeat), cmp.Or(o.stuckLimit, rest.ClientTimeout)
	h := &Hub{
		o: o, metrics: newMetrics(&o), began: time.Now(), base: o.Clock.Now().Truncate(time.Hour),
		closing: make(chan struct{}), wake: make(chan struct{}, 1), wideTurn: make(chan struct{}, 1),
		byTopic: make(map[string]*object), grid: newGrid(), streams: make(map[*stream]struct{}),
		addresses: make(map[netip.Prefix]int),
	}
	return h
}

// elapsed returns the time since the hub was made, which no setting of the clock changes.
func (h *Hub) elapsed() time.Duration { return time.Since(h.began) }

// Bus implements live.Observer.
func (h *Hub) Bus(topic string, b *nhip.Bus) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.object(topic, kindBus, b.Agency, b.ID)
	moved := o.bus != nil && sameDescription(o.reference, b)
	o.bus = b
	if !moved {
		o.reference = b
	}
	h.move(o, b.Point(), true, b.Time.Add(nhip.BusExpiresAfter), !moved)
}

// Station implements live.Observer.
func (h *Hub) Station(topic string, s *nhip.Station) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.object(topic, kindAir, "", s.ID)
	if o.station != nil && sameStation(o.station, s) {
		o.station = s
		return // a collector publishes a station after each step of its assessment
	}
	o.station = s
	p, placed := s.Point()
	h.move(o, p, placed, s.Time.Add(nhip.StationExpiresAfter), true)
}

// BusGone implements live.Observer.
func (h *Hub) BusGone(topic, _, _ string) { h.gone(topic) }

// StationGone implements live.Observer.
func (h *Hub) StationGone(topic, _ string) { h.gone(topic) }

func (h *Hub) gone(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.byTopic[topic]
	if o == nil || !o.present() {
		return
	}
	o.bus, o.station, o.reference = nil, nil, nil
	h.touch(o, o.point, o.placed, true)
}

// object returns the object of a topic, which it makes if there is none.
func (h *Hub) object(topic, kind, agency, id string) *object {
	if o := h.byTopic[topic]; o != nil {
		return o
	}
	o := &object{topic: topic, kind: kind, agency: agency, id: id}
	if last := len(h.unused) - 1; last >= 0 {
		o.slot, h.unused = h.unused[last], h.unused[:last]
		h.objects[o.slot] = o
	} else {
		o.slot = uint32(len(h.objects))
		h.objects = append(h.objects, o)
	}
	h.byTopic[topic] = o
	return o
}

// move sets the place of an object that has changed. described says that more changed than a row holds.
func (h *Hub) move(o *object, p orb.Point, placed bool, expires time.Time, described bool) {
	was, wasPlaced := o.point, o.placed
	o.point, o.placed, o.expires, o.expired = p, placed, expires, false
	h.touch(o, was, wasPlaced, described)
}

// touch logs a change of an object and schedules the streams that it concerns: those whose box contains its place or
// the place where it was, and all whose box is not narrow.
func (h *Hub) touch(o *object, was orb.Point, wasPlaced, described bool) {
	o.outdate()
	o.changed = h.log.add(o.slot)
	if described {
		o.described = o.changed
	}
	at := h.elapsed()
	if o.placed {
		h.grid.each(o.point, func(s *stream) {
			entered := !wasPlaced || !s.box.Contains(was) // its description may have changed outside
			h.concern(s, o, described || entered, at)
		})
	}
	if wasPlaced && (was != o.point || !o.placed) {
		h.grid.each(was, func(s *stream) { h.concern(s, o, described, at) })
	}
	for _, s := range h.resting {
		s.behind, s.cursor = true, o.changed-1
		h.reschedule(s, at)
	}
	h.resting = h.resting[:0]
	if len(h.log.changes) > 3*len(h.byTopic)+compactMargin {
		h.compact()
	}
}

// concern notes a change for a stream of a narrow box: twice the slot of an object, and one more if its description has
// to be sent.
func (h *Hub) concern(s *stream, o *object, describe bool, at time.Duration) {
	if !s.filled {
		return // it will find the change in the log
	}
	key := 2 * o.slot
	if describe {
		key++
	}
	s.pending.add(key, 2*len(h.objects))
	if !s.behind {
		s.behind = true
		h.reschedule(s, at)
	}
}

// compactMargin is how many outdated changes the log may hold beyond three for each object, so that small logs are not
// compacted at every change. Of each object up to two changes are kept.
const compactMargin = 1024

// compact removes outdated changes from the log, and objects that have left and are on no client's map.
func (h *Hub) compact() {
	h.log.compact(func(c change) bool {
		o := h.objects[c.slot]
		if o == nil || !o.concerns(c, true) {
			return false
		}
		if o.present() || o.shownBy > 0 {
			return true
		}
		delete(h.byTopic, o.topic)
		h.objects[c.slot] = nil
		h.unused = append(h.unused, c.slot)
		return false
	})
}

// sweep tells the streams about the objects that have expired since the last sweep, and about those that no longer
// have, because the clock was set back.
func (h *Hub) sweep() {
	now := h.o.Clock.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range h.objects {
		if o != nil && o.present() && o.aged(now) != o.expired {
			o.expired = !o.expired
			h.touch(o, o.point, o.placed, true)
		}
	}
}

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

// Errors of join.
var (
	errStopping   = nhip.Errorf(nhip.CodeUnavailable, "", "the server is stopping")
	errFull       = nhip.Errorf(nhip.CodeUnavailable, "", "there are too many live streams; try again later")
	errPerAddress = nhip.Errorf(nhip.CodeUnavailable, "", "there are too many live streams from this address")
)

// view is what a client asks for.
type view struct {
	box     index.Box
	boxed   bool          // whether the client sees only what is in box
	compact bool          // whether buses that only move are sent as rows
	period  time.Duration // for which changes are joined

	sees scope.View // what the client sees of all
}

// join opens a stream of a client at an address. It returns one of the errors above if that can't be.
func (h *Hub) join(v view, from netip.Prefix) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, errStopping
	case h.o.MaxStreams > 0 && len(h.streams) >= h.o.MaxStreams:
		h.metrics.refused.WithLabelValues("full").Inc()
		return nil, errFull
	case h.o.PerAddress > 0 && h.addresses[from] >= h.o.PerAddress:
		h.metrics.refused.WithLabelValues("address").Inc()
		return nil, errPerAddress
	}
	at := h.elapsed()
	s := &stream{
		view: v, from: from, narrow: v.boxed && narrow(v.box), place: -1,
		at: at, sent: at - v.period, beat: at + h.o.heartbeat, behind: true, snapshot: h.log.last,
	}
	h.streams[s] = struct{}{}
	h.addresses[from]++
	if s.narrow {
		h.grid.add(s)
	}
	return s, nil
}

// leave ends a stream, and reports false if it has ended before.
func (h *Hub) leave(s *stream, reason string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.left {
		return false
	}
	s.left = true
	delete(h.streams, s)
	if h.addresses[s.from]--; h.addresses[s.from] == 0 {
		delete(h.addresses, s.from)
	}
	if s.narrow {
		h.grid.remove(s)
	} else if i := slices.Index(h.resting, s); i >= 0 {
		h.resting = slices.Delete(h.resting, i, i+1)
	}
	h.queues.remove(s)
	s.shown.each(func(slot uint32) { h.objects[slot].shownBy-- })
	s.shown = slotSet{}
	h.metrics.ended.WithLabelValues(reason).Inc()
	return true
}
