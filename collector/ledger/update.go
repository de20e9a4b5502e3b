package ledger

import "slices"

// tally holds counts by hour and device.
type tally map[int64]map[string]*Counts

// at returns the counts of a device and hour, and creates them if needed.
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

// addAll adds all counts of other.
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

// Tx is an update in progress. It is valid only in the function that Update calls.
type Tx struct{ b *Ledger }

// Update calls f to add counts and set marks. Checkpoints and pages contain all changes of f or none. A caller that
// sets a mark must add the counts of everything before the mark in the same call. f must not use the ledger.
func (l *Ledger) Update(f func(*Tx)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&Tx{l})
}

// Counts returns the counts of a device and hour (hours since 1970) since the last checkpoint, to be added to.
func (tx *Tx) Counts(device string, hour int64) *Counts {
	return tx.b.tally.at(device, clampHour(hour))
}

// SetMark sets a consumer's position, a few bytes, which becomes durable with the next checkpoint.
func (tx *Tx) SetMark(name string, value []byte) {
	tx.b.marks[name] = slices.Clone(value)
}

// Mark returns a consumer's position as it was last set, before or after the last Open, or nil if it was never set.
func (l *Ledger) Mark(name string) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.marks[name])
}
