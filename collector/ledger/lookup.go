package ledger

import "slices"

// maxSearchedHours is the number of partitions that are searched for the top of a series at its first fact. If there
// are more, because the fact is old, facts are looked up one by one until that has cost as much as the search would.
const maxSearchedHours = 4

// establish finds the top of a series that is not in memory: the latest fact in the hour of t or later, or the end of
// the hour before if there is none.
func (l *Ledger) establish(d *device, s *series, t int64) {
	hour := hourOf(t)
	later := l.currentCatalog().between(hour, lastHour)
	if len(later) > maxSearchedHours+int(s.lookups) {
		s.lookups++
		return
	}
	p := latest{entry: entry{time: hour*msPerHour - 1}}
	for c := s.cells; c != nil; c = c.next {
		p.observeAll(c.entries)
	}
	for i := len(later) - 1; i >= 0; i-- {
		if l.observePartition(&p, later[i].segments, d, s) {
			break
		}
	}
	s.top, s.print, s.sole = p.time, p.print, p.n == 1
}

// observePartition passes the facts of a series in an hour to p, and reports whether there were any.
func (l *Ledger) observePartition(p *latest, segments []*segment, d *device, s *series) bool {
	any := false
	for _, seg := range segments {
		entries, ok := l.entries(seg, d.name, s.name)
		any = any || ok
		for e, ok := entries.next(); ok; e, ok = entries.next() {
			p.observe(e)
		}
	}
	return any
}

// latest is the latest entry it has observed, and the number of fingerprints at its time.
type latest struct {
	entry
	n int
}

func (p *latest) observe(e entry) {
	switch {
	case e.time > p.time:
		p.entry, p.n = e, 1
	case e.time == p.time:
		p.n++
		p.print = e.print
	}
}

func (p *latest) observeAll(entries []entry) {
	for _, e := range entries {
		p.observe(e)
	}
}

// printsAt returns the number of fingerprints at e's time, and whether e's is among them. The search ends early if it
// is.
func (l *Ledger) printsAt(d *device, s *series, e entry) (n int, same bool) {
	hour := hourOf(e.time)
	if c := s.cell(hour); c != nil {
		at := c.at(e.time)
		n, same = len(at), slices.Contains(at, e)
	}
	for _, seg := range l.currentCatalog().segments(hour) {
		if same {
			break
		}
		entries, _ := l.entries(seg, d.name, s.name)
		for old, ok := entries.next(); ok && old.time <= e.time; old, ok = entries.next() {
			if old.time == e.time {
				n++
				same = same || old.print == e.print
			}
		}
	}
	return n, same
}

// hasPrintBetween reports whether the series has the fingerprint between two times, both inclusive.
func (l *Ledger) hasPrintBetween(d *device, s *series, print uint64, first, last int64) bool {
	for c := s.cells; c != nil; c = c.next {
		i, _ := slices.BinarySearchFunc(c.entries, first, compareTimes)
		for ; i < len(c.entries) && c.entries[i].time <= last; i++ {
			if c.entries[i].print == print {
				return true
			}
		}
	}
	for _, p := range l.currentCatalog().between(hourOf(first), hourOf(last)) {
		for _, seg := range p.segments {
			entries, _ := l.entries(seg, d.name, s.name)
			for e, ok := entries.next(); ok && e.time <= last; e, ok = entries.next() {
				if e.time >= first && e.print == print {
					return true
				}
			}
		}
	}
	return false
}

// entries returns the entries of a series in a segment, valid until the next call, and false if there are none or
// they can't be read.
func (l *Ledger) entries(seg *segment, device, series string) (entryReader, bool) {
	h, err := l.cache.get(seg)
	if err != nil {
		l.openFailed(seg, err)
		return entryReader{}, false
	}
	entries, ok, err := h.reader.series(device, series)
	if err != nil {
		l.readFailed(seg, err)
	}
	return entries, ok
}
