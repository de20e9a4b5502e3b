package ledger

import (
	"errors"
	"slices"
	"strings"
)

// do makes one run of a job's runs and puts it in their place.
func (b *Book) do(j *job) error {
	m := merge{b: b, job: j}
	merged, err := m.write()
	if err = errors.Join(err, m.close()); err != nil {
		return err
	}
	if err := b.files.syncDir(b.dir); err != nil {
		return err
	}
	for _, r := range j.runs {
		b.hands.drop(r)
	}
	b.replace(j.runs, merged)
	return b.sweep()
}

// replace puts a merged run on the shelf in place of others, whose files are removed when no page
// reads them.
func (b *Book) replace(old []*run, merged *run) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shelf = b.shelf.change(old, []*run{merged})
	for _, r := range old {
		if r.path != merged.path {
			b.doomed = append(b.doomed, r)
		}
	}
}

// merge is a merge of runs that is under way.
type merge struct {
	b       *Book
	job     *job
	files   []file
	cursors []*cursor
	facts   factSet
}

// write writes the merged run.
func (m *merge) write() (*run, error) {
	h := &header{span: union(m.job.runs)}
	for _, r := range m.job.runs {
		if err := m.open(r, h); err != nil {
			return nil, err
		}
	}
	return m.b.writeRun(h, func(w *runWriter) error {
		return eachDevice(m.cursors, nil, func(name string, at []*cursor) (bool, error) {
			return true, m.add(w, name, at)
		})
	})
}

// union returns the span of runs of an hour that follow one another.
func union(runs []*run) span {
	return span{runs[0].hour, runs[0].first, runs[len(runs)-1].last}
}

// open opens a run and takes its marks over, which leaves those of the newest.
func (m *merge) open(r *run, h *header) error {
	f, reader, err := openRun(m.b.files, r)
	if err != nil {
		m.b.cantOpen(r, err)
		return err
	}
	m.files = append(m.files, f)
	head, err := readHeader(f, reader.foot.size)
	if err != nil {
		m.b.cantRead(r, err)
		return err
	}
	h.marks = head.marks
	c := &cursor{reader: reader, report: func(err error) { m.b.cantRead(r, err) }}
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

// add adds what the cursors hold of a device.
func (m *merge) add(w *runWriter, name string, at []*cursor) error {
	sum := new(Counts)
	m.facts.reset()
	for _, c := range at {
		scanCounts(&scanner{b: c.at.counts}, sum)
		if m.job.forget {
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
	if m.job.whole && !sum.balanced() {
		m.b.unbalanced.Add(1)
	}
	w.add(name, sum, facts)
	return w.err
}

// factSet is a device's facts from several runs.
type factSet struct {
	series []seriesEntries // its elements behind the end keep their room
}

func (s *factSet) reset() { s.series = s.series[:0] }

// read adds the facts of the device at which a cursor stands. Damaged ones are reported and left out.
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

// of returns the entries of a series, which are made if need be.
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

// sorted returns the facts in the order of a run.
func (s *factSet) sorted() []seriesEntries {
	slices.SortFunc(s.series, func(a, b seriesEntries) int { return strings.Compare(a.name, b.name) })
	for i := range s.series {
		s.series[i].entries = unite(s.series[i].entries)
	}
	return s.series
}
