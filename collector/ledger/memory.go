package ledger

import (
	"math"
	"slices"
	"strings"
)

// unknown is the top of a series before establish has found it.
const unknown = math.MaxInt64

// device is the state of a device in memory.
type device struct {
	name     string
	series   []series
	lastHour int64 // Ledger.now at its last fact
}

// series is the state of a series in memory. No remembered fact of it, in memory or on disk, is later than top.
type series struct {
	name    string
	top     int64  // ms, or unknown
	print   uint64 // the fingerprint at top, if sole
	cells   *cell  // list of the hours with facts that are not in a checkpoint yet, most recently used first
	lookups uint16 // number of lookups on disk while top is unknown
	sole    bool   // exactly one fingerprint is remembered at top
}

// cell holds the facts of a series and hour that are not in a checkpoint yet, sorted by time.
type cell struct {
	hour    int64
	next    *cell
	device  *device
	series  int32
	entries []entry
}

// maxReusedEntries is the largest capacity that a cell keeps for reuse.
const maxReusedEntries = 1 << 10

// find returns the device and the index of the series in it, and creates both if needed.
func (l *Ledger) find(name, seriesName string) (*device, int) {
	d := l.devices[name]
	if d == nil {
		d = &device{name: strings.Clone(name)}
		l.devices[d.name] = d
		l.deviceCount.Add(1)
	}
	d.lastHour = l.now
	for i := range d.series {
		if d.series[i].name == seriesName {
			return d, i
		}
	}
	d.series = append(d.series, series{name: strings.Clone(seriesName), top: unknown})
	return d, len(d.series) - 1
}

// cell moves the cell of an hour to the front of the list and returns it, or nil if there is none.
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

// remember stores a fact for the next checkpoint.
func (l *Ledger) remember(d *device, i int, e entry) {
	s := &d.series[i]
	hour := hourOf(e.time)
	c := s.cell(hour)
	if c == nil {
		c = l.newCell()
		c.hour, c.device, c.series = hour, d, int32(i)
		c.next, s.cells = s.cells, c
		l.cells = append(l.cells, c)
	}
	c.insert(e)
	s.updateTop(e)
	l.unsaved.Add(1)
}

// insert adds an entry in the order of time.
func (c *cell) insert(e entry) {
	n := len(c.entries)
	if n == 0 || c.entries[n-1].time < e.time {
		c.entries = append(c.entries, e)
		return
	}
	i, _ := slices.BinarySearchFunc(c.entries, e, compareEntries)
	c.entries = slices.Insert(c.entries, i, e)
}

// at returns the entries at one time.
func (c *cell) at(t int64) []entry {
	i, _ := slices.BinarySearchFunc(c.entries, t, compareTimes)
	j := i
	for j < len(c.entries) && c.entries[j].time == t {
		j++
	}
	return c.entries[i:j]
}

// updateTop updates top after e was added.
func (s *series) updateTop(e entry) {
	switch {
	case s.top == unknown:
	case e.time > s.top:
		s.top, s.print, s.sole = e.time, e.print, true
	case e.time == s.top:
		s.sole = false
	}
}

func (l *Ledger) newCell() *cell {
	if n := len(l.spare); n > 0 {
		c := l.spare[n-1]
		l.spare = l.spare[:n-1]
		return c
	}
	return &cell{}
}

// clearCells removes the facts that are in a checkpoint now from memory.
func (l *Ledger) clearCells() {
	for _, c := range l.cells {
		c.device.series[c.series].cells = nil
		*c = cell{entries: c.entries[:0]}
		if cap(c.entries) > maxReusedEntries {
			c.entries = nil
		}
	}
	l.spare, l.cells = l.cells, l.spare[:0]
	l.unsaved.Store(0)
}

// evict drops devices without a fact for idleHours, at most once an hour. Their facts are on disk.
func (l *Ledger) evict(hour int64) {
	if hour == l.now {
		return
	}
	l.now = hour
	for name, d := range l.devices {
		if hour-d.lastHour > idleHours && !d.unsaved() {
			delete(l.devices, name)
		}
	}
	l.deviceCount.Store(int64(len(l.devices)))
}

func (d *device) unsaved() bool {
	return slices.ContainsFunc(d.series, func(s series) bool { return s.cells != nil })
}
