package ledger

import (
	"fmt"
	"maps"

	"nhip"
)

// Cell identifies a row of the ledger.
type Cell struct {
	Device string
	Hour   int64 // hours since 1970
}

// Outstanding is the ledger's view of the rows that are queued for the database, at one moment.
type Outstanding struct {
	Pending map[Cell]int64    // queued rows without an outcome; negative if more outcomes are counted than rows
	Marks   map[string][]byte // of the same moment
}

// Outstanding reads the whole ledger, which may take seconds. Updates continue meanwhile.
func (l *Ledger) Outstanding() (*Outstanding, error) {
	all, err := parseQuery(nhip.LedgerQuery{})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	v, at := l.lockedView(all), maps.Clone(l.marks)
	l.mu.Unlock()
	defer l.releaseView()
	p := &pager{l: l, query: all}
	out := &Outstanding{Pending: make(map[Cell]int64), Marks: at}
	for _, hour := range v.hours() {
		counts := v.tally[hour]
		err := p.eachDevice(hour, v.catalog.segments(hour), counts, func(name string, at []*cursor) (bool, error) {
			if n := sumOf(at, counts[name]).pending(); n != 0 {
				out.Pending[Cell{name, hour}] = n
			}
			return true, nil
		})
		if err != nil {
			return nil, fmt.Errorf("can't read hour %s of the ledger: %w", formatHour(hour), err)
		}
	}
	return out, nil
}

// sumOf returns the counts of a device on disk and in memory.
func sumOf(cursors []*cursor, inMemory *Counts) *Counts {
	sum := new(Counts)
	if inMemory != nil {
		sum.add(inMemory)
	}
	for _, c := range cursors {
		scanCounts(&scanner{b: c.at.counts}, sum)
	}
	return sum
}
