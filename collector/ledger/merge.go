package ledger

import (
	"errors"
	"slices"
	"strings"
)

// merge replaces the segments of a job by one.
func (l *Ledger) merge(j *mergeJob) error {
	m := merge{l: l, job: j}
	merged, err := m.write()
	if err = errors.Join(err, m.close()); err != nil {
		return err
	}
	if err := l.files.syncDir(l.dir); err != nil {
		return err
	}
	for _, seg := range j.segments {
		l.cache.evict(seg)
	}
	l.replace(j.segments, merged)
	return l.sweep()
}

// replace replaces segments in the catalog by the merged one. Their files are removed once no page reads them.
func (l *Ledger) replace(old []*segment, merged *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.catalog = l.catalog.change(old, []*segment{merged})
	for _, seg := range old {
		if seg.path != merged.path {
			l.obsolete = append(l.obsolete, seg)
		}
	}
}

// merge is a merge in progress.
type merge struct {
	l       *Ledger
	job     *mergeJob
	files   []file
	cursors []*cursor
	facts   factSet
}

// write writes the merged segment.
func (m *merge) write() (*segment, error) {
	h := &header{span: union(m.job.segments)}
	for _, seg := range m.job.segments {
		if err := m.open(seg, h); err != nil {
			return nil, err
		}
	}
	return m.l.writeSegment(h, func(w *segmentWriter) error {
		return eachDevice(m.cursors, nil, func(name string, at []*cursor) (bool, error) {
			return true, m.add(w, name, at)
		})
	})
}

// union returns the span of consecutive segments of an hour.
func union(segments []*segment) span {
	return span{segments[0].hour, segments[0].first, segments[len(segments)-1].last}
}

// open opens a segment and copies its marks to the header. Segments are opened in order, so the newest marks remain.
func (m *merge) open(seg *segment, h *header) error {
	f, reader, err := openSegmentFile(m.l.files, seg)
	if err != nil {
		m.l.openFailed(seg, err)
		return err
	}
	m.files = append(m.files, f)
	head, err := readHeader(f, reader.foot.size)
	if err != nil {
		m.l.readFailed(seg, err)
		return err
	}
	h.marks = head.marks
	c := &cursor{reader: reader, report: func(err error) { m.l.readFailed(seg, err) }}
	m.cursors = append(m.cursors, c)
	return c.step()
}

func (m *merge) close() error {
	var err error
	for _, f := range m.files {
		err = errors.Join(err, f.Close())
	}
	return err
}

// add adds a device with the sum of its counts and its facts from all segments.
func (m *merge) add(w *segmentWriter, name string, at []*cursor) error {
	sum := new(Counts)
	m.facts.reset()
	for _, c := range at {
		scanCounts(&scanner{b: c.at.counts}, sum)
		if m.job.dropFacts {
			continue
		}
		if err := m.facts.read(c); err != nil {
			return err
		}
	}
	facts := m.facts.sorted()
	if len(facts) == 0 && sum.empty() {
		return nil
	}
	if m.job.wholeHour && !sum.balanced() {
		m.l.unbalanced.Add(1)
	}
	w.add(name, sum, facts)
	return w.err
}

// factSet holds the facts of a device from several segments.
type factSet struct {
	series []seriesEntries // elements beyond its length keep their memory for reuse
}

func (s *factSet) reset() { s.series = s.series[:0] }

// read adds the facts of the cursor's current device. Damaged facts are reported and skipped.
func (s *factSet) read(c *cursor) error {
	section, err := c.reader.section(&c.at)
	if err != nil && !isDamage(err) {
		return err
	}
	if err != nil {
		c.report(err)
	}
	for len(section.b) > 0 {
		name, entries := scanSeries(&section, c.reader.start)
		if section.bad {
			c.report(damaged("facts"))
			return nil
		}
		to := s.of(name)
		for e, ok := entries.next(); ok; e, ok = entries.next() {
			to.entries = append(to.entries, e)
		}
	}
	return nil
}

// of returns the entries of a series, and creates them if needed.
func (s *factSet) of(name []byte) *seriesEntries {
	for i := range s.series {
		if s.series[i].name == string(name) {
			return &s.series[i]
		}
	}
	n := len(s.series)
	s.series = slices.Grow(s.series, 1)[:n+1]
	s.series[n].name, s.series[n].entries = string(name), s.series[n].entries[:0]
	return &s.series[n]
}

// sorted returns the facts in the order of a segment.
func (s *factSet) sorted() []seriesEntries {
	slices.SortFunc(s.series, func(a, b seriesEntries) int { return strings.Compare(a.name, b.name) })
	for i := range s.series {
		s.series[i].entries = sortUnique(s.series[i].entries)
	}
	return s.series
}
