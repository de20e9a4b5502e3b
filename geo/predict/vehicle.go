package predict

import (
	"math"

	"nhip/geo/network"
)

// vehicle is what is known of one vehicle.
type vehicle struct {
	// the latest arrival, or departure from the first stop
	pattern  *network.Pattern
	instance *network.TripInstance
	stop     int
	time     float64 // Unix s

	early     float64               // s before its departure from the stop before the latest one
	earlyStop int                   // that stop; -1 if unknown
	inTime    *network.TripInstance // for which it was at the first stop before the departure
	pace      decayingMean          // of its times to the means

	place   *network.Pattern // where it was seen last
	along   float64          // m, where it came to stand
	since   float64          // when, Unix s
	shown   shown
	pending []sample
	places  []place // since the last stop
	stands  []stand // at its first stop
}

// Bounds of what is known of vehicles.
const (
	vehiclesKept = 10_000      // above which silent ones are forgotten
	vehicleTime  = 24 * 3600.0 // s of silence after which they are
	standArea    = 25.0        // m within which a bus stands: the error of its receiver
	paceTime     = 1200.0      // s after which the weight of a time has fallen to 1/e
	pacePrior    = 300.0       // weight of the mean, in s driven
	paceShare    = 0.3         // of its difference to the mean that a bus keeps
	minPace      = 0.6
	maxPace      = 1.7
)

// vehicle returns a vehicle, a new one if it is unknown.
func (p *Predictor) vehicle(id string) *vehicle {
	v := p.vehicles[id]
	if v == nil {
		if len(p.vehicles) >= p.forgetAt {
			p.forget()
		}
		v = newVehicle()
		p.vehicles[id] = v
	}
	return v
}

func newVehicle() *vehicle { return &vehicle{earlyStop: -1, since: math.Inf(1)} }

// forget forgets vehicles that were silent for long.
func (p *Predictor) forget() {
	newest := 0.0
	for _, v := range p.vehicles {
		newest = max(newest, v.time, v.shown.from)
	}
	for id, v := range p.vehicles {
		if max(v.time, v.shown.from) < newest-vehicleTime {
			delete(p.vehicles, id)
			delete(p.past, id)
		}
	}
	p.forgetAt = max(vehiclesKept, 2*len(p.vehicles))
}

// move notes where a bus was seen.
func (v *vehicle) move(b *Bus, now float64) {
	if v.place != b.Pattern || math.Abs(b.Along-v.along) > standArea {
		v.place, v.along, v.since = b.Pattern, b.Along, now
	}
	if b.Instance != nil && b.ToStart <= 0 && b.atStart(0) && now <= float64(b.Instance.Departs(0)) {
		v.inTime = b.Instance
	}
}

// stood returns for how long a bus has stood at its place, in s.
func (v *vehicle) stood(b *Bus, now float64) float64 {
	if v == nil || v.place != b.Pattern || math.Abs(b.Along-v.along) > standArea {
		return 0
	}
	return max(now-v.since, 0)
}

// arrivedAt returns when a bus arrived at stop i, in Unix s, and false if that was not observed or the bus has gone on.
func (p *Predictor) arrivedAt(b *Bus, i int) (float64, bool) {
	return p.vehicles[b.Vehicle].arrivedAt(b, i)
}

func (v *vehicle) arrivedAt(b *Bus, i int) (float64, bool) {
	if v == nil || v.pattern != b.Pattern || v.instance != b.Instance || v.stop != i || v.time > unix(b.Time) {
		return 0, false
	}
	return v.time, true
}

// relativePace returns how long the bus takes for the way ahead, relative to the mean of all buses.
func (v *vehicle) relativePace(now float64) float64 {
	if v == nil {
		return 1
	}
	g := v.pace.shrunk(1, pacePrior, now, paceTime)
	return 1 + paceShare*(min(max(g, minPace), maxPace)-1)
}

// stand is a bus that stood at its first stop after its departure was due, at a whole minute.
type stand struct {
	minute float64 // Unix s
	bin    int
}

// maxStandSamples is how many samples of one bus are kept: those of the last quarter of an hour.
const maxStandSamples = 16

// sampleStand notes that a bus stands that should have left.
func (v *vehicle) sampleStand(stood, now float64) {
	if n := len(v.stands); n > 0 && now-v.stands[n-1].minute < sampleEvery {
		return
	}
	if len(v.stands) == maxStandSamples {
		v.stands = append(v.stands[:0], v.stands[1:]...)
	}
	v.stands = append(v.stands, stand{now, standBin(stood)})
}

// settleStand learns how long a bus stood at its first stop that has arrived at its second one; run is the time between
// them in s.
func (p *Predictor) settleStand(v *vehicle, run, now float64) {
	for _, s := range v.stands {
		p.stands.add(s.bin, now-run-s.minute)
	}
	v.stands = v.stands[:0]
}
