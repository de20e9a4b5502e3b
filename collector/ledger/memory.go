package ledger

import (
	"math"
	"slices"
	"strings"
)

// unknown is the top of a series of which nothing was established yet.
const unknown = math.MaxInt64

// device is what memory holds of a device.
type device struct {
	name   string
	series []series
	used   int64 // the book's hour when it last spoke
}

// series is what memory holds of a series. All that is remembered of it, here or on disk, lies at
// its top or before.
type series struct {
	name  string
	top   int64  // ms, or unknown
	print uint64 // the one that is remembered at top, when sole
	cells *cell  // the hours with facts that no checkpoint holds yet; the last used is the first
	asked uint16 // how often disk was asked while top is unknown
	sole  bool   // exactly one print is remembered at top
}

// cell is the facts of a series and hour that no checkpoint holds yet, in the order of time.
type cell struct {
	hour    int64
	next    *cell
	device  *device
	series  int32
	entries []entry
}

// keptEntries is the most entries that a cell keeps room for when it is reused.
const keptEntries = 1 << 10

// find returns the device and the place of the series in it, which it makes if need be.
func (b *Book) find(name, seriesName string) (*device, int) {
	d := b.devices[name]
	if d == nil {
		d = &device{name: strings.Clone(name)}
		b.devices[d.name] = d
		b.known.Add(1)
	}
	d.used = b.now
	for i := range d.series {
		if d.series[i].name == seriesName {
			return d, i
		}
	}
	d.series = append(d.series, series{name: strings.Clone(seriesName), top: unknown})
	return d, len(d.series) - 1
}

// cell returns the series' cell of an hour, nil when there is none, and makes it the first.
func (s *series) cell(hour int64) *cell {
	var before *cell
	for c := s.cells; c != nil; before, c = c, c.next {
		if c.hour != hour {
			continue
		}
		if before != nil {
			before.next, c.next, s.cells = c.next, s.cells, c
		}
		return c
	}
	return nil
}

// remember keeps a fact until the next checkpoint.
func (b *Book) remember(d *device, i int, e entry) {
	s := &d.series[i]
	hour := hourOf(e.time)
	c := s.cell(hour)
	if c == nil {
		c = b.newCell()
		c.hour, c.device, c.series = hour, d, int32(i)
		c.next, s.cells = s.cells, c
		b.cells = append(b.cells, c)
	}
	c.insert(e)
	s.rise(e)
	b.unsaved.Add(1)
}

// insert keeps the order of time.
func (c *cell) insert(e entry) {
	n := len(c.entries)
	if n == 0 || c.entries[n-1].time < e.time {
		c.entries = append(c.entries, e)
		return
	}
	i, _ := slices.BinarySearchFunc(c.entries, e, compareEntries)
	c.entries = slices.Insert(c.entries, i, e)
}

// at returns the entries of one moment.
func (c *cell) at(t int64) []entry {
	i, _ := slices.BinarySearchFunc(c.entries, t, compareTimes)
	j := i
	for j < len(c.entries) && c.entries[j].time == t {
		j++
	}
	return c.entries[i:j]
}

// rise keeps the top true when e is remembered.
func (s *series) rise(e entry) {
	switch {
	case s.top == unknown:
	case e.time > s.top:
		s.top, s.print, s.sole = e.time, e.print, true
	case e.time == s.top:
		s.sole = false
	}
}

func (b *Book) newCell() *cell {
	if n := len(b.spare); n > 0 {
		c := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return c
	}
	return &cell{}
}

// clearCells forgets the facts that a checkpoint now holds.
func (b *Book) clearCells() {
	for _, c := range b.cells {
		c.device.series[c.series].cells = nil
		*c = cell{entries: c.entries[:0]}
		if cap(c.entries) > keptEntries {
			c.entries = nil
		}
	}
	b.spare, b.cells = b.cells, b.spare[:0]
	b.unsaved.Store(0)
}

// evict drops devices that have been silent for idleHours, once for each hour. Disk knows all that
// they said.
func (b *Book) evict(hour int64) {
	if hour == b.now {
		return
	}
	b.now = hour
	for name, d := range b.devices {
		if hour-d.used > idleHours && !d.unsaved() {
			delete(b.devices, name)
		}
	}
	b.known.Store(int64(len(b.devices)))
}

func (d *device) unsaved() bool {
	return slices.ContainsFunc(d.series, func(s series) bool { return s.cells != nil })
}
