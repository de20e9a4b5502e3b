package air

import "nhip/geo/fault"

// comparison is the work that remains for the comparison of monitors. Processor.mu protects it.
//
// The flags of an hour are a pure function of the hours in the window that fault.WindowOf gives it, which ends some days
// after it, or with the newest hour that any monitor has. So neither the order nor the number of late readings changes
// them, and one pass over the windows that contain a changed hour is all that it takes: flags are no input.
type comparison struct {
	changed spans // hours whose values changed
	blocks  spans // blocks of hours to be compared again; a span of blocks, not of hours
	working spans // blocks in progress
	newest  int64 // newest hour with values; 0: none
	seen    int64 // newest hour of the last comparison
}

// storedComparison is a comparison in stateFile.
type storedComparison struct {
	Hours  spans `json:"hours,omitempty"`
	Blocks spans `json:"blocks,omitempty"`
	Newest int64 `json:"newest,omitempty"`
	Seen   int64 `json:"seen,omitempty"`
}

// mark adds hours whose values changed, and that have ended.
func (c *comparison) mark(hours spans) {
	c.changed = c.changed.addAll(hours)
	if n := len(hours); n > 0 {
		c.newest = max(c.newest, hours[n-1].To-1)
	}
}

// hours returns the number of hours that remain.
func (c *comparison) hours() int64 {
	return c.changed.hours() + fault.BlockHours*c.blocks.addAll(c.working).hours()
}

func (c *comparison) stored() storedComparison {
	return storedComparison{c.changed, c.blocks.addAll(c.working), c.newest, c.seen}
}

// restore applies what was stored. The newest hours are compared again: the faults that are published are not stored.
func (c *comparison) restore(s storedComparison) {
	c.changed, c.blocks, c.newest, c.seen = s.Hours, s.Blocks, s.Newest, s.Seen
	if c.newest != 0 {
		c.changed = c.changed.add(c.newest, c.newest+1)
	}
}

// firstOpen returns the first block whose window still grows.
func firstOpen(newest int64) int64 { return fault.BlockOf(newest+1) - fault.FinalBlocks + 1 }

// expand turns changed hours that are in the database into blocks.
func (c *comparison) expand(ready spans) {
	c.changed = c.changed.without(ready)
	if c.newest != c.seen && c.seen != 0 { // windows that ended with the newest hour reach further now
		first, last := fault.BlocksAround(c.seen)
		c.blocks = c.blocks.add(max(first, 0), last+1)
	}
	if len(ready) > 0 {
		c.seen = c.newest
	}
	for _, x := range ready {
		first, _ := fault.BlocksAround(x.From)
		_, last := fault.BlocksAround(x.To - 1)
		c.blocks = c.blocks.add(max(first, 0), last+1)
	}
	c.blocks = c.blocks.within(0, fault.BlockOf(c.newest)+1)
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
	open := max(firstOpen(c.newest), 0)
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
	j.first, j.end, _ = fault.WindowOf(block, c.newest)
	j.from = max(j.from, j.first)
	return j, true
}
