package air

import "nhip/geo/fault"

// comparison is the work that remains for the comparison of monitors. Processor.mu protects it.
//
// The flags of an hour are a pure function of the hours in the window that fault.WindowOf gives it, which ends some
// days after it, or with the newest hour that any monitor has. So neither the order nor the number of late readings
// changes them, and one pass over the windows that contain a changed hour is all that it takes: flags are no input.
type comparison struct {
	changed spans // hours whose values changed
	blocks  spans // blocks of hours to be compared again; a span of blocks, not of hours
	working spans // blocks in progress
	oldest  int64 // oldest hour with values; 0: none
	newest  int64 // newest hour with values; 0: none
	seen    span  // oldest and newest hour of the last comparison, both inclusive
}

// storedComparison is a comparison in stateFile.
type storedComparison struct {
	Hours  spans `json:"hours,omitempty"`
	Blocks spans `json:"blocks,omitempty"`
	Oldest int64 `json:"oldest,omitempty"`
	Newest int64 `json:"newest,omitempty"`
	Seen   span  `json:"seen,omitzero"`
}

// mark adds hours whose values changed, and that have ended.
func (c *comparison) mark(hours spans) {
	c.changed = c.changed.addAll(hours)
	if n := len(hours); n > 0 {
		c.newest = max(c.newest, hours[n-1].To-1)
		if c.oldest == 0 || hours[0].From < c.oldest {
			c.oldest = hours[0].From
		}
	}
}

// markFrom marks all hours from one on to be compared again.
func (c *comparison) markFrom(hour int64) {
	if c.newest != 0 {
		c.changed = c.changed.add(max(hour, c.oldest), c.newest+1)
	}
}

// hours returns the number of hours that remain.
func (c *comparison) hours() int64 {
	return c.changed.hours() + fault.BlockHours*c.blocks.addAll(c.working).hours()
}

func (c *comparison) stored() storedComparison {
	return storedComparison{c.changed, c.blocks.addAll(c.working), c.oldest, c.newest, c.seen}
}

// restore applies what was stored. The newest hours are compared again: the faults that are published are not stored.
func (c *comparison) restore(s storedComparison) {
	c.changed, c.blocks, c.oldest, c.newest, c.seen = s.Hours, s.Blocks, s.Oldest, s.Newest, s.Seen
	if c.newest != 0 {
		c.changed = c.changed.add(c.newest, c.newest+1)
	}
}

// expand turns changed hours that are in the database into blocks.
func (c *comparison) expand(ready spans) {
	if len(ready) == 0 {
		return
	}
	c.changed = c.changed.without(ready)
	if c.seen.To != 0 && c.newest != c.seen.To { // windows that ended with the newest hour reach further now
		c.addBlocks(c.seen.To, c.seen.To)
	}
	if c.seen.From != 0 && c.oldest != c.seen.From { // another window is the first one
		c.addBlocks(c.oldest, c.seen.From+fault.WindowHours)
	}
	c.seen = span{c.oldest, c.newest}
	for _, x := range ready {
		c.addBlocks(x.From, x.To-1)
	}
	c.blocks = c.blocks.within(fault.BlockOf(c.oldest), fault.BlockOf(c.newest)+1)
}

// addBlocks adds the blocks whose windows contain hours from one to another, both inclusive.
func (c *comparison) addBlocks(from, to int64) {
	first, _ := fault.BlocksAround(from, c.oldest, c.newest)
	_, last := fault.BlocksAround(to, c.oldest, c.newest)
	c.blocks = c.blocks.add(first, last+1)
}

// comparisonJob is the comparison of the hours of some blocks, from one window.
type comparisonJob struct {
	blocks   spans
	from, to int64 // hours to flag, To exclusive
	first    int64 // of the window
	end      int64 // of the window, exclusive
	open     bool  // the window ends with the newest hour
	all      []*station
}

// take takes the next job: the blocks whose window ends with the newest hour, which are renewed together, or the oldest
// other block unless only open is asked for.
func (c *comparison) take(onlyOpen, mayOpen bool) (comparisonJob, bool) {
	open := fault.FirstOpen(c.oldest, c.newest)
	end := fault.BlockOf(c.newest) + 1
	j := comparisonJob{open: true}
	block := open
	switch {
	case len(c.blocks.within(open, end)) > 0 && mayOpen:
		j.blocks = spans{{open, end}}
		j.from, j.to = open*fault.BlockHours, c.newest+1
	case len(c.blocks.within(0, open)) > 0 && !onlyOpen:
		block = c.blocks[0].From
		j.open, j.blocks = false, spans{{block, block + 1}}
		j.from, j.to = block*fault.BlockHours, (block+1)*fault.BlockHours
	default:
		return j, false
	}
	c.blocks, c.working = c.blocks.without(j.blocks), j.blocks
	j.first, j.end, _ = fault.WindowOf(block, c.oldest, c.newest)
	j.from = max(j.from, j.first)
	return j, true
}
