package airreport

import (
	"maps"
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/report"
)

// profileSum adds up the profiles of stations. Each station counts once, however many hours it has.
type profileSum struct{ diurnal, weekdays *meanSum }

func newProfileSum() *profileSum { return &profileSum{newMeanSum(24), newMeanSum(7)} }

func (p *profileSum) add(hours []report.Mean, zone *time.Location) {
	p.diurnal.add(report.Diurnal(hours, zone))
	p.weekdays.add(report.Weekdays(hours, zone))
}

// meanSum adds up the parts of profiles.
type meanSum struct {
	sums   []float64
	counts []int
}

func newMeanSum(parts int) *meanSum { return &meanSum{make([]float64, parts), make([]int, parts)} }

func (s *meanSum) add(p report.Profile) {
	for i, v := range p {
		if !math.IsNaN(v) {
			s.sums[i] += v
			s.counts[i]++
		}
	}
}

// means returns the mean of each part; unknown where there is none.
func (s *meanSum) means() []nhip.Opt[float64] {
	out := make([]nhip.Opt[float64], len(s.sums))
	for i, n := range s.counts {
		if n > 0 {
			out[i] = nhip.Some(round(s.sums[i]/float64(n), 100))
		}
	}
	return out
}

// addProfiles adds the profiles of the quantities with hours.
func (x *monthReader) addProfiles() {
	for _, q := range slices.Sorted(maps.Keys(x.profiles)) {
		p := x.profiles[q]
		x.m.Profiles = append(x.m.Profiles, MonthProfile{q, q.Unit(), p.diurnal.means(), p.weekdays.means()})
	}
}
