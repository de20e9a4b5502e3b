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

// awakeEvery is how often a silent stream says something, so that proxies keep it open.
const awakeEvery = 15 * time.Second

// live answers GET /v1/live.
func (a *API) live(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "bbox")
	box, boxed := q.box("bbox")
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	updates := a.hub.join()
	if updates == nil {
		a.problem(w, r, nhip.Errorf(nhip.Unavailable, "", "the server is stopping"))
		return
	}
	defer a.hub.leave(updates)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	s := &stream{
		w: w, out: http.NewResponseController(w), clock: a.o.Clock, box: box, boxed: boxed,
		shown: make(map[string]time.Time),
	}
	if s.greet(a.city) != nil {
		return
	}
	s.follow(r, updates)
}

// stream is one client's view of the live city.
type stream struct {
	w     http.ResponseWriter
	out   *http.ResponseController
	clock nhip.Clock
	box   index.Box
	boxed bool
	shown map[string]time.Time // what the client has on its map, with the time it knows
	buf   []byte
}

// greet sends the whole map. The updates that gather meanwhile are not older than it in effect:
// push leaves out what the client knows already.
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
		s.push(update{key: h.ID, kind: "bus", bus: h.Item})
	}
	for _, st := range c.allStations() {
		s.push(update{key: mqtt.LiveAirTopic(st.ID), kind: "air", station: st})
	}
	s.buf = append(s.buf, "event: ready\ndata: {}\n\n"...)
	return s.flush()
}

// follow sends updates until the client leaves, is too slow, or the server stops.
func (s *stream) follow(r *http.Request, updates <-chan update) {
	awake := time.NewTicker(awakeEvery)
	defer awake.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-awake.C:
			s.buf = append(s.buf, ": awake\n\n"...)
		case u, ok := <-updates:
			if !ok {
				return
			}
			s.push(u)
			for range len(updates) { // what has gathered goes in one write
				if u, ok = <-updates; !ok {
					return
				}
				s.push(u)
			}
		}
		if s.flush() != nil {
			return
		}
	}
}

// push adds one event, when it concerns this client.
func (s *stream) push(u update) {
	now := s.clock.Now()
	switch {
	case u.bus != nil && !u.bus.Gone(now):
		if s.concerns(u.key, u.bus.Time, u.bus.Point(), true) {
			s.event("bus", appendBus(nil, u.bus, now, -1))
			return
		}
		u.agency, u.id = u.bus.Agency, u.bus.ID
		s.leaveBox(u, u.bus.Point(), true)
	case u.station != nil && !u.station.Gone(now):
		p, placed := u.station.Point()
		if s.concerns(u.key, u.station.Time, p, placed) {
			s.event("air", appendStation(nil, u.station, now))
			return
		}
		u.id = u.station.ID
		s.leaveBox(u, p, placed)
	case u.bus == nil && u.station == nil:
		s.gone(u)
	}
}

// concerns reports whether a state belongs on the client's map and is news to it, and notes it.
func (s *stream) concerns(key string, t time.Time, p orb.Point, placed bool) bool {
	if !s.within(p, placed) {
		return false
	}
	if known, ok := s.shown[key]; ok && t.Before(known) {
		return false
	}
	s.shown[key] = t
	return true
}

func (s *stream) within(p orb.Point, placed bool) bool {
	return !s.boxed || placed && s.box.Contains(p)
}

func (s *stream) leaveBox(u update, p orb.Point, placed bool) {
	if !s.within(p, placed) {
		s.gone(u)
	}
}

// gone tells that something left, if the client has it on its map.
func (s *stream) gone(u update) {
	if _, ok := s.shown[u.key]; !ok {
		return
	}
	delete(s.shown, u.key)
	data := append([]byte(`{"kind":`), appendText(nil, u.kind)...)
	data = appendOptional(data, "agency", u.agency)
	data = appendField(data, "id", u.id)
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
	_, err := s.w.Write(s.buf)
	s.buf = s.buf[:0]
	if err != nil {
		return err
	}
	return s.out.Flush()
}
