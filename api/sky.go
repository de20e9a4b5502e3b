package api

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/aqi"
	"nhip/geo/surface"
	"nhip/geo/zone"
)

// Timings of the air of now.
const (
	skyEvery   = 2 * time.Second  // between two looks at what the monitors say, at least
	skyRefresh = 30 * time.Second // of the city's clock: a monitor that is silent becomes stale without a word
)

// skyHours is how many hours are known of each monitor: a day of indices that each look back over a day.
const skyHours = 48

// sky is the air over the city: of now, made of what the live topics tell, and of any hour that was, made of the
// history by the same code.
type sky struct {
	city    *city
	clock   nhip.Clock
	history History
	log     *slog.Logger
	maker   *air.Maker
	reach   float64
	every   time.Duration
	zones   *zone.Set // nil where there are none
	drawn   zoneDrawings
	learned atomic.Pointer[learned]
	before  atomic.Pointer[stationHours] // of the present's monitors, from the history
	rovers  rovers
	touched atomic.Uint64 // counts what was heard of monitors
	now     atomic.Pointer[hour]
	making  sync.Mutex
	past    *memo[*hour]
}

// learned is what is known of each quantity. It is replaced, never changed.
type learned struct {
	air.Models
	version uint64
}

func newSky(o *Options, c *city) *sky {
	reach := o.AirReach
	if reach == 0 {
		reach = air.DefaultReach
	}
	s := &sky{
		city: c, clock: o.Clock, history: o.History, log: o.Logger.With("component", "api"), maker: air.NewMaker(reach), reach: reach,
		zones: o.Zones,
		every: skyEvery, past: newMemo[*hour](mostPast, mostReading),
	}
	s.learned.Store(new(learned))
	return s
}

// hour is all that is answered of one hour. It does not change.
type hour struct {
	*air.Moment
	at       time.Time      // by which things are fresh or stale: now, or the end of an hour that was
	stations []nhip.Station // as they are shown
	models   *learned
	maker    *air.Maker
	key      uint64 // of what the surfaces are made of
	version  uint64 // of everything
	past     bool   // it is not the hour of now
	settled  bool   // and may be taken to stay as it is
	seen     uint64 // sky.touched when it was made
	made     time.Time

	mu     sync.Mutex
	cities map[nhip.Scale]*air.City
	zones  map[nhip.Scale]*zoneAir
}

// mostScales is how many scales of an hour are kept.
const mostScales = 2

// on returns the city's air on a scale.
func (h *hour) on(scale nhip.Scale) *air.City {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.cities[scale]
	if c == nil {
		if len(h.cities) >= mostScales {
			clear(h.cities)
		}
		c = h.maker.Make(h.Moment, h.models.Models, scale)
		h.cities[scale] = c
	}
	return c
}

// indexOf returns the index of a station that is shown.
func (h *hour) indexOf(scale nhip.Scale) func(*nhip.Station) (float64, nhip.Level, bool) {
	return func(s *nhip.Station) (float64, nhip.Level, bool) {
		a, _, ok := stationIndex(s, scale, h.at)
		return a.Value, a.Level, ok
	}
}

// present returns the air of now. While it is made anew, all but the first who ask get what was.
func (s *sky) present() *hour {
	h := s.now.Load()
	if h != nil && !s.due(h) {
		return h
	}
	if h != nil && !s.making.TryLock() {
		return h
	} else if h == nil {
		s.making.Lock()
	}
	defer s.making.Unlock()
	if h = s.now.Load(); h == nil || s.due(h) {
		h = s.look(h)
		s.now.Store(h)
	}
	return h
}

func (s *sky) due(h *hour) bool {
	if h.models != s.learned.Load() {
		return true
	}
	if s.clock.Now().Sub(h.at) >= skyRefresh {
		return true
	}
	return h.seen != s.touched.Load() && time.Since(h.made) >= s.every
}

// look makes the air of now. What it has in common with the last is taken over.
func (s *sky) look(last *hour) *hour {
	h := &hour{at: s.clock.Now(), models: s.learned.Load(), maker: s.maker, seen: s.touched.Load(), made: time.Now(), cities: make(map[nhip.Scale]*air.City), zones: make(map[nhip.Scale]*zoneAir)}
	all := s.city.allStations()
	h.Moment = &air.Moment{End: latestHour(all, h.at)}
	for _, st := range all {
		if st.Gone(h.at) {
			continue
		}
		h.stations = append(h.stations, *st)
		if m, ok := s.monitor(st, h.End); ok {
			h.Monitors = append(h.Monitors, m)
		}
	}
	h.Roving = s.rovers.since(h.at.Add(-air.RovingFor))
	h.key = keyOfMoment(h.Moment) + h.models.version
	if last != nil && last.key == h.key {
		last.mu.Lock()
		maps.Copy(h.cities, last.cities)
		last.mu.Unlock()
	}
	h.version = h.key ^ h.seen<<40 ^ uint64(h.at.Unix())
	return h
}

// latestHour is the newest that half of the monitors have completed that speak at all, or else the last full hour: one
// that is quick must not leave the city to itself.
func latestHour(all []*nhip.Station, now time.Time) time.Time {
	var ends []time.Time
	for _, s := range all {
		if s.Hours != nil && now.Sub(s.Hours.End) < indexGoneAfter && !s.Hours.End.After(now.Add(nhip.FutureTolerance)) {
			ends = append(ends, s.Hours.End)
		}
	}
	if len(ends) == 0 {
		return now.Truncate(time.Hour)
	}
	slices.SortFunc(ends, func(a, b time.Time) int { return b.Compare(a) })
	return ends[(len(ends)-1)/2]
}

// monitor is a station as the surface sees it: with a place, and fresh hours that nothing speaks against.
func (s *sky) monitor(st *nhip.Station, end time.Time) (air.Monitor, bool) {
	p, placed := st.Point()
	if !placed || st.Mobile || st.Hours == nil || end.Sub(st.Hours.End) >= indexGoneAfter {
		return air.Monitor{}, false
	}
	m := air.Monitor{ID: st.ID, Point: p, Class: classOf(st), Hours: make(aqi.Hours, len(st.Hours.Means))}
	before, late := s.before.Load(), int(end.Sub(st.Hours.End)/time.Hour) // negative: it is ahead of the others
	for q, means := range st.Hours.Means {
		of := before.of(st.ID, q, end)
		for i, mean := range means {
			// Of older hours the history knows more: which of them are suspect, and what people decided.
			older := before != nil && st.Hours.End.Add(-time.Duration(i)*time.Hour).Before(before.end)
			if v, known := mean.Get(); known && !older && i+late >= 0 && i+late < len(of) {
				of[i+late] = v
			}
		}
		if st.Hours.Suspect && late >= 0 {
			of[late] = math.NaN()
		}
		m.Hours[q] = of
	}
	return m, true
}

func classOf(s *nhip.Station) surface.Class {
	if s.Kind == "reference" {
		return surface.Reference
	}
	return surface.LowCost
}

// stationHours are those of monitors up to the one that ends at End, as the history has them.
type stationHours struct {
	end time.Time
	by  map[string]aqi.Hours
}

// of returns a monitor's hours up to another end, of its own; none of nil.
func (h *stationHours) of(station string, q nhip.Quantity, end time.Time) []float64 {
	out := make([]float64, skyHours)
	for i := range out {
		out[i] = math.NaN()
	}
	if h == nil || end.Before(h.end) {
		return out
	}
	if late := int(end.Sub(h.end) / time.Hour); late < len(out) {
		copy(out[late:], h.by[station][q])
	}
	return out
}

// rovers are what monitors on buses have said lately.
type rovers struct {
	mu sync.Mutex
	by map[string][]air.Roving // by station
}

// mostRoved bounds what is remembered of one monitor: six quantities each 10 s, for an hour and a little.
const mostRoved = 2500

// hear takes in what a monitor says that rides on a bus. What it said of the same moment before it was judged goes.
func (r *rovers) hear(s *nhip.Station) {
	p, placed := s.Point()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !s.Mobile || !placed { // or nobody may be told any more
		delete(r.by, s.ID)
		return
	}
	for q, v := range s.Values {
		if v.Time.Equal(s.Time) && surfaced[q] && v.Period <= time.Hour.Seconds() {
			r.put(air.Roving{ID: s.ID, Point: p, Class: classOf(s), Quantity: q, Time: v.Time, Value: v.Value}, v.Flag)
		}
	}
}

// put takes a value in the place of what was said of its quantity and time; one that is not good takes the place and
// leaves it empty.
func (r *rovers) put(x air.Roving, flag nhip.Flag) {
	of := slices.DeleteFunc(r.by[x.ID], func(o air.Roving) bool { return o.Quantity == x.Quantity && o.Time.Equal(x.Time) })
	if flag == nhip.Good || flag == nhip.NotEvaluated {
		of = append(of, x)
	}
	if len(of) > mostRoved {
		of = slices.Delete(of, 0, len(of)-mostRoved/2)
	}
	if r.by == nil {
		r.by = make(map[string][]air.Roving)
	}
	r.by[x.ID] = of
}

// since returns what was said after a time, by time.
func (r *rovers) since(t time.Time) []air.Roving {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []air.Roving
	for _, of := range r.by {
		for _, x := range of {
			if x.Time.After(t) {
				out = append(out, x)
			}
		}
	}
	slices.SortFunc(out, func(a, b air.Roving) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Quantity, b.Quantity))
	})
	return out
}

// run learns, until ctx ends: first from the history, then from each new hour.
func (s *sky) run(ctx context.Context) {
	l := newLearning(s)
	for wait := time.Duration(0); ; wait = learnEvery {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if s.city.complete() {
			l.step(ctx)
		}
	}
}
