// Package qc tells values that an instrument measured from those that it made up: the automatic quality control
// of air monitors, in QARTOD's flags. Raw values are never changed; a verdict stands beside each, with the names
// of the checks that it did not pass.
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

// Check is one check. Its name stands in the database, in answers and in the configuration.
type Check int

// The checks.
const (
	DeviceStatus  Check = iota // the device itself says that it is calibrating or broken
	GrossRange                 // no instrument of the kind can say it, or hardly
	Negative                   // less than nothing
	Zero                       // exactly nothing
	Spike                      // one value stands out from both its neighbours
	RateOfChange               // faster than air changes
	FlatLine                   // the same value for too long
	FrozenFeed                 // all that the station measures is the same for too long
	Humidity                   // optics that count droplets
	ParticleOrder              // more PM2.5 than PM10, of which it is a part
	Neighbours                 // the hour's median is far from those of the monitors around
	Channels                   // two sensors in one box disagree
	Location                   // the monitor is not where it was
	checks
)

var checkNames = [checks]string{
	"device_status", "gross_range", "negative", "zero", "spike", "rate_of_change", "flat_line", "frozen_feed",
	"humidity", "particle_order", "neighbours", "channels", "location",
}

func (c Check) String() string { return checkNames[c] }

// ParseCheck returns the check of a name.
func ParseCheck(name string) (Check, bool) {
	for c, n := range checkNames {
		if n == name {
			return Check(c), true
		}
	}
	return 0, false
}

// CheckNames returns all names.
func CheckNames() []string { return checkNames[:] }

// Verdict is what the checks make of one value. The zero Verdict has not been evaluated.
type Verdict struct {
	Flag    nhip.Flag // the worst of all
	Suspect set       // checks that found it suspect
	Failed  set       // checks that it failed
}

type set uint32

func (s set) has(c Check) bool { return s&(1<<c) != 0 }

// Note adds what one check found.
func (v *Verdict) Note(c Check, f nhip.Flag) {
	switch f {
	case nhip.Fail:
		v.Failed |= 1 << c
	case nhip.Suspect:
		v.Suspect |= 1 << c
	default:
		return
	}
	v.Flag = max(v.Flag, f)
}

// Tests returns the names of the checks that it did not pass, in order, "spike=4,humidity=3"; "" for a good value.
func (v *Verdict) Tests() string {
	if v.Suspect|v.Failed == 0 {
		return ""
	}
	var b strings.Builder
	for c := range checks {
		switch {
		case v.Failed.has(c):
			b.WriteString("," + checkNames[c] + "=4")
		case v.Suspect.has(c):
			b.WriteString("," + checkNames[c] + "=3")
		}
	}
	return b.String()[1:]
}

// ParseTests reads what Tests wrote. Names of checks that are no more are passed over.
func ParseTests(flag nhip.Flag, tests string) Verdict {
	v := Verdict{Flag: flag}
	for test := range strings.SplitSeq(tests, ",") {
		name, grade, _ := strings.Cut(test, "=")
		c, known := ParseCheck(name)
		switch {
		case known && grade == "4":
			v.Failed |= 1 << c
		case known && grade == "3":
			v.Suspect |= 1 << c
		}
	}
	return v
}

// Without returns the verdict as if a check had not been made.
func (v Verdict) Without(c Check) Verdict {
	out := Verdict{Flag: nhip.Good, Suspect: v.Suspect &^ (1 << c), Failed: v.Failed &^ (1 << c)}
	switch {
	case out.Failed != 0:
		out.Flag = nhip.Fail
	case out.Suspect != 0:
		out.Flag = nhip.Suspect
	}
	return out
}

// none is a limit that is not set: nothing is beyond it.
var none = math.NaN()
