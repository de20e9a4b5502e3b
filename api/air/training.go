package air

import (
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/api/encode"
	"nhip/api/live"
	geoair "nhip/geo/air"
	"nhip/geo/surface"

	"github.com/cespare/xxhash/v2"
	"github.com/paulmach/orb"
)

// Training uses every hour of the last weeks in the history (see surface.Memory), and then each new one.
const (
	trainEvery = time.Minute // interval of checks for a new hour
	lateHours  = 2           // delay until an hour is used, for late monitors
	maxTries   = 60          // checks for a history that is still being filled, one a minute
	day        = 24 * time.Hour
	// maxCheckpoints is how many daily copies of the learners are kept. From these, hours that have changed since
	// they were used are learned anew: those of the last hoursKept hours.
	maxCheckpoints = 4
)

// trainer learns the stacks of a model. It is not safe for concurrent use.
type trainer struct {
	model       *Model
	learners    learners
	last        time.Time            // newest hour that was used
	digests     map[time.Time]uint64 // of the hours that were used in the last days
	checkpoints []checkpoint         // the oldest first
	seen        time.Time            // newest hour at the last successful step
	tries       int                  // steps without anything learned
	begun       bool                 // the weeks before were read
	resumed     bool                 // all hours since the file were read, or it was found useless
	complete    time.Time            // day of the last reading of all hours, or of the start from the file
	saved       time.Time            // hour of the checkpoint in the file
	warned      bool                 // the history was away at the last step
}

// learners holds what was learned of each quantity.
type learners map[nhip.Quantity]*surface.Learner

// checkpoint is what was learned up to the end of a day.
type checkpoint struct {
	at       time.Time
	learners learners
}

func newTrainer(m *Model) *trainer { return &trainer{model: m} }

// step uses the hours since the previous step. A failed read of the history is repeated at the next step.
func (t *trainer) step(ctx context.Context) {
	end := latestHour(t.model.o.State.Stations(), t.model.o.Clock.Now())
	if fresh := end.After(t.seen); t.begun && !fresh {
		if t.tries++; t.tries > maxTries || t.model.learned.Load().any() {
			return
		}
		t.begun = false // the history may still be filling up
	}
	if err := t.read(ctx, end); err != nil {
		if !t.warned && ctx.Err() == nil {
			t.model.o.Logger.Warn("training history unavailable, fields are interpolated by inverse distance weighting", "error",
				err)
			t.warned = true
		}
		return
	}
	t.seen, t.begun, t.warned = end, true, false
}

// read uses the hours up to end: first all of the last weeks, or those since the file, later the new ones and those of
// the last days that have changed. Once a day it reads all hours again: old ones may have been imported or reviewed.
func (t *trainer) read(ctx context.Context, end time.Time) error {
	last := t.model.learned.Load()
	next := &learned{hours: maps.Clone(last.hours), newest: last.newest, from: end.Add(-recentHours * time.Hour)}
	if next.hours == nil {
		next.hours = make(map[time.Time]geoair.Stacks)
	}
	settled := end.Add(-lateHours * time.Hour)
	begun := t.begun && end.Sub(t.last) < (hoursKept-lateHours)*time.Hour && t.complete.Equal(settled.Truncate(day))
	if !begun {
		if t.complete = settled.Truncate(day); t.resumed || !t.resume(settled) {
			t.restart(settled)
			t.resumed = true
		}
		for to := t.last.Add(hoursKept * time.Hour); to.Before(end); to = to.Add(hoursKept * time.Hour) {
			if err := t.readSpan(ctx, to, settled, next); err != nil {
				return err
			}
		}
	}
	h, err := t.model.readHours(ctx, end, hoursKept)
	if err != nil {
		return err
	}
	t.resumed = true // not before: after a failed query the file is used again
	if begun {
		if err := t.rollBack(ctx, h, next); err != nil {
			return err
		}
	}
	t.learn(h, settled, next)
	next.forget()
	t.save()
	t.model.stored.Store(h)
	t.model.learned.Store(next)
	t.model.changes.Add(1)
	if t.begun {
		return nil
	}
	t.log(next)
	mobile, err := t.model.readMobile(ctx, end)
	t.model.mobile.putAll(mobile)
	return err
}

// restart drops what was learned, to begin with the oldest hour that counts once the hours up to to are used.
func (t *trainer) restart(to time.Time) {
	t.learners, t.checkpoints, t.digests = make(learners), nil, make(map[time.Time]uint64)
	t.last = surface.WindowStart(to)
}

// readSpan reads hoursKept hours up to an hour and uses those up to limit that were not used.
func (t *trainer) readSpan(ctx context.Context, to, limit time.Time, next *learned) error {
	h, err := t.model.readHours(ctx, to, hoursKept)
	if err != nil {
		return err
	}
	t.learn(h, limit, next)
	return nil
}

// rollBack returns to the last checkpoint before the first hour that has changed since it was used: its stations were
// late, or staff have reviewed them.
func (t *trainer) rollBack(ctx context.Context, h *stationHours, next *learned) error {
	changed := time.Time{}
	for back := hoursKept - 1; back >= 0; back-- {
		at := h.end.Add(-time.Duration(back) * time.Hour)
		if known, used := t.digests[at]; used && known != digestOf(observationsOf(h, back, t.model.o.State.Located())) {
			changed = at
			break
		}
	}
	if changed.IsZero() {
		return nil
	}
	t.model.past.Clear() // snapshots of the past use what was learned from the old values
	for n := len(t.checkpoints) - 1; n >= 0; n-- {
		if c := t.checkpoints[n]; c.at.Before(changed) {
			t.checkpoints = t.checkpoints[:n+1]
			t.learners, t.last = c.learners.clone(), c.at
			if before := h.end.Add(-hoursKept * time.Hour); t.last.Before(before) {
				return t.readSpan(ctx, before, before, next)
			}
			return nil
		}
	}
	return nil // only at the first days of a history
}

// learn uses the hours of h up to an hour that were not used.
func (t *trainer) learn(h *stationHours, to time.Time, next *learned) {
	located := t.model.o.State.Located()
	for back := hoursKept - 1; back >= 0; back-- {
		at := h.end.Add(-time.Duration(back) * time.Hour)
		if !at.After(t.last) || at.After(to) {
			continue
		}
		observed := observationsOf(h, back, located)
		t.learners.learn(at, observed)
		t.digests[at] = digestOf(observed)
		t.last = at
		if !at.Before(next.from) {
			next.newest = t.learners.frozen()
			next.hours[at] = next.newest
		}
		if at.Truncate(day).Equal(at) {
			t.checkpoints = append(t.checkpoints, checkpoint{at, t.learners.clone()})
			t.checkpoints = t.checkpoints[max(0, len(t.checkpoints)-maxCheckpoints):]
			maps.DeleteFunc(t.digests, func(used time.Time, _ uint64) bool { return at.Sub(used) > 2*hoursKept*time.Hour })
		}
	}
}

// log writes what the first training gave.
func (t *trainer) log(next *learned) {
	for _, q := range slices.Sorted(maps.Keys(next.newest)) {
		s := next.newest[q]
		t.model.o.Logger.Info("surface learned", "quantity", q, "hours", s.Count, "rmse", encode.Round(s.RMSE(), 100))
	}
}

// learn uses the observations of the hour that ends at a time.
func (l learners) learn(at time.Time, observed map[nhip.Quantity]*surface.Observations) {
	for _, x := range l {
		x.Advance(at)
	}
	for q, o := range observed {
		if l[q] == nil {
			l[q] = new(surface.Learner)
		}
		l[q].Learn(o)
	}
}

func (l learners) clone() learners {
	out := make(learners, len(l))
	for q, x := range l {
		out[q] = x.Clone()
	}
	return out
}

// frozen returns the stacks in use.
func (l learners) frozen() geoair.Stacks {
	out := make(geoair.Stacks, len(l))
	for q, x := range l {
		if s := x.Stack(); s != nil && s.Count > 0 {
			out[q] = s.Frozen()
		}
	}
	return out
}

// observationsOf returns the values of the hour that ends back hours before h.end, by quantity.
func observationsOf(h *stationHours, back int, located map[string]*nhip.Station,
) map[nhip.Quantity]*surface.Observations {
	at := h.end.Add(-time.Duration(back) * time.Hour)
	out := make(map[nhip.Quantity]*surface.Observations)
	for _, id := range slices.Sorted(maps.Keys(h.byStation)) {
		station := located[id]
		if station == nil || station.Mobile {
			continue
		}
		p, _ := station.Point()
		for q, values := range h.byStation[id] {
			v := values[back]
			if math.IsNaN(v) {
				continue
			}
			o := out[q]
			if o == nil {
				o = &surface.Observations{Time: at}
				out[q] = o
			}
			o.Sites = append(o.Sites, surface.Site{ID: id, Point: p, Class: classOf(station)})
			o.Values = append(o.Values, v)
		}
	}
	for q, o := range out {
		out[q] = mainCluster(o)
	}
	return out
}

// mainCluster returns the observations of the sites in the city, without those that report a position elsewhere.
func mainCluster(o *surface.Observations) *surface.Observations {
	places := make([]orb.Point, len(o.Sites))
	for i, s := range o.Sites {
		places[i] = s.Point
	}
	in, out := geoair.MainCluster(places), &surface.Observations{Time: o.Time}
	for i, s := range o.Sites {
		if in(s.Point) {
			out.Sites, out.Values = append(out.Sites, s), append(out.Values, o.Values[i])
		}
	}
	return out
}

// digestOf returns a hash of the observations of an hour.
func digestOf(observed map[nhip.Quantity]*surface.Observations) uint64 {
	var b []byte
	for _, q := range slices.Sorted(maps.Keys(observed)) {
		b = append(append(b, q...), 0)
		for i, v := range observed[q].Values {
			s := &observed[q].Sites[i]
			b = append(append(b, s.ID...), 0, byte(s.Class))
			for _, x := range [...]float64{s.Point[0], s.Point[1], v} {
				b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
			}
		}
	}
	return xxhash.Sum64(b)
}

// learned holds the stacks of the recent hours. It is immutable: a training replaces it.
type learned struct {
	hours  map[time.Time]geoair.Stacks // what was learned up to each hour since from
	newest geoair.Stacks
	from   time.Time
}

// recentHours is how long the stacks of past hours are kept.
const recentHours = 50

// any reports whether anything was learned.
func (l *learned) any() bool { return len(l.newest) > 0 }

// forget drops the stacks of the hours before from. Only a learned that is still being made may be changed.
func (l *learned) forget() {
	maps.DeleteFunc(l.hours, func(at time.Time, _ geoair.Stacks) bool { return at.Before(l.from) })
}

// at returns the stacks with which the hour that ends at end is interpolated: what was learned lateHours before it. ok
// is false if they are not kept.
func (l *learned) at(end time.Time) (s geoair.Stacks, ok bool) {
	s, ok = l.hours[end.Add(-lateHours*time.Hour)]
	return s, ok
}

// stacksAt returns the stacks of an hour: those that are kept, or what the hours before it in the history teach.
func (m *Model) stacksAt(ctx context.Context, end time.Time) (geoair.Stacks, error) {
	if s, ok := m.learned.Load().at(end); ok {
		return s, nil
	}
	to := end.Add(-lateHours * time.Hour)
	date := to.Add(-1).Truncate(day)
	limited, cancel := context.WithTimeout(ctx, m.learnWait)
	defer cancel()
	all, err := m.pastDays.Get(limited, date, pastDayLifetime, func(ctx context.Context) (*learned, error) {
		return m.learnDay(ctx, date)
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, errLearning
	}
	if err != nil {
		return nil, err
	}
	return all.hours[to], nil
}

const (
	// pastDayLifetime is how long the stacks of a past day are kept. Reviews of the weeks before it change them little.
	pastDayLifetime = time.Hour
	maxPastDays     = 4
	// learnWait is how long an answer waits for the weeks before a past day, which a thousand monitors take minutes for.
	// They are learned on meanwhile.
	learnWait = 10 * time.Second
)

// errLearning is the error of a past hour whose weeks before are still being learned.
var errLearning = nhip.Errorf(nhip.CodeUnavailable, "time",
	"the weeks before this day are being read for the surface of the air; try again in a minute")

// learnDay learns the hours of a past day from those of the weeks before it.
func (m *Model) learnDay(ctx context.Context, date time.Time) (*learned, error) {
	t := newTrainer(m)
	t.restart(date.Add(time.Hour))
	out := &learned{hours: make(map[time.Time]geoair.Stacks), from: date.Add(time.Hour)}
	end := date.Add(day)
	for to := t.last.Add(hoursKept * time.Hour); t.last.Before(end); to = to.Add(hoursKept * time.Hour) {
		if to.After(end) {
			to = end
		}
		if err := t.readSpan(ctx, to, to, out); err != nil {
			m.o.Logger.Warn("history query failed", "query", "air training", "error", err)
			return nil, live.ErrHistoryAway
		}
	}
	return out, nil
}
