package ledger

import "slices"

// tally is counts by hour and device.
type tally map[int64]map[string]*Counts

// at returns the counts of a device and hour, which it makes if need be.
func (t tally) at(device string, hour int64) *Counts {
	devices := t[hour]
	if devices == nil {
		devices = map[string]*Counts{}
		t[hour] = devices
	}
	c := devices[device]
	if c == nil {
		c = new(Counts)
		devices[device] = c
	}
	return c
}

// addAll adds all that other counts.
func (t tally) addAll(other tally) {
	for hour, devices := range other {
		for device, c := range devices {
			t.at(device, hour).add(c)
		}
	}
}

func (t tally) cells() int {
	n := 0
	for _, devices := range t {
		n += len(devices)
	}
	return n
}

// Tx is an update that is under way. It is good within the function that Update calls.
type Tx struct{ b *Book }

// Update calls f, which adds counts and sets marks: a checkpoint holds all of it or nothing, and a
// page shows all of it or nothing. Whoever sets a mark counts in the same call what lies before it.
// f must not call the book.
func (b *Book) Update(f func(*Tx)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&Tx{b})
}

// Counts returns what to add to: what was counted of a device and hour, in hours since 1970, since
// the last checkpoint.
func (tx *Tx) Counts(device string, hour int64) *Counts {
	return tx.b.tally.at(device, clampHour(hour))
}

// SetMark sets a consumer's position, which is a few bytes, for the next checkpoint to hold.
func (tx *Tx) SetMark(name string, value []byte) {
	tx.b.marks[name] = slices.Clone(value)
}

// Mark returns a consumer's position as it was last set, else as the checkpoint that Open found
// holds it, and nil when it was never set.
func (b *Book) Mark(name string) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.marks[name])
}
