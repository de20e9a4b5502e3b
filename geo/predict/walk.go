package predict

import "nhip/geo/network"

// walk is the predicted progress of a bus from stop to stop, by each path.
type walk struct {
	*learned

	lean     float64
	pattern  *network.Pattern
	instance *network.TripInstance

	fix     float64 // time of the position, Unix s
	ratio   float64 // of the line to its timetable
	pace    float64 // of the bus to the mean
	holds   [holdClasses]float64
	weights weights
	clocks  [paths]float64 // present time, Unix s

	state  busState
	begins moment  // when the bus begins to drive
	floor  float64 // nothing ahead can happen before, Unix s
	last   moment  // of the latest event; those after it are not before it
}

// reach sets the present time by all paths.
func (w *walk) reach(t float64) {
	for k := range w.clocks {
		w.clocks[k] = t
	}
}

// now returns the median time, in Unix s.
func (w *walk) now() float64 {
	t := 0.0
	for k, c := range w.clocks {
		t += w.weights[k] * (c - w.fix)
	}
	return w.fix + t
}

// times returns how long the bus takes from stop i to the next one by each path, in s, without holding before it.
func (w *walk) times(i int) (took [paths]float64) {
	s := &w.segments[w.pattern.Links[i]]
	expected := scheduled(w.pattern, w.instance, i) * w.ratio
	all, free := s.means(expected)
	return [paths]float64{
		pathAll: all * w.pace, pathHeld: free * w.pace, pathPresent: (s.present(free, w.fix) + expected) / 2,
	}
}

// drive drives from stop i to the next one; part is the share of the way that is left.
func (w *walk) drive(i int, part float64) {
	for k, t := range w.times(i) {
		w.clocks[k] += part * t
	}
}

// finish drives to stop i+1 from near stop i, where the bus arrived at a time in Unix s: it may have stood there since.
func (w *walk) finish(i int, part, arrived float64) {
	const least = 0.9 // of the share of the way, however long the bus stood
	hold := w.hold(i, arrived)
	for k, t := range w.times(i) {
		if k == pathAll {
			w.clocks[k] += max(t-(w.fix-arrived), least*part*t)
		} else {
			w.clocks[k] += max(t+hold-(w.fix-arrived), least*part*t)
		}
	}
}

// hold returns how long a bus that arrives at stop i at a time in Unix s is held there, in s, where the timetable does
// not let it stand.
func (w *walk) hold(i int, arrived float64) float64 {
	class, ok := holdClass(w.instance, i)
	if !ok || class == holdWait {
		return 0
	}
	early := earliness(w.instance, i, class, arrived)
	if early <= minEarliness {
		return 0
	}
	return w.segments[w.pattern.Links[i]].share(class, w.holds[class]) * early
}

// leave waits at stop i, where the bus has arrived. The earlier it comes, the longer it waits.
func (w *walk) leave(i int) {
	if i >= w.pattern.Last() {
		return
	}
	if waits(w.pattern, w.instance, i) {
		for k, c := range w.clocks {
			w.clocks[k] = w.leaves(w.pattern, w.instance, i, &w.holds, c)
		}
		return
	}
	for k := pathHeld; k < paths; k++ {
		w.clocks[k] += w.hold(i, w.clocks[k])
	}
}

// arrive returns the prediction for stop i, which the bus has reached. The time to tell is within the range.
func (w *walk) arrive(i int) StopPrediction {
	p50 := max(w.now(), w.last.p50)
	lead := p50 - w.begins.p50
	lo, hi := w.ranges.around(w.state, lead)
	m := moment{
		p10: w.begins.p10 + lo, p50: p50, p90: w.begins.p90 + hi,
		early: w.fix + TellEarly(p50-w.fix, w.lean),
	}
	m.early = min(max(m.early, w.floor, w.last.early), p50)
	m.p10 = min(max(m.p10, w.floor, w.last.p10), m.early)
	m.p90 = max(m.p90, p50, w.last.p90)
	w.last = m
	s := m.prediction(i)
	s.state = w.state
	for k, c := range w.clocks {
		s.paths[k] = float32(c - w.fix)
	}
	return s
}

// stand waits at stop i, where the timetable lets buses stand, until the departure of the bus, which has not left.
// Without exact times that depends on when it arrived; if that is unknown, it may leave at once.
func (w *walk) stand(i int, arrived float64, known bool) {
	if !known && (w.instance == nil || w.instance.HeadwayBased) {
		return
	}
	if !known {
		arrived = w.fix
	}
	w.floor = max(w.fix, w.leaves(w.pattern, w.instance, i, &w.holds, arrived))
	w.reach(w.floor)
	w.last = at(w.floor)
}
