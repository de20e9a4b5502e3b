package ledger

import "slices"

// cursor iterates over the devices of a segment in the order of their names. Damaged leaves are reported and skipped.
type cursor struct {
	reader *segmentReader
	report func(error)
	leaf   int // the next leaf
	rest   scanner
	at     deviceEntry // valid until the next step
	live   bool        // at is valid; false at the end
}

// step moves to the next device.
func (c *cursor) step() error {
	for {
		if len(c.rest.b) > 0 {
			c.at = scanDevice(&c.rest)
			if c.live = !c.rest.bad; c.live {
				return nil
			}
			c.report(damaged("leaf"))
		}
		if c.leaf == len(c.reader.leaves) {
			c.live = false
			return nil
		}
		if err := c.nextLeaf(); err != nil {
			return err
		}
	}
}

func (c *cursor) nextLeaf() error {
	c.leaf++
	rest, err := c.reader.readLeaf(c.leaf - 1)
	if err != nil && !isDamage(err) {
		return err
	}
	if err != nil {
		c.report(err)
	}
	c.rest = rest
	return nil
}

// seek moves to the first device whose name is not less than name.
func (c *cursor) seek(name string) error {
	c.leaf = max(0, c.reader.leafOf(name))
	c.rest = scanner{}
	for {
		if err := c.step(); err != nil || !c.live || string(c.at.name) >= name {
			return err
		}
	}
}

// eachDevice calls f for each device of the cursors and of others, which must be sorted, in the order of their names,
// with the cursors that are at it. It ends when f returns false.
func eachDevice(cursors []*cursor, others []string, f func(name string, at []*cursor) (bool, error)) error {
	at := make([]*cursor, 0, len(cursors))
	for {
		name, ok := lowest(cursors, others)
		if !ok {
			return nil
		}
		at = at[:0]
		for _, c := range cursors {
			if c.live && string(c.at.name) == name {
				at = append(at, c)
			}
		}
		if more, err := f(name, at); err != nil || !more {
			return err
		}
		for _, c := range at {
			if err := c.step(); err != nil {
				return err
			}
		}
		if i, ok := slices.BinarySearch(others, name); ok {
			others = others[i+1:]
		}
	}
}

// lowest returns the smallest name, and false at the end.
func lowest(cursors []*cursor, others []string) (string, bool) {
	var low []byte
	found := false
	for _, c := range cursors {
		if c.live && (!found || string(c.at.name) < string(low)) {
			low, found = c.at.name, true
		}
	}
	if len(others) > 0 && (!found || others[0] < string(low)) {
		return others[0], true
	}
	return string(low), found
}
