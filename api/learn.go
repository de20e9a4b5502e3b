package api

import (
	"context"
	"maps"
	"slices"
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/aqi"
	"nhip/geo/surface"
	"nhip/internal/influx"

	"github.com/paulmach/orb"
)

// How variograms are learned: from some hours of the last weeks, in a step that meets every hour of the day, and from
// each hour since.
const (
	learnEvery = time.Minute // looks for a new hour
	learnStep  = 5 * time.Hour
	learnBack  = surface.Window
	relearn    = 24 // hours
	learnLag   = 2  // hours that late monitors have until an hour is learned from
	mostTries  = 60 // looks for a past that is on its way, a minute apart
)

// learning is what the sky learns by. It belongs to one goroutine.
type learning struct {
	sky      *sky
	learners map[nhip.Quantity]*surface.Learner
	last     time.Time // the newest hour that was taken in
	seen     time.Time // the newest that there was then
	tries    int       // without a model
	begun    bool      // the history was read
	pending  int       // hours since a model was made
	warned   bool
}

func newLearning(s *sky) *learning {
	return &learning{sky: s, learners: make(map[nhip.Quantity]*surface.Learner)}
}

// step takes in what is new. It does nothing while the history is away: the air of now does without.
func (l *learning) step(ctx context.Context) {
	end := latestHour(l.sky.city.allStations(), l.sky.clock.Now())
	if fresh := end.After(l.seen); l.begun && !fresh {
		if l.tries++; l.tries > mostTries || len(l.sky.learned.Load().Models) > 0 {
			return
		}
		l.again() // the past may still be on its way into the history
	}
	if err := l.take(ctx, end); err != nil {
		if !l.warned && ctx.Err() == nil {
			l.sky.log.Warn("can't read what the monitors said in the last weeks yet; surfaces are by inverse distances", "error", err)
			l.warned = true
		}
		return
	}
	l.last, l.seen, l.begun, l.warned = end.Add(-learnLag*time.Hour), end, true, false
	if old := l.sky.learned.Load(); len(old.Models) == 0 || l.pending >= relearn {
		l.learn(old)
	}
}

// again forgets what was gathered but not that the weeks were read: what comes now lies in the last two days.
func (l *learning) again() {
	l.learners, l.last = make(map[nhip.Quantity]*surface.Learner), time.Time{}
}

// take reads the hours up to end: all of the last two days, and at first some of the weeks before.
func (l *learning) take(ctx context.Context, end time.Time) error {
	if !l.begun {
		l.learners = make(map[nhip.Quantity]*surface.Learner) // of an attempt that broke off
		for at := end.Add(-learnBack).Truncate(learnStep); at.Before(end.Add(-skyHours * time.Hour)); at = at.Add(learnStep) {
			h, err := l.sky.readHours(ctx, at, 1)
			if err != nil {
				return err
			}
			l.add(h, 0)
		}
	}
	h, err := l.sky.readHours(ctx, end, skyHours)
	if err != nil {
		return err
	}
	for back := skyHours - 1; back >= learnLag; back-- {
		if at := end.Add(-time.Duration(back) * time.Hour); at.After(l.last) {
			l.add(h, back)
			l.pending++
		}
	}
	l.sky.before.Store(h)
	l.sky.touched.Add(1)
	if !l.begun {
		return l.sky.readRovers(ctx, end)
	}
	return nil
}

// add teaches one hour, so many before the last.
func (l *learning) add(h *stationHours, back int) {
	places := l.sky.places()
	at := h.end.Add(-time.Duration(back) * time.Hour)
	rounds := make(map[nhip.Quantity]*surface.Round)
	for _, id := range slices.Sorted(maps.Keys(h.by)) {
		st := places[id]
		if st == nil || st.Mobile {
			continue
		}
		p, _ := st.Point()
		for q, values := range h.by[id] {
			if v := values[back]; v == v {
				if rounds[q] == nil {
					rounds[q] = &surface.Round{Time: at}
				}
				rounds[q].Sites = append(rounds[q].Sites, surface.Site{Point: p, Class: classOf(st)})
				rounds[q].Values = append(rounds[q].Values, v)
			}
		}
	}
	for q, r := range rounds {
		r = inCity(r)
		if l.learners[q] == nil {
			l.learners[q] = new(surface.Learner)
		}
		l.learners[q].Add(*surface.Thin(r, surface.MostSites))
	}
}

// inCity is a round without sites that claim to be elsewhere.
func inCity(r *surface.Round) *surface.Round {
	places := make([]orb.Point, len(r.Sites))
	for i, s := range r.Sites {
		places[i] = s.Point
	}
	in, out := air.InCity(places), &surface.Round{Time: r.Time}
	for i, s := range r.Sites {
		if in(s.Point) {
			out.Sites, out.Values = append(out.Sites, s), append(out.Values, r.Values[i])
		}
	}
	return out
}

// learn makes models of what was gathered.
func (l *learning) learn(old *learned) {
	next := &learned{Models: make(air.Models), version: old.version + 1}
	for q, learner := range l.learners {
		if m, ok := learner.Learn(); ok {
			next.Models[q] = m
			l.sky.log.Info("learned how the air varies over the city", "quantity", q, "form", m.Kind, "range_m", int(m.Range), "rounds", m.Rounds, "rmse", roundTo(m.RMSE, 100))
		}
	}
	if len(next.Models) == 0 {
		return
	}
	l.pending = 0
	l.sky.learned.Store(next)
	l.sky.past.clear() // what was drawn by less
}

// surfaced are the quantities that surfaces are made of.
var surfaced = func() map[nhip.Quantity]bool {
	out := make(map[nhip.Quantity]bool)
	for _, scale := range aqi.Scales() {
		for _, a := range aqi.Averages(scale) {
			out[a.Quantity] = true
		}
	}
	return out
}()

// readHours reads so many hours of all monitors from the history, as people have decided. Hours that anything speaks
// against are left out.
func (s *sky) readHours(ctx context.Context, end time.Time, count int) (*stationHours, error) {
	h := &stationHours{end: end, by: make(map[string]aqi.Hours)}
	q := influx.RollupQuery{
		Period: nhip.HourPeriod, Quality: nhip.Reviewed, From: end.Add(-time.Duration(count) * time.Hour), To: end, Brief: true,
	}
	err := s.history.Rollups(ctx, q, func(r influx.Rolled) error {
		if !surfaced[r.Quantity] || r.Flag != nhip.Good {
			return nil
		}
		of := h.by[r.Station]
		if of == nil {
			of = make(aqi.Hours)
			h.by[r.Station] = of
		}
		if of[r.Quantity] == nil {
			of[r.Quantity] = (*stationHours)(nil).of("", "", time.Time{})[:count]
		}
		if back := int(end.Sub(r.Time) / time.Hour); back >= 0 && back < count {
			of[r.Quantity][back] = r.Mean
		}
		return nil
	})
	return h, err
}

// readRovers reads what monitors on buses said in the hour up to end.
func (s *sky) readRovers(ctx context.Context, end time.Time) error {
	all, err := s.roved(ctx, end)
	s.rovers.mu.Lock()
	defer s.rovers.mu.Unlock()
	for _, x := range all {
		s.rovers.put(x, nhip.Good)
	}
	return err
}

// mostRoving is how many monitors on buses are asked for at once.
const mostRoving = 200

// roved returns what monitors on buses said in the hour up to end, by time.
func (s *sky) roved(ctx context.Context, end time.Time) ([]air.Roving, error) {
	var r rovers
	asked := 0
	for id, st := range s.places() {
		if !st.Mobile || asked == mostRoving {
			continue
		}
		asked++
		q := influx.ReadingQuery{Station: id, From: end.Add(-air.RovingFor), To: end}
		err := s.history.Readings(ctx, q, func(j nhip.Judged) error {
			v, flag := j.At(nhip.Automatic)
			p, placed := j.Point.Get()
			if placed && surfaced[j.Quantity] && j.Period <= time.Hour {
				r.put(air.Roving{ID: id, Point: p, Class: classOf(st), Quantity: j.Quantity, Time: j.Time, Value: v}, flag)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return r.since(time.Time{}), nil
}

// places returns all stations that are shown or that the fleet says where they stand, by id.
func (s *sky) places() map[string]*nhip.Station {
	out := s.city.fleet.placed()
	for _, st := range s.city.allStations() {
		if _, placed := st.Point(); placed { // who may be told, that is
			out[st.ID] = st
		}
	}
	return out
}
