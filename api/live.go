package api

import (
	"net/http"
	"strconv"
	"time"

	"nhip"
	"nhip/geo/index"
	"nhip/internal/mqtt"

	"github.com/paulmach/orb"
)

// Timings of a stream: how often a silent one says something, so that proxies keep it open, and how
// long a client may take to read what it is sent before it is cut off.
const (
	awakeEvery  = 15 * time.Second
	readTimeout = 10 * time.Second
)

// live answers GET /v1/live.
func (a *API) live(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "bbox")
	box, boxed := q.box("bbox")
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	in := a.hub.join()
	if in == nil {
		a.problem(w, r, nhip.Errorf(nhip.Unavailable, "", "there are too many live streams, or the server is stopping"))
		return
	}
	defer a.hub.leave(in)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	if r.Method == http.MethodHead {
		return
	}
	s := &stream{
		w: w, out: http.NewResponseController(w), clock: a.o.Clock, box: box, boxed: boxed,
		shown: make(map[string]shown),
	}
	if s.greet(a.city) != nil {
		return
	}
	s.follow(r, in)
}

// stream is one client's view of the live city.
type stream struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	clock nhip.Clock
	box   index.Box
	boxed bool
	shown map[string]shown // what the client has on its map
	buf   []byte
}

// shown is a thing on a client's map: its newest time there, and when it is gone without a word.
type shown struct {
	time, gone time.Time
	update     *update // how to tell that it is gone
}

// greet sends the whole map. Updates that gather meanwhile may be in it already: push leaves out
// what the client knows to be newer.
func (s *stream) greet(c *city) error {
	rate := 1.0
	if r, ok := s.clock.(interface{ Rate() float64 }); ok {
		rate = r.Rate()
	}
	s.buf = append(s.buf, "event: hello\ndata: {\"rate\":"...)
	s.buf = strconv.AppendFloat(s.buf, rate, 'g', -1, 64)
	s.buf = appendTime(s.buf, s.clock.Now())
	s.buf = append(s.buf, "}\n\n"...)
	for _, h := range c.buses.Within(nil, s.box, nil) {
		s.push(&update{key: h.ID, kind: "bus", bus: h.Item})
	}
	for _, st := range c.allStations() {
		s.push(&update{key: mqtt.LiveAirTopic(st.ID), kind: "air", station: st})
	}
	s.buf = append(s.buf, "event: ready\ndata: {}\n\n"...)
	return s.flush()
}

// follow sends updates until the client leaves or stops reading, or the server stops.
func (s *stream) follow(r *http.Request, in *inbox) {
	awake := time.NewTicker(awakeEvery)
	defer awake.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-awake.C:
			s.sweep()
			s.buf = append(s.buf, ": awake\n\n"...)
		case _, open := <-in.wake:
			if !open {
				return
			}
			for _, u := range in.take() {
				s.push(u)
			}
		}
		if s.flush() != nil {
			return
		}
	}
}

// push adds one event, when it concerns this client.
func (s *stream) push(u *update) {
	now := s.clock.Now()
	switch {
	case u.bus != nil:
		entry := shown{u.bus.Time, u.bus.Time.Add(nhip.BusLeavesAfter), u}
		if s.take(u.key, entry, u.bus.Point(), true, now) {
			s.event("bus", u.feature(now))
		}
	case u.station != nil:
		p, placed := u.station.Point()
		entry := shown{u.station.Time, u.station.Time.Add(nhip.StationLeavesAfter), u}
		if s.take(u.key, entry, p, placed, now) {
			s.event("air", u.feature(now))
		}
	default:
		s.gone(u)
	}
}

// take reports whether a state belongs on the client's map and is news to it, and notes it. What
// has left the box or the map is told as gone.
func (s *stream) take(key string, entry shown, p orb.Point, placed bool, now time.Time) bool {
	known, on := s.shown[key]
	switch {
	case on && entry.time.Before(known.time):
		return false
	case now.After(entry.gone), s.boxed && !(placed && s.box.Contains(p)):
		s.gone(entry.update)
		return false
	}
	s.shown[key] = entry
	return true
}

// sweep tells of what has been silent for so long that it left the map.
func (s *stream) sweep() {
	now := s.clock.Now()
	for _, entry := range s.shown {
		if now.After(entry.gone) {
			s.gone(entry.update)
		}
	}
}

// gone tells that something left, if the client has it on its map.
func (s *stream) gone(u *update) {
	if _, on := s.shown[u.key]; !on {
		return
	}
	delete(s.shown, u.key)
	agency, id := u.agency, u.id
	switch {
	case u.bus != nil:
		agency, id = u.bus.Agency, u.bus.ID
	case u.station != nil:
		id = u.station.ID
	}
	data := append([]byte(`{"kind":`), appendText(nil, u.kind)...)
	data = appendOptional(data, "agency", agency)
	data = appendField(data, "id", id)
	s.event("gone", append(data, '}'))
}

func (s *stream) event(name string, data []byte) {
	s.buf = append(s.buf, "event: "...)
	s.buf = append(s.buf, name...)
	s.buf = append(s.buf, "\ndata: "...)
	s.buf = append(s.buf, data...)
	s.buf = append(s.buf, "\n\n"...)
}

func (s *stream) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	if err := s.out.SetWriteDeadline(time.Now().Add(readTimeout)); err != nil {
		return err
	}
	_, err := s.w.Write(s.buf)
	s.buf = s.buf[:0]
	if err != nil {
		return err
	}
	return s.out.Flush()
}
