// Package qc is the automatic quality control of air monitors. It flags values that are unlikely to be real
// measurements, with QARTOD flags. Raw values are never changed; each value gets a flag and the names of the
// checks that it did not pass.
//
// Sources: US IOOS QARTOD manuals and ioos_qc (gross range, spike, rate of change, flat line); titanlib of the
// Norwegian Meteorological Institute (buddy, isolation, duplicate, metadata, range); Barkjohn et al. 2021,
// doi:10.5194/amt-14-4617-2021 (two channels, the correction of optical sensors).
package qc

import (
	"math"
	"strings"

	"nhip"
)

// Check is one quality check. Its name is used in the database, in API responses, and in the configuration.
type Check int

// The checks.
const (
	CheckDeviceStatus  Check = iota // the device reports that it is calibrating or broken
	CheckGrossRange                 // outside or near the limits of what such an instrument can report
	CheckNegative                   // below zero
	CheckZero                       // exactly zero
	CheckSpike                      // one value differs from both its neighbours in time
	CheckRateOfChange               // changes faster than air can
	CheckFlatLine                   // the same value for too long
	CheckFrozenFeed                 // all quantities of the station unchanged for too long
	CheckHumidity                   // optical sensors count droplets in humid air
	CheckParticleOrder              // PM2.5 above PM10, although it is a part of it
	CheckNeighbours                 // the hourly median is far from those of nearby monitors
	CheckChannels                   // the two sensors of one device disagree
	CheckLocation                   // the monitor has moved

	// Faults that the comparison with the other monitors over weeks shows, see package fault.
	CheckNetworkLevel
	CheckNetworkGain
	CheckNetworkOffset
	CheckNetworkUnit
	CheckNetworkDrift
	CheckNetworkZero
	CheckNetworkBurst
	CheckNetworkSpike
	CheckNetworkNoise
	CheckNetworkSwap
	CheckNetworkClock
	CheckNetworkStuck
	CheckNetworkEqual
	CheckNetworkContradiction
	checks
)

// NetworkCheck returns the check for a cause of package fault.
func NetworkCheck(cause string) (Check, bool) { return ParseCheck(networkPrefix + cause) }

const networkPrefix = "network_"

var checkNames = [checks]string{
	"device_status", "gross_range", "negative", "zero", "spike", "rate_of_change", "flat_line", "frozen_feed",
	"humidity", "particle_order", "neighbours", "channels", "location",
	networkPrefix + "level", networkPrefix + "gain", networkPrefix + "offset", networkPrefix + "unit",
	networkPrefix + "drift", networkPrefix + "zero", networkPrefix + "burst", networkPrefix + "spike",
	networkPrefix + "noise", networkPrefix + "swap", networkPrefix + "clock", networkPrefix + "stuck",
	networkPrefix + "equal", networkPrefix + "contradiction",
}

// networkChecks are the checks that need other monitors.
const networkChecks = 1<<CheckNeighbours | 1<<CheckChannels | (1<<checks - 1<<CheckNetworkLevel)

func (c Check) String() string { return checkNames[c] }

// ParseCheck returns the check with the given name.
func ParseCheck(name string) (Check, bool) {
	for c, n := range checkNames {
		if n == name {
			return Check(c), true
		}
	}
	return 0, false
}

// CheckNames returns the names of all checks.
func CheckNames() []string { return checkNames[:] }

// Result is the outcome of all checks of one value. The zero Result means not evaluated.
type Result struct {
	Flag    nhip.Flag // the worst of all checks
	Suspect checkSet  // checks that flagged the value as suspect
	Failed  checkSet  // checks that the value failed
}

type checkSet uint32

func (s checkSet) has(c Check) bool { return s&(1<<c) != 0 }

// Add records the flag that one check returned.
func (r *Result) Add(c Check, f nhip.Flag) {
	switch f {
	case nhip.FlagFail:
		r.Failed |= 1 << c
	case nhip.FlagSuspect:
		r.Suspect |= 1 << c
	default:
		return
	}
	r.Flag = max(r.Flag, f)
}

// Tests returns the checks that the value did not pass, in the order of the constants, as "spike=4,humidity=3".
// It returns "" for a good value.
func (r *Result) Tests() string {
	if r.Suspect|r.Failed == 0 {
		return ""
	}
	var b strings.Builder
	for c := range checks {
		switch {
		case r.Failed.has(c):
			b.WriteString("," + checkNames[c] + "=4")
		case r.Suspect.has(c):
			b.WriteString("," + checkNames[c] + "=3")
		}
	}
	return b.String()[1:]
}

// ParseTests is the inverse of Tests. It ignores names of checks that no longer exist.
func ParseTests(flag nhip.Flag, tests string) Result {
	r := Result{Flag: flag}
	for test := range strings.SplitSeq(tests, ",") {
		name, grade, _ := strings.Cut(test, "=")
		c, known := ParseCheck(name)
		switch {
		case known && grade == "4":
			r.Failed |= 1 << c
		case known && grade == "3":
			r.Suspect |= 1 << c
		}
	}
	return r
}

// Comparable reports whether the value may be compared with those of other monitors: it failed none of the checks of
// the monitor alone. Those for constant values do not count: the comparison finds the same, and names the cause.
func (r Result) Comparable() bool {
	return r.without(networkChecks|1<<CheckFlatLine|1<<CheckFrozenFeed).Flag != nhip.FlagFail
}

// Network returns the result of the checks that compare the monitor with others, or its two channels, alone.
func (r Result) Network() Result { return r.without(^checkSet(networkChecks)) }

func (r Result) without(some checkSet) Result {
	out := Result{Flag: nhip.FlagGood, Suspect: r.Suspect &^ some, Failed: r.Failed &^ some}
	switch {
	case out.Failed != 0:
		out.Flag = nhip.FlagFail
	case out.Suspect != 0:
		out.Flag = nhip.FlagSuspect
	}
	return out
}

// Merge adds the checks that another result did not pass.
func (r *Result) Merge(o Result) {
	r.Suspect, r.Failed = r.Suspect|o.Suspect, r.Failed|o.Failed
	if o.Suspect|o.Failed != 0 {
		r.Flag = max(r.Flag, o.Flag)
	}
}

// OtherParticles returns the other one of PM2.5 and PM10; ok is false for all other quantities.
func OtherParticles(q nhip.Quantity) (other nhip.Quantity, ok bool) {
	switch q {
	case nhip.PM25:
		return nhip.PM10, true
	case nhip.PM10:
		return nhip.PM25, true
	}
	return "", false
}

// MergeNetwork merges the result of the comparison of a value's hour with other monitors, and takes back what the
// comparison explains: where PM2.5 exceeds PM10, one of them is wrong, and if only the other one differs from the other
// monitors, it is that. other is the result of the comparison of the other particle size; zero if there is none.
func (r *Result) MergeNetwork(own, other Result) {
	if own.Suspect|own.Failed == 0 && other.Suspect|other.Failed != 0 {
		*r = r.without(1 << CheckParticleOrder)
	}
	r.Merge(own)
}

// unset is the value of a parameter that is not set: no value exceeds it.
var unset = math.NaN()
