package air

// partAir is the part of nhip_panics_total for the assessment of readings.
const partAir = "air"

// guard does work on one station, or on one hour of its neighbours, so that a panic costs that work alone. giveUp then
// removes the work from the state, so that it is not tried for ever; it is called with p.mu held. Recompute does the
// work again once the cause is repaired.
func (p *Processor) guard(work, station string, do, giveUp func()) {
	defer p.o.Guard.Recover(partAir, func() {
		p.log.Error("readings are left unassessed", "work", work, "station", station)
		p.mu.Lock()
		defer p.mu.Unlock()
		giveUp()
	})
	do()
}

// guarded does what concerns all stations.
func (p *Processor) guarded(do func()) {
	defer p.o.Guard.Recover(partAir, nil)
	do()
}
