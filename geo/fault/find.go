package fault

import (
	"cmp"
	"slices"

	"nhip"
)

// factors of the thresholds by round: the surest faults are found first, so that those who have them do not speak when
// the doubtful ones are judged.
var (
	roundFactors = []float64{2.5, 1.5, 1, 1}
	burstFactors = []float64{1.3, 1.3, 1, 1}
)

// pollutants are the quantities that are checked.
var pollutants = []nhip.Quantity{
	nhip.PM1, nhip.PM25, nhip.PM10, nhip.TSP, nhip.SO2, nhip.NO, nhip.NO2, nhip.CO, nhip.O3,
}

// Compares reports whether Find uses a quantity.
func Compares(q nhip.Quantity) bool {
	return slices.Contains(pollutants, q) || slices.Contains(weather, q)
}

// finder holds one run of Find.
type finder struct {
	w        *Window
	fields   []*field // of pollutants
	weather  []*field
	channels [][]channel // by monitor, for its clock
	segments []segment
}

// Find looks for the faults of all monitors in a window.
func Find(w *Window) Result {
	fd := &finder{w: w}
	for _, q := range pollutants {
		if f := newField(w, q, false); f != nil {
			fd.fields = append(fd.fields, f)
		}
	}
	for _, q := range weather {
		if f := newField(w, q, true); f != nil {
			fd.weather = append(fd.weather, f)
		}
	}
	fd.findChannels()
	for round := range roundFactors {
		fd.run(round)
	}
	return fd.result()
}

// findChannels lists the quantities that tell of each monitor's clock: its own, and those of a weather sensor in the
// same place, which is part of the same device.
func (fd *finder) findChannels() {
	fd.channels = make([][]channel, len(fd.w.Monitors))
	for m := range fd.w.Monitors {
		for _, f := range fd.fields {
			if i := f.memberOf(m); i >= 0 {
				fd.channels[m] = append(fd.channels[m], channel{f, i})
			}
		}
		if len(fd.channels[m]) == 0 {
			continue
		}
		box := fd.weatherOf(m)
		for _, f := range fd.weather {
			if i := f.memberOf(box); i >= 0 {
				fd.channels[m] = append(fd.channels[m], channel{f, i})
			}
		}
	}
}

// weatherOf returns the monitor that measures the weather of monitor m's device: m itself, or the only one in its place
// that measures nothing else; -1 if there is none, or if other monitors are in this place, too.
func (fd *finder) weatherOf(m int) int {
	all := fd.w.Monitors
	if all[m].Hours[nhip.Temperature] != nil || all[m].Hours[nhip.Humidity] != nil {
		return m
	}
	box := -1
	for o := range all {
		if o == m || all[o].Lat != all[m].Lat || all[o].Lon != all[m].Lon {
			continue
		}
		if box >= 0 || len(fd.channels[o]) > 0 || measuresAir(&all[o]) {
			return -1
		}
		box = o
	}
	return box
}

func measuresAir(m *Monitor) bool {
	return slices.ContainsFunc(pollutants, func(q nhip.Quantity) bool { return m.Hours[q] != nil })
}

// run does one round from scratch.
func (fd *finder) run(round int) {
	fd.segments = fd.segments[:0]
	for _, f := range slices.Concat(fd.fields, fd.weather) {
		f.fit(fd.w)
	}
	add := func(s segment) { fd.segments = append(fd.segments, s) }
	addTrimmed := func(s segment) {
		if s.trim() {
			s.pieces(add)
		}
	}
	addMattering := func(s segment) {
		if s.matters() {
			add(s)
		}
	}
	factor := roundFactors[round]
	for _, f := range fd.fields {
		repeats := f.countRepeats()
		for i := range f.members {
			f.levels(i, factor, addTrimmed)
			f.bursts(i, burstFactors[round], addTrimmed)
			f.spikes(i, addMattering)
			f.noise(i, factor, addMattering)
			f.stuck(i, repeats, add)
			f.contradictions(i, add)
			if fd.w.Monitors[f.members[i]].LowCost {
				f.roughness(i, add)
				f.constant(i, add)
			}
		}
	}
	if fine, coarse := fd.field(nhip.PM25), fd.field(nhip.PM10); fine != nil && coarse != nil {
		swaps(fine, coarse, factor, add)
		equals(fine, coarse, add)
	}
	for _, channels := range fd.channels {
		clocks(channels, factor, add)
	}
	fd.flag()
}

// field returns the field of a quantity, or nil.
func (fd *finder) field(q nhip.Quantity) *field {
	for _, f := range fd.fields {
		if f.quantity == q {
			return f
		}
	}
	return nil
}

// flag marks the hours of all segments.
func (fd *finder) flag() {
	for _, f := range fd.fields {
		for i := range f.flagged {
			clear(f.flagged[i])
		}
	}
	for k := range fd.segments {
		s := &fd.segments[k]
		for t := s.from; t < s.to; t++ {
			if v := s.field.v[s.member][t]; v == v {
				s.field.flagged[s.member][t] = true
			}
		}
	}
}

// result returns what the last round found.
func (fd *finder) result() Result {
	r := Result{Vouches: make(map[nhip.Quantity]bool), Bias: make([]map[nhip.Quantity]float64, len(fd.w.Monitors))}
	r.vouched = make([]map[nhip.Quantity]bool, len(fd.w.Monitors))
	for m := range r.Bias {
		r.Bias[m], r.vouched[m] = make(map[nhip.Quantity]float64), make(map[nhip.Quantity]bool)
	}
	for _, f := range fd.fields {
		r.Vouches[f.quantity] = f.typicalSlow <= vouchDeviation
		for i, m := range f.members {
			if f.knownHours(i) >= minGoodHours {
				r.Bias[m][f.quantity] = f.bias[i]
			}
			r.vouched[m][f.quantity] = f.vouches(i)
		}
	}
	r.Faults = fd.faults()
	for k := range r.Faults {
		f := &r.Faults[k]
		f.Open = !hasValue(fd.w.Monitors[f.Monitor].Hours[f.Quantity][f.To:])
	}
	return r
}

func hasValue(hours []Hour) bool {
	return slices.ContainsFunc(hours, func(h Hour) bool { return h.Value == h.Value })
}

// Unvouched returns the quantities of a monitor for which the network can't vouch: those of which too few others speak,
// or that differ too much from them, in alphabetical order.
func (r *Result) Unvouched(w *Window, monitor int) (out []nhip.Quantity) {
	for q, hours := range w.Monitors[monitor].Hours {
		if slices.Contains(pollutants, q) && hasValue(hours) && !r.vouched[monitor][q] {
			out = append(out, q)
		}
	}
	slices.Sort(out)
	return out
}

// compareFaults orders faults by monitor, quantity and time.
func compareFaults(a, b Fault) int {
	return cmp.Or(cmp.Compare(a.Monitor, b.Monitor), cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.From, b.From),
		cmp.Compare(a.To, b.To))
}
