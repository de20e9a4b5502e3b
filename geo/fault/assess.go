package fault

import (
	"math"
	"slices"

	"nhip"
	"nhip/geo/qc"
)

// Flags are the results of the checks against other monitors: by monitor and quantity, of the hours that were asked
// for. An hour that passed all of them has the zero Result.
type Flags []map[nhip.Quantity][]qc.Result

// Assess makes all checks of monitors against one another: those of Find, and for monitors whose own bias is not known
// yet the comparison with their neighbours. The flags are those of the hours from, inclusive, to to, exclusive, of the
// window.
func Assess(w *Window, rules *qc.Rules, from, to int) (Flags, Result) {
	result := Find(w)
	flags := make(Flags, len(w.Monitors))
	for m := range flags {
		flags[m] = make(map[nhip.Quantity][]qc.Result)
		for q := range w.Monitors[m].Hours {
			flags[m][q] = make([]qc.Result, to-from)
		}
	}
	result.Faults = slices.DeleteFunc(result.Faults, func(f Fault) bool {
		check, known := qc.NetworkCheck(string(f.Cause))
		return !known || math.IsNaN(rules.Params(f.Quantity, classOf(&w.Monitors[f.Monitor]), check).Suspect)
	})
	for _, f := range result.Faults {
		check, _ := qc.NetworkCheck(string(f.Cause))
		of := flags[f.Monitor][f.Quantity]
		for t := max(f.From, from); t < min(f.To, to); t++ {
			if v := w.Monitors[f.Monitor].Hours[f.Quantity][t].Value; v == v {
				of[t-from].Add(check, f.Flag())
			}
		}
	}
	for _, q := range pollutants {
		compareNewcomers(w, rules, q, from, to, flags)
	}
	return flags, result
}

// Flag returns the flag of the hours of a fault.
func (f *Fault) Flag() nhip.Flag {
	if f.Fail {
		return nhip.FlagFail
	}
	return nhip.FlagSuspect
}

func classOf(m *Monitor) qc.Class {
	if m.LowCost {
		return qc.ClassLowCost
	}
	return qc.ClassReference
}

// compareNewcomers compares low-cost monitors with their neighbours hour by hour, and flags those that have too few
// hours for a bias of their own. Others are compared by Find, which knows that two of them may differ and both be
// right.
func compareNewcomers(w *Window, rules *qc.Rules, q nhip.Quantity, from, to int, flags Flags) {
	var members []int
	var sites []qc.Site
	var isNew []bool
	some := false
	for i := range w.Monitors {
		m := &w.Monitors[i]
		if !m.LowCost || m.Hours[q] == nil || math.IsNaN(m.Lat) {
			continue
		}
		known := 0
		for t := range m.Hours[q] {
			if v := m.Hours[q][t].Value; v == v {
				known++
			}
		}
		members, sites = append(members, i), append(sites, qc.Site{Lat: m.Lat, Lon: m.Lon, Elevation: math.NaN()})
		isNew = append(isNew, known < minGoodHours)
		some = some || known < minGoodHours
	}
	if !some {
		return
	}
	network := rules.Neighbourhood(q, sites)
	values := make([]float64, len(members))
	for t := from; t < to; t++ {
		for k, i := range members {
			values[k] = w.Monitors[i].Hours[q][t].Value
		}
		near, beside := network.Compare(values), network.CompareCollocated(values)
		for k, i := range members {
			if isNew[k] {
				flags[i][q][t-from].Add(qc.CheckNeighbours, near[k])
				flags[i][q][t-from].Add(qc.CheckChannels, beside[k])
			}
		}
	}
}
