package air

import (
	"context"
	"math"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/internal/influx"

	"github.com/paulmach/orb/geo"
)

// chunk is a stretch of one station's old hours that is judged at once.
type chunk struct {
	station *station
	span
}

// old judges a piece of what lies before memory, from the database: what came late, what is imported, what a
// review or a calibration changed. It is false when the database does not answer.
func (k *Keeper) old(ctx context.Context) bool {
	k.mu.Lock()
	c, ok := k.nextChunk()
	k.mu.Unlock()
	if !ok {
		return k.lookAroundOld(ctx)
	}
	from, to := time.UnixMilli(startOf(c.From-chunkMargin)).UTC(), time.UnixMilli(endOf(c.To-1+chunkMargin)).UTC()
	var w window
	err := k.o.History.Readings(ctx, influx.ReadingQuery{Station: c.station.id, From: from, To: to}, func(r nhip.Judged) error {
		w.put(&r.Reading, r.Verdict)
		return nil
	})
	stored := make(map[nearHour]nhip.Flag)
	if err == nil && c.station.class == qc.LowCost {
		q := influx.RollupQuery{Station: c.station.id, Period: nhip.HourPeriod, Quality: nhip.Automatic, From: from, To: to}
		err = k.o.History.Rollups(ctx, q, func(r influx.Rolled) error {
			if r.Near != 0 {
				stored[nearHour{r.Quantity, hourOf(r.Time.UnixMilli())}] = r.Near
			}
			return nil
		})
	}
	if err != nil {
		k.complain(ctx, "can't read old readings that are to be judged", err)
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.judgeChunk(c, &w, stored)
	return true
}

// nextChunk returns what is to be judged next, once all that was heard is in the database.
func (k *Keeper) nextChunk() (chunk, bool) {
	if !k.o.Stored(k.heard) {
		return chunk{}, false
	}
	first := k.recentHour()
	for _, s := range k.stations {
		if x := s.dirty.within(0, first); len(x) > 0 {
			return chunk{s, span{x[0].From, min(x[0].To, x[0].From+chunkHours)}}, true
		}
	}
	return chunk{}, false
}

func (k *Keeper) judgeChunk(c chunk, w *window, stored map[nearHour]nhip.Flag) {
	s := c.station
	k.now = k.o.Clock.Now()
	near := func(n nearHour) nhip.Flag {
		if f, ok := s.near[n]; ok {
			return f
		}
		return stored[n]
	}
	// A value may be news to those after it for as long as a flat line counts, and so far it was read. What is
	// recent is judged from memory.
	last := min(c.To+chunkMargin-1, k.recentHour())
	touched := k.judge(s, w, startOf(c.From), startOf(last), near)
	all := touched.add(c.From, c.To).within(c.From-1, last)
	for _, x := range all {
		for h := x.From; h < x.To; h++ {
			k.sumHour(s, w, h, near)
			k.askAroundOld(s, w, h)
		}
	}
	for n := range s.near {
		if n.hour >= c.From && n.hour < c.To {
			delete(s.near, n) // it is stored with the hour now
		}
	}
	s.dirty = s.dirty.remove(c.From, c.To)
	s.sending = s.sending.addAll(all)
	s.retell = c.To > k.recentHour()-liveHours
}

// askAroundOld notes that an old hour of a station is news to those around it, where there are any. One that is
// summed up anew because of what they made of it is none.
func (k *Keeper) askAroundOld(s *station, w *window, h int64) {
	for _, q := range w.quantities() {
		if _, theirs := s.near[nearHour{q, h}]; !theirs && k.hasNeighbours(s, q) {
			k.around[nearHour{q, h}] = true
		}
	}
}

// hasNeighbours reports whether a cheap monitor has others near it.
func (k *Keeper) hasNeighbours(s *station, q nhip.Quantity) bool {
	at, ok := s.place()
	limits := k.rules.At(q, qc.LowCost, qc.Neighbours)
	if s.class != qc.LowCost || limits.Count < 1 || !ok {
		return false
	}
	for _, other := range k.stations {
		if there, ok := other.place(); ok && other != s && other.class == qc.LowCost && geo.DistanceHaversine(at, there) <= limits.Radius {
			return true
		}
	}
	return false
}

// aroundHours is how many old hours are held against their neighbourhood at once.
const aroundHours = 24

// lookAroundOld is lookAround for hours before memory: it waits until all of them are summed up, so that a
// network that is imported station by station is looked at as a whole, and reads the medians.
func (k *Keeper) lookAroundOld(ctx context.Context) bool {
	q, from, ok := k.nextAround()
	if !ok {
		return true
	}
	type key struct {
		station string
		hour    int64
	}
	known := make(map[key]influx.Rolled)
	ask := influx.RollupQuery{
		Quantity: q, Period: nhip.HourPeriod, Quality: nhip.Automatic,
		From: time.UnixMilli(startOf(from)).UTC(), To: time.UnixMilli(endOf(from + aroundHours - 1)).UTC(),
	}
	err := k.o.History.Rollups(ctx, ask, func(r influx.Rolled) error {
		known[key{r.Station, hourOf(r.Time.UnixMilli())}] = r
		return nil
	})
	if err != nil {
		k.complain(ctx, "can't read the hours around a monitor", err)
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for h := from; h < from+aroundHours; h++ {
		n := nearHour{q, h}
		if !k.around[n] {
			continue
		}
		delete(k.around, n)
		sites, members, medians := k.neighbourhood(func(s *station) float64 {
			r, ok := known[key{s.id, h}]
			if !ok || r.Count == 0 && r.Near != nhip.Fail {
				return math.NaN()
			}
			return r.Median
		})
		for i, f := range k.nearFlags(q, sites, medians) {
			s := members[i]
			was, isThere := known[key{s.id, h}]
			if !isThere || max(was.Near, nhip.Good) == max(f, nhip.Good) || f == nhip.NotEvaluated {
				continue
			}
			s.near[n] = f
			s.dirty = s.dirty.add(h, h+1)
		}
	}
	return true
}

// nextAround returns the first of the old hours whose neighbourhood is to be looked at.
func (k *Keeper) nextAround() (q nhip.Quantity, from int64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	first := k.recentHour()
	for n := range k.around {
		if n.hour < first && (!ok || n.hour < from) {
			q, from, ok = n.quantity, n.hour, true
		}
	}
	return q, from, ok
}
