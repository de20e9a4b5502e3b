package air

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/fault"
	"nhip/geo/qc"
	"nhip/internal/influx"
	"nhip/internal/wait"
)

// comparer compares the monitors of the network. Only its goroutine uses it.
type comparer struct {
	p        *Processor
	hours    map[int64][]comparedHour // of the last window, as they are in the database
	accepted map[string]*acceptedBias // by review id
	notOpen  time.Time                // when the newest hours may be compared again
	logged   time.Time
}

// comparedHour is an hour of one quantity at one monitor.
type comparedHour struct {
	station  *station
	quantity nhip.Quantity
	hour     fault.Hour
	result   qc.Result // of the last comparison
}

func newComparer(p *Processor) *comparer {
	return &comparer{p: p, hours: make(map[int64][]comparedHour), accepted: make(map[string]*acceptedBias)}
}

// run does all comparisons that are due.
func (c *comparer) run(ctx context.Context) {
	p := c.p
	for ctx.Err() == nil {
		j, ok := c.take()
		if !ok {
			return
		}
		start := time.Now()
		var err error
		done := false
		p.guard("comparison", "", func() { err, done = c.compare(ctx, &j), true }, func() { p.comparison.working = nil })
		if done {
			c.finish(&j, err)
		}
		if err != nil {
			if ctx.Err() == nil && time.Since(c.logged) >= logEvery {
				c.logged = time.Now()
				p.log.Warn("database unavailable; the comparison of monitors is retried", "error", err)
			}
			_ = wait.Sleep(ctx, retryAfter)
			continue
		}
		took := time.Since(start)
		switch {
		case p.pause == 0:
		case j.open:
			c.postpone(p.pause + (comparisonShare-1)*took)
		case wait.Sleep(ctx, took) != nil: // others need the database, too
			return
		}
	}
}

// postpone makes the next comparison of the newest hours wait.
func (c *comparer) postpone(d time.Duration) {
	c.notOpen = time.Now().Add(d)
	time.AfterFunc(d, func() { wake(c.p.wakeCompare) })
}

// take takes the next job. Hours whose roll-ups are not in the database yet wait. While old hours are still to be
// summed up, only the newest ones are compared, so that a network that is imported station by station is compared as a
// whole.
func (c *comparer) take() (comparisonJob, bool) {
	p := c.p
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.o.Stored(p.o.LastRecord) {
		return comparisonJob{}, false
	}
	recent := p.recentHour()
	var unstored spans
	backlog := false
	for _, s := range p.all {
		unstored = unstored.addAll(s.working).addAll(s.refilling).addAll(s.sending).addAll(s.inFlight)
		backlog = backlog || len(s.refilling) > 0 || len(s.dirty.within(0, recent)) > 0
	}
	ready := p.comparison.changed.without(unstored)
	if backlog {
		ready = ready.within(recent, math.MaxInt64)
	}
	for _, x := range ready {
		for h := x.From; h < x.To && len(c.hours) > 0; h++ {
			delete(c.hours, h)
		}
	}
	c.forgetAccepted(ready)
	p.comparison.expand(ready)
	j, ok := p.comparison.take(backlog, !time.Now().Before(c.notOpen))
	j.all = p.all[:len(p.all):len(p.all)]
	return j, ok
}

// finish ends a job. After an error its blocks are compared again.
func (c *comparer) finish(j *comparisonJob, err error) {
	p := c.p
	p.mu.Lock()
	defer p.mu.Unlock()
	p.comparison.working = nil
	if err != nil {
		p.comparison.blocks = p.comparison.blocks.addAll(j.blocks)
	}
}

// compare makes the checks of a job, and marks the hours whose result changed to be assessed again.
func (c *comparer) compare(ctx context.Context, j *comparisonJob) error {
	accepted, err := c.acceptedBiases(ctx, j)
	if err != nil {
		return err
	}
	if err := c.read(ctx, j); err != nil {
		return err
	}
	w, members := c.window(j)
	for i, s := range members.all {
		w.Monitors[i].Accepted = accepted[s]
	}
	flags, found := fault.Assess(w, c.p.rules, int(j.from-j.first), int(j.to-j.first))
	c.apply(j, members, flags)
	if j.open {
		c.publish(w, members, &found)
	}
	return nil
}

// read reads the hours of a window that are not known yet, and forgets those outside.
func (c *comparer) read(ctx context.Context, j *comparisonJob) error {
	for h := range c.hours {
		if h < j.first || h >= j.end {
			delete(c.hours, h)
		}
	}
	stations := make(map[string]*station, len(j.all))
	for _, s := range j.all {
		stations[s.id] = s
	}
	for from := j.first; from < j.end; {
		if _, known := c.hours[from]; known {
			from++
			continue
		}
		to := from
		for ; to < min(j.end, from+fault.BlockHours); to++ { // no query is long
			if _, known := c.hours[to]; known {
				break
			}
		}
		if err := c.readSpan(ctx, stations, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// readSpan reads the hours from one, inclusive, to another, exclusive.
func (c *comparer) readSpan(ctx context.Context, stations map[string]*station, from, to int64) error {
	hours := make(map[int64][]comparedHour, to-from)
	for h := from; h < to; h++ {
		hours[h] = nil
	}
	q := influx.RollupQuery{
		Period: nhip.PeriodHour, Quality: nhip.QualityRaw,
		From: time.UnixMilli(startOf(from)).UTC(), To: time.UnixMilli(endOf(to - 1)).UTC(),
	}
	err := c.p.o.History.Rollups(ctx, q, func(r influx.RollupRow) error {
		s, h := stations[r.Station], hourOf(r.Time.UnixMilli())
		if s == nil || !fault.Compares(r.Quantity) {
			return nil // a new station's hours are marked, too
		}
		hours[h] = append(hours[h], comparedHour{
			station: s, quantity: r.Quantity, result: networkResult(r.Network.Tests), hour: fault.Hour{
				Value: r.Network.Typical.Or(math.NaN()), Roughness: r.Network.Roughness.Or(math.NaN()),
				Constant: fault.IsConstant(r.Count, r.Min, r.Max),
			},
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("can't read the hours of all stations: %w", err)
	}
	for h, rows := range hours {
		c.hours[h] = rows
	}
	return nil
}

// changedResults are the hours of one station whose result changed.
type changedResults struct {
	results map[quantityHour]qc.Result
	hours   []int64
}

// apply marks the hours whose result changed to be assessed again.
func (c *comparer) apply(j *comparisonJob, members *comparedStations, flags fault.Flags) {
	all := make(map[*station]*changedResults)
	for h := j.from; h < j.to; h++ {
		rows := c.hours[h]
		for k := range rows {
			row := &rows[k]
			i, ok := members.at(row.station, h)
			if !ok {
				continue
			}
			result := flags[i][row.quantity][h-j.from]
			if result == row.result {
				continue
			}
			row.result = result
			s := all[row.station]
			if s == nil {
				s = &changedResults{results: make(map[quantityHour]qc.Result)}
				all[row.station] = s
			}
			s.results[quantityHour{row.quantity, h}] = result
			s.hours = append(s.hours, h)
		}
	}
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	recent := c.p.recentHour()
	for s, x := range all {
		for n, r := range x.results {
			s.networkResults[n] = r
			if n.hour >= recent {
				s.assessFrom = min(s.assessFrom, startOf(n.hour))
			}
		}
		hours := spansOf(x.hours)
		s.compared = s.compared.addAll(hours.without(s.dirty))
		s.dirty = s.dirty.addAll(hours)
	}
	if len(all) > 0 {
		c.p.signal()
	}
}

// publish keeps the faults of the newest window, to be published with their stations.
func (c *comparer) publish(w *fault.Window, members *comparedStations, found *fault.Result) {
	faults, unvouched := make(map[*station][]nhip.MonitorFault), make(map[*station][]nhip.Quantity)
	for _, f := range found.Faults {
		s := members.all[f.Monitor]
		out := publicFault(w, &f)
		out.Open = out.Open && !s.earlier
		faults[s.station] = appendFault(faults[s.station], out)
	}
	for i, s := range members.all {
		if !s.earlier {
			all := newestFaults(faults[s.station])
			slices.SortStableFunc(all, func(a, b nhip.MonitorFault) int { return cmp.Compare(a.Quantity, b.Quantity) })
			faults[s.station] = all
			unvouched[s.station] = found.Unvouched(w, i)
		}
	}
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	first := !c.p.faultsKnown // what was published before a restart may be over
	c.p.faultsKnown = true
	for s := range unvouched {
		if !first && slices.Equal(s.faults, faults[s]) && slices.Equal(s.unvouched, unvouched[s]) {
			continue
		}
		s.faults, s.unvouched, s.republish = faults[s], unvouched[s], true
	}
	wake(c.p.wakeRecent)
}
