package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"nhip"
)

// Page answers a question about the ledger of the collector: the rows in the order of hour, then
// device, of disk and memory together. What an Update did is in it as a whole or not at all, whether
// or not a checkpoint is under way. The error is an *nhip.Error where the question is at fault.
func (b *Book) Page(q nhip.LedgerQuery, collector string) (nhip.LedgerPage, error) {
	asked, err := parseQuery(q)
	if err != nil {
		return nhip.LedgerPage{}, err
	}
	p := &pager{b: b, query: asked, collector: collector, page: nhip.LedgerPage{Rows: []nhip.LedgerRow{}}}
	v := b.look(asked)
	defer b.lookAway()
	for _, hour := range v.hours() {
		if err := p.readHour(hour, v.shelf.runs(hour), v.tally[hour]); err != nil {
			return nhip.LedgerPage{}, fmt.Errorf("can't read the ledger of %s: %w", formatHour(hour), err)
		}
		if p.done {
			break
		}
	}
	return p.page, nil
}

// view is the ledger at one moment, as far as it is asked for.
type view struct {
	shelf shelf
	tally tally
}

// look takes a view, whose files stay until lookAway.
func (b *Book) look(q *query) *view {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readers++
	v := &view{shelf: b.shelf.between(q.first, q.last), tally: tally{}}
	for _, t := range []tally{b.tally, b.writing} {
		v.tally.addAsked(t, q)
	}
	return v
}

func (b *Book) lookAway() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.readers--
}

// addAsked adds what is asked for of other.
func (t tally) addAsked(other tally, q *query) {
	for hour, devices := range other {
		if hour < q.first || hour > q.last {
			continue
		}
		for device, c := range devices {
			if q.matches(device) && q.behind(position{hour, device}) {
				t.at(device, hour).add(c)
			}
		}
	}
}

// hours returns the hours of which there is anything.
func (v *view) hours() []int64 {
	var hours []int64
	for _, p := range v.shelf {
		hours = append(hours, p.hour)
	}
	hours = slices.AppendSeq(hours, maps.Keys(v.tally))
	slices.Sort(hours)
	return slices.Compact(hours)
}

// pager fills a page.
type pager struct {
	*query
	b         *Book
	collector string
	page      nhip.LedgerPage
	last      position // that was looked at
	lastRow   position
	scanned   int
	done      bool
}

// readHour adds the rows of an hour.
func (p *pager) readHour(hour int64, runs []*run, counts map[string]*Counts) (err error) {
	var cursors []*cursor
	for _, r := range runs {
		c, f, e := p.open(r)
		if f != nil {
			defer func() { err = errors.Join(err, f.Close()) }()
		}
		if e != nil {
			return e
		}
		if c != nil {
			cursors = append(cursors, c)
		}
	}
	others := slices.Sorted(maps.Keys(counts))
	return eachDevice(cursors, others, func(name string, at []*cursor) (bool, error) {
		return p.add(position{hour, name}, at, counts[name]), nil
	})
}

// open opens a run at the first device that may be asked for; the cursor is nil for one that is
// damaged as a whole.
func (p *pager) open(r *run) (*cursor, file, error) {
	f, reader, err := openRun(p.b.files, r)
	if err != nil {
		p.b.cantOpen(r, err)
		if isDamage(err) {
			return nil, nil, nil
		}
		return nil, nil, err
	}
	c := &cursor{reader: reader, report: func(err error) { p.b.cantRead(r, err) }}
	return c, f, c.seek(p.start(r.hour))
}

// add adds the row of a device, if it is asked for, and returns whether the hour may hold more. A
// page that is full is only left when there is a row behind it.
func (p *pager) add(at position, cursors []*cursor, inMemory *Counts) (more bool) {
	switch {
	case p.whole && at.device > p.device:
		return false
	case p.scanned == maxScanned:
		return p.end(p.last)
	}
	p.scanned++
	if p.matches(at.device) && p.behind(at) {
		row := p.row(at, cursors, inMemory)
		if row == nil {
			return true
		}
		if len(p.page.Rows) == p.limit {
			return p.end(p.lastRow)
		}
		p.page.Rows = append(p.page.Rows, *row)
		p.lastRow = at
	}
	p.last = at
	return true
}

// end ends the page behind a position.
func (p *pager) end(at position) bool {
	p.page.Next = at.String()
	p.done = true
	return false
}

// row returns what was counted, nil when that is nothing.
func (p *pager) row(at position, cursors []*cursor, inMemory *Counts) *nhip.LedgerRow {
	sum := new(Counts)
	if inMemory != nil {
		sum.add(inMemory)
	}
	for _, c := range cursors {
		scanCounts(&scanner{b: c.at.counts}, sum)
	}
	if sum.empty() {
		return nil
	}
	row := sum.row(p.collector, at.device, at.hour)
	if !row.Balanced() {
		p.b.unbalanced.Add(1)
	}
	return &row
}
