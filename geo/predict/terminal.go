package predict

// How fast a bus comes to its first stop, as the crow flies, in m/s: 25 km/h along streets, a motorway, and a jam.
const (
	approachSpeed        = 5.5
	fastestApproachSpeed = 15.0
	slowestApproachSpeed = 3.0
)

// When a bus near its first stop has not left it yet, whatever its place along the line.
const (
	startArea   = 200.0 // m along the line: terminals are large
	startBefore = 20.0  // s before its departure
	startStood  = 40.0  // s that it has stood there
)

// atStart reports whether a bus has not begun its trip.
func (b *Bus) atStart(stood float64) bool {
	if b.Waiting {
		return true
	}
	return b.Next <= 1 && b.Instance != nil && !b.Instance.HeadwayBased && b.Along-b.Pattern.Along[0] < startArea &&
		(unix(b.Time) < float64(b.Instance.Departs(0))-startBefore || stood > startStood)
}

// overdue reports whether a bus that has not begun its trip stands, although it should have left.
func (b *Bus) overdue(stood float64) bool {
	return stood > startStood && b.ToStart <= 0 && b.Instance != nil && !b.Instance.HeadwayBased &&
		unix(b.Time) > float64(b.Instance.Departs(0))
}

// approach returns when a bus that is metres from its first stop is there. ready is when it can go there.
func (w *walk) approach(ready moment, metres float64) moment {
	if metres <= 0 {
		return ready
	}
	took := metres / approachSpeed
	early := TellEarly(took, w.lean)
	lo, _ := w.ranges.around(stateMoving, took)
	return moment{
		p10: ready.p10 + min(metres/fastestApproachSpeed, lo, early), early: ready.early + early,
		p50: ready.p50 + took, p90: ready.p90 + metres/slowestApproachSpeed,
	}
}

// depart waits at the first stop until the bus is ready and its departure is due.
func (w *walk) depart(b *Bus) StopPrediction {
	ready := at(w.fix)
	if b.ready != nil {
		ready = *b.ready
	}
	ready = w.approach(ready, b.ToStart)
	w.begins = ready
	if b.Instance != nil {
		w.begins = ready.atLeast(float64(b.Instance.Departs(0)))
	}
	w.last, w.floor = w.begins, w.begins.early
	s := w.begins.prediction(0)
	w.state = stateTerminal
	return s
}

// toSecondStop drives from the first stop to the second one. A bus that is there before its departure is expected when
// the timetable says, or as much earlier as its line usually begins. One that should have left may leave at any time.
func (w *walk) toSecondStop(b *Bus, stood float64) {
	const started = 0.8 // of the way is left to a bus that is about to leave
	there := b.ready == nil && b.ToStart <= 0
	for k, t := range w.times(0) {
		switch {
		case !there:
			w.clocks[k] = w.begins.p50 + t
		case b.Instance == nil || b.Instance.HeadwayBased:
			w.clocks[k] = w.begins.p50 + started*t
		default:
			due := float64(b.Instance.Arrives(1)) + w.lines[b.Pattern.Index].starts.Early()
			w.clocks[k] = max(due, w.fix+started*t)
			if b.overdue(stood) {
				w.clocks[k] += w.stands.rest(stood)
			}
		}
	}
}
