package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"nhip"
)

// Page returns rows of the ledger from disk and memory together, sorted by hour, then device. It contains each Update
// completely or not at all, also while a checkpoint is in progress. An invalid query returns an *nhip.Error.
func (l *Ledger) Page(q nhip.LedgerQuery, collector string) (nhip.LedgerPage, error) {
	query, err := parseQuery(q)
	if err != nil {
		return nhip.LedgerPage{}, err
	}
	p := &pager{l: l, query: query, collector: collector, page: nhip.LedgerPage{Rows: []nhip.LedgerRow{}}}
	v := l.acquireView(query)
	defer l.releaseView()
	for _, hour := range v.hours() {
		if err := p.readHour(hour, v.catalog.segments(hour), v.tally[hour]); err != nil {
			return nhip.LedgerPage{}, fmt.Errorf("can't read hour %s of the ledger: %w", formatHour(hour), err)
		}
		if p.done {
			break
		}
	}
	return p.page, nil
}

// view is the part of the ledger that a query selects, at one moment.
type view struct {
	catalog catalog
	tally   tally
}

// acquireView returns a view. Its files are not removed before releaseView.
func (l *Ledger) acquireView(q *query) *view {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lockedView(q)
}

// lockedView is acquireView for a caller that holds mu.
func (l *Ledger) lockedView(q *query) *view {
	l.readers++
	v := &view{catalog: l.catalog.between(q.first, q.last), tally: tally{}}
	for _, t := range []tally{l.tally, l.writing} {
		v.tally.addMatching(t, q)
	}
	return v
}

func (l *Ledger) releaseView() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers--
}

// addMatching adds the counts of other that match a query.
func (t tally) addMatching(other tally, q *query) {
	for hour, devices := range other {
		if hour < q.first || hour > q.last {
			continue
		}
		for device, c := range devices {
			if q.matches(device) && q.isAfter(position{hour, device}) {
				t.at(device, hour).add(c)
			}
		}
	}
}

// hours returns the hours with data, sorted.
func (v *view) hours() []int64 {
	var hours []int64
	for _, p := range v.catalog {
		hours = append(hours, p.hour)
	}
	hours = slices.AppendSeq(hours, maps.Keys(v.tally))
	slices.Sort(hours)
	return slices.Compact(hours)
}

// pager fills a page.
type pager struct {
	*query
	l         *Ledger
	collector string
	page      nhip.LedgerPage
	last      position // the last one scanned
	lastRow   position
	scanned   int
	done      bool
}

// readHour adds the rows of an hour.
func (p *pager) readHour(hour int64, segments []*segment, counts map[string]*Counts) error {
	return p.eachDevice(hour, segments, counts, func(name string, at []*cursor) (bool, error) {
		return p.add(position{hour, name}, at, counts[name]), nil
	})
}

// eachDevice calls f for each device of an hour, on disk or in memory, until it returns false.
func (p *pager) eachDevice(
	hour int64, segments []*segment, counts map[string]*Counts, f func(name string, at []*cursor) (bool, error),
) (err error) {
	var cursors []*cursor
	for _, seg := range segments {
		c, opened, e := p.open(seg)
		if opened != nil {
			defer func() { err = errors.Join(err, opened.Close()) }()
		}
		if e != nil {
			return e
		}
		if c != nil {
			cursors = append(cursors, c)
		}
	}
	others := slices.Sorted(maps.Keys(counts))
	return eachDevice(cursors, others, f)
}

// open opens a segment at the first device that may match. The cursor is nil if the segment as a whole is damaged.
func (p *pager) open(seg *segment) (*cursor, file, error) {
	f, reader, err := openSegmentFile(p.l.files, seg)
	if err != nil {
		p.l.openFailed(seg, err)
		if isDamage(err) {
			return nil, nil, nil
		}
		return nil, nil, err
	}
	c := &cursor{reader: reader, report: func(err error) { p.l.readFailed(seg, err) }}
	return c, f, c.seek(p.start(seg.hour))
}

// add adds the row of a device if it matches, and reports whether to continue with the hour. A full page ends only
// when another row follows, so that Next is empty on the last page.
func (p *pager) add(at position, cursors []*cursor, inMemory *Counts) (more bool) {
	switch {
	case p.fullName && at.device > p.device:
		return false
	case p.scanned == maxScanned:
		return p.end(p.last)
	}
	p.scanned++
	if p.matches(at.device) && p.isAfter(at) {
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

// end ends the page: the next one continues after the position.
func (p *pager) end(at position) bool {
	p.page.Next = at.String()
	p.done = true
	return false
}

// row returns the row of a device and hour, or nil if all counts are 0.
func (p *pager) row(at position, cursors []*cursor, inMemory *Counts) *nhip.LedgerRow {
	sum := sumOf(cursors, inMemory)
	if sum.empty() {
		return nil
	}
	row := sum.row(p.collector, at.device, at.hour)
	if !row.Balanced() {
		p.l.unbalanced.Add(1)
	}
	return &row
}
