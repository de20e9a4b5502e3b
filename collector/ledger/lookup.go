package ledger

import "slices"

// establishAtOnce is how many partitions are searched for the top of a series as soon as it speaks.
// Where there are more, because what it says is old, its facts are looked up one by one until that
// has cost as much as the search would.
const establishAtOnce = 4

// establish finds the top of a series that is not in memory: the latest that disk holds of it in the
// hour of t or later, or else that there is nothing from that hour on.
func (b *Book) establish(d *device, s *series, t int64) {
	hour := hourOf(t)
	later := b.onShelf().between(hour, lastHour)
	if len(later) > establishAtOnce+int(s.asked) {
		s.asked++
		return
	}
	p := peak{entry: entry{time: hour*msPerHour - 1}}
	for c := s.cells; c != nil; c = c.next {
		p.seeAll(c.entries)
	}
	for i := len(later) - 1; i >= 0; i-- {
		if b.seePartition(&p, later[i].runs, d, s) {
			break
		}
	}
	s.top, s.print, s.sole = p.time, p.print, p.n == 1
}

// seePartition shows a series' facts of an hour to p, and returns whether there were any.
func (b *Book) seePartition(p *peak, runs []*run, d *device, s *series) bool {
	any := false
	for _, r := range runs {
		entries, ok := b.entries(r, d.name, s.name)
		any = any || ok
		for e, ok := entries.next(); ok; e, ok = entries.next() {
			p.see(e)
		}
	}
	return any
}

// peak is the latest of the entries that it saw, and how many prints there are at that time.
type peak struct {
	entry
	n int
}

func (p *peak) see(e entry) {
	switch {
	case e.time > p.time:
		p.entry, p.n = e, 1
	case e.time == p.time:
		p.n++
		p.print = e.print
	}
}

func (p *peak) seeAll(entries []entry) {
	for _, e := range entries {
		p.see(e)
	}
}

// printsAt returns how many prints are remembered at e's time, and whether e's is among them.
func (b *Book) printsAt(d *device, s *series, e entry) (n int, same bool) {
	hour := hourOf(e.time)
	if c := s.cell(hour); c != nil {
		at := c.at(e.time)
		n, same = len(at), slices.Contains(at, e)
	}
	for _, r := range b.onShelf().runs(hour) {
		if same {
			break
		}
		entries, _ := b.entries(r, d.name, s.name)
		for old, ok := entries.next(); ok && old.time <= e.time; old, ok = entries.next() {
			if old.time == e.time {
				n++
				same = same || old.print == e.print
			}
		}
	}
	return n, same
}

// saidBetween reports whether the series has a print between two times, both included.
func (b *Book) saidBetween(d *device, s *series, print uint64, first, last int64) bool {
	for c := s.cells; c != nil; c = c.next {
		i, _ := slices.BinarySearchFunc(c.entries, first, compareTimes)
		for ; i < len(c.entries) && c.entries[i].time <= last; i++ {
			if c.entries[i].print == print {
				return true
			}
		}
	}
	for _, p := range b.onShelf().between(hourOf(first), hourOf(last)) {
		for _, r := range p.runs {
			entries, _ := b.entries(r, d.name, s.name)
			for e, ok := entries.next(); ok && e.time <= last; e, ok = entries.next() {
				if e.time >= first && e.print == print {
					return true
				}
			}
		}
	}
	return false
}

// entries returns what a run holds of a series, good until the next call, and false when that is
// nothing, or can't be read.
func (b *Book) entries(r *run, device, series string) (entryReader, bool) {
	h, err := b.hands.take(r)
	if err != nil {
		b.cantOpen(r, err)
		return entryReader{}, false
	}
	entries, ok, err := h.reader.series(device, series)
	if err != nil {
		b.cantRead(r, err)
	}
	return entries, ok
}
