package transit

import "time"

// Told returns when a bus is expected at a stop of its pattern, and from when on it may come, by whichever prediction
// is told; false if there is none.
func (m *Model) Told(b *TrackedBus, stop int, now time.Time) (expected, early time.Time, ok bool) {
	p, known := b.Prediction(stop)
	t := m.inUse.Load()
	if !known || t.Network == nil || !b.onSureTrip() {
		return p.Expected, p.P10, known
	}
	state := m.services.of(b.State.Instance, now)
	d := Departure{Expected: &p.Expected}
	t.choose(&d, &state, b.State.Instance, stop, now)
	if early = p.P10; d.Expected.Before(early) {
		early = *d.Expected
	}
	return *d.Expected, early, true
}
