package air

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/qc"
	"nhip/internal/influx"
)

// live judges what came in, sums up hours that have ended, and tells the city. It needs no database, but what
// memory lacks of a station after a start it does not make up: until it is read, verdicts are only told.
func (k *Keeper) live() bool {
	k.mu.Lock()
	k.now = k.o.Clock.Now()
	k.lookAround()
	var all []Told
	for _, s := range k.stations {
		if s.from != math.MaxInt64 || len(s.dirty) > 0 || s.retell {
			if t, ok := k.liveStation(s); ok {
				all = append(all, t)
			}
		}
	}
	k.bound()
	k.alarm()
	k.mu.Unlock()
	for _, t := range all {
		k.o.Tell(t)
	}
	k.settle()
	return true
}

// alarm shows the rules what the clock tells.
func (k *Keeper) alarm() {
	if len(k.o.Alerts) == 0 {
		return
	}
	for _, s := range k.stations {
		if s.loaded {
			k.alarmNow(s)
		}
	}
}

// liveStation does one station's part, and returns what the city should show of it, where that is new.
func (k *Keeper) liveStation(s *station) (Told, bool) {
	first := k.recentHour()
	ended := k.now.UnixMilli() / hourMS // the last hour that has
	judged := s.from != math.MaxInt64 && (s.loaded || s.fresh)
	retell := s.retell
	s.fresh, s.retell = false, false
	near := func(n nearHour) nhip.Flag { return s.near[n] }
	if judged {
		before := k.lines
		touched := k.judge(s, &s.window, s.from, math.MaxInt64, near)
		if !s.loaded {
			told := s.tell()
			k.lines = before // it may not be the whole truth
			s.unsay()
			return told, true
		}
		s.from = math.MaxInt64
		s.dirty = s.dirty.addAll(touched)
		s.sending = s.sending.addAll(touched)
	}
	if !s.loaded {
		return Told{}, false
	}
	summed := false
	for _, x := range s.dirty.within(first, ended+1) {
		for h := x.From; h < x.To; h++ {
			k.sumHour(s, &s.window, h, near)
			k.askAround(s, h)
			summed = true
		}
		s.dirty, s.sending = s.dirty.remove(x.From, x.To), s.sending.add(x.From, x.To)
	}
	if !judged && !summed && !retell {
		return Told{}, false
	}
	if summed {
		k.alarmHour(s)
	}
	s.forgetBefore(k.windowHour())
	return s.tell(), true
}

// unsay takes verdicts back that were told and not written.
func (s *station) unsay() {
	for i := range s.said {
		clear(s.said[i])
	}
}

// tell makes what the city should show of a station.
func (s *station) tell() Told {
	t := Told{Station: s.id, Flags: make(map[nhip.Quantity]ToldFlag)}
	for i := range s.series {
		series := &s.series[i]
		n := len(series.Samples)
		if n == 0 {
			continue
		}
		at := time.UnixMilli(series.Samples[n-1].At).UTC()
		if at.After(t.Flags[series.Quantity].Time) {
			v := s.said[i][n-1].verdict
			t.Flags[series.Quantity] = ToldFlag{at, v.Flag, v.Tests()}
		}
	}
	t.Hours = s.liveHours()
	return t
}

// liveHours returns the last hours of a station that are complete, up to the latest.
func (s *station) liveHours() *nhip.AirHours {
	end := int64(0)
	for _, of := range s.hours {
		for h, stats := range of {
			if stats.Complete() {
				end = max(end, h)
			}
		}
	}
	if end == 0 {
		return nil
	}
	out := &nhip.AirHours{End: time.UnixMilli(endOf(end)).UTC(), Means: make(map[nhip.Quantity][]nhip.Opt[float64])}
	for q, of := range s.hours {
		means := make([]nhip.Opt[float64], liveHours)
		some := false
		for i := range means {
			if stats, ok := of[end-int64(i)]; ok && stats.Complete() {
				means[i], some = nhip.Some(stats.Mean), true
				out.Suspect = out.Suspect || i == 0 && stats.Flag == nhip.Suspect
			}
		}
		if some {
			out.Means[q] = means
		}
	}
	return out
}

// askAround notes that an hour of a station is news to those around it.
func (k *Keeper) askAround(s *station, h int64) {
	for _, q := range s.quantities() {
		if k.hasNeighbours(s, q) {
			k.around[nearHour{q, h}] = true
		}
	}
}

// lookAround holds cheap monitors against each other, in the hours of memory that are news, and marks the values
// of those of which it thinks otherwise than before.
func (k *Keeper) lookAround() {
	first := k.recentHour()
	for n := range k.around {
		if n.hour < first {
			continue // see old
		}
		delete(k.around, n)
		sites, members, medians := k.neighbourhood(func(s *station) float64 {
			if !s.loaded {
				return math.NaN()
			}
			return s.median(n)
		})
		for i, f := range k.nearFlags(n.quantity, sites, medians) {
			s := members[i]
			if f == nhip.NotEvaluated {
				f = 0
			}
			if was := s.near[n]; was != f {
				s.near[n] = f
				s.from = min(s.from, startOf(n.hour))
				s.dirty = s.dirty.add(n.hour, n.hour+1)
			}
		}
	}
}

// nearFlags is what the neighbourhood and who stands beside it make of each.
func (k *Keeper) nearFlags(q nhip.Quantity, sites []qc.Site, medians []float64) []nhip.Flag {
	flags := k.rules.Neighbourhood(q, sites, medians)
	for i, f := range k.rules.SamePlace(q, sites, medians) {
		if f != nhip.Good {
			flags[i] = max(flags[i], f)
		}
	}
	return flags
}

// neighbourhood returns the cheap monitors whose place is known, with what value says of each.
func (k *Keeper) neighbourhood(value func(*station) float64) (sites []qc.Site, members []*station, values []float64) {
	for _, s := range k.stations {
		at, ok := s.place()
		if s.class != qc.LowCost || !ok {
			continue
		}
		sites = append(sites, qc.Site{Lat: at.Lat(), Lon: at.Lon(), Elevation: math.NaN()})
		members = append(members, s)
		values = append(values, value(s))
	}
	return sites, members, values
}

// median returns the median of an hour's values, leaving out what failed a check other than that of the
// neighbourhood; NaN where there are none.
func (s *station) median(n nearHour) float64 {
	i, samples := s.best(n.quantity, n.hour, s.of.Period)
	if i < 0 {
		return math.NaN()
	}
	var values []float64
	for j := samples[0]; j < samples[1]; j++ {
		if s.said[i][j].verdict.Without(qc.Neighbours).Flag != nhip.Fail {
			values = append(values, s.series[i].Samples[j].Value)
		}
	}
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}

// load reads what memory lacks of some stations. It is false when the database does not answer.
func (k *Keeper) load(ctx context.Context) bool {
	k.mu.Lock()
	var lacking []*station
	first := k.windowHour()
	for _, s := range k.stations {
		if !s.loaded && s.last >= first {
			lacking = append(lacking, s)
		}
	}
	k.mu.Unlock()
	slices.SortFunc(lacking, func(a, b *station) int { return cmp.Compare(a.id, b.id) })
	for _, s := range lacking[:min(len(lacking), loadAtOnce)] {
		if err := k.loadStation(ctx, s); err != nil {
			k.complain(ctx, "can't read what a station said lately", err)
			return false
		}
	}
	return true
}

// complain tells of a database that does not answer, once a minute while it does not.
func (k *Keeper) complain(ctx context.Context, what string, err error) {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) || time.Since(k.complained) < complainEvery {
		return
	}
	k.complained = time.Now()
	k.log.Warn(what+"; it is tried again", "error", err)
}

func (k *Keeper) loadStation(ctx context.Context, s *station) error {
	k.mu.Lock()
	from := time.UnixMilli(startOf(k.windowHour())).UTC()
	k.mu.Unlock()
	to := k.o.Clock.Now().Add(nhip.FutureTolerance)
	var known window
	err := k.o.History.Readings(ctx, influx.ReadingQuery{Station: s.id, From: from, To: to}, func(r nhip.Judged) error {
		known.put(&r.Reading, r.Verdict)
		return nil
	})
	if err != nil {
		return err
	}
	var hours []influx.Rolled
	q := influx.RollupQuery{Station: s.id, Period: nhip.HourPeriod, Quality: nhip.Reviewed, From: from, To: to}
	if err := k.o.History.Rollups(ctx, q, func(r influx.Rolled) error { hours = append(hours, r); return nil }); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	s.merge(&known)
	for _, r := range hours {
		h := hourOf(r.Time.UnixMilli())
		s.spoke(h)
		s.remember(r.Quantity, h, r.Stats)
		if r.Near != 0 && r.Near != nhip.NotEvaluated {
			s.near[nearHour{r.Quantity, h}] = r.Near
		}
	}
	s.loaded = true
	s.takeUnknown(startOf(k.recentHour()))
	return nil
}

// takeUnknown marks the values of which the database knows no verdict.
func (s *station) takeUnknown(recent int64) {
	for i := range s.series {
		for j, x := range s.series[i].Samples {
			if !s.said[i][j].known {
				s.take(x.At, recent)
			}
		}
	}
}

// merge adds what the database knows; what came in since is newer.
func (s *station) merge(known *window) {
	fresh := s.window
	s.window = *known
	for i := range fresh.series {
		for _, x := range fresh.series[i].Samples {
			r := nhip.Reading{
				Quantity: fresh.series[i].Quantity, Period: fresh.series[i].Period, Time: time.UnixMilli(x.At), Value: x.Value, Flag: x.Device,
			}
			if x.Point != nil {
				r.Point = nhip.Some(*x.Point)
			}
			if x.Channels != nil {
				r.Channels = nhip.Some(*x.Channels)
			}
			s.put(&r, nhip.Verdict{})
		}
	}
}

// send writes what was made. Rows that the database does not take wait for the next round; what it refuses for
// good is told and left. It is false when the database does not answer.
func (k *Keeper) send(ctx context.Context) bool {
	k.mu.Lock()
	lines := k.lines
	k.lines = nil // nobody makes rows while they are sent but who sends them
	k.mu.Unlock()
	rest, err := k.write(ctx, lines)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.complain(ctx, "can't write what was made of readings", err)
		k.lines = append(rest[:len(rest):len(rest)], k.lines...)
		return false
	}
	for _, s := range k.stations {
		s.sending = nil
	}
	if cap(lines) <= 2*sendBytes {
		k.lines = lines[:0]
	}
	return true
}

// bound keeps the rows that wait for the database within bounds. Beyond them they are made again when it is back.
func (k *Keeper) bound() {
	if len(k.lines) <= maxUnsent {
		return
	}
	k.lines = nil
	for _, s := range k.stations {
		s.dirty, s.sending = s.dirty.addAll(s.sending), nil
		s.unsay()
		if len(s.dirty) > 0 {
			s.from = min(s.from, max(startOf(s.dirty[0].From), startOf(k.recentHour())))
		}
	}
}

// write writes lines in pieces, and returns those that are not.
func (k *Keeper) write(ctx context.Context, lines []byte) ([]byte, error) {
	for len(lines) > 0 {
		n := piece(lines)
		err := k.o.Store.Write(ctx, lines[:n])
		var known *influx.WriteError
		switch {
		case err == nil:
		case errors.As(err, &known) && known.Kind != influx.Retry:
			k.log.Error("the database refuses what was made of readings", "error", err)
			k.metrics.refused.Inc()
		default:
			return lines, err
		}
		lines = lines[n:]
	}
	return nil, nil
}

// piece returns the length of whole lines of about sendBytes.
func piece(lines []byte) int {
	if len(lines) <= sendBytes {
		return len(lines)
	}
	n := sendBytes
	for lines[n-1] != '\n' {
		n++
	}
	return n
}

// more tells whether there is work that nothing has to be waited for.
func (k *Keeper) more() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.o.Stored(k.o.Heard) {
		return false
	}
	first, recent := k.windowHour(), k.recentHour()
	for n := range k.around {
		if n.hour < recent {
			return true
		}
	}
	for _, s := range k.stations {
		if !s.loaded && s.last >= first || len(s.dirty.within(0, recent)) > 0 && k.o.Stored(k.heard) || k.summable(s) {
			return true
		}
	}
	return false
}
