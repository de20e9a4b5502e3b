// Package fault finds faults of air monitors from the network itself: wrong gains, offsets and units, drifts, swapped
// channels, wrong clocks, zeros, noise, stuck values, spikes and bursts, for reference instruments as for low-cost
// sensors.
//
// Each monitor is compared with its own usual bias plus the anomalies of the others, weighed by how closely they
// followed it. What differs is noise of a known size; one sequential test (a cumulated log likelihood ratio, Page 1954)
// looks for each cause whether it explains the differences better. The rounds are fixed: what one round flags does not
// speak in the next, so that a faulty monitor does not blame the others.
//
// Find is a pure function of the raw hours of some weeks. It does not depend on the order in which they came, and its
// work is bounded by their number. It can't see faults that have been there for the whole window, unless staff accepted
// an earlier bias, and it can't tell a clock that is one hour off from air that is carried.
//
// All constants were chosen on Beijing's twelve references (January to March 2015 and June to August 2014) and
// Aberdeen's low-cost network (April 2019) with injected faults, and confirmed on other periods, other random faults
// and on Mexico City and Kolkata.
package fault

import "nhip"

// Cause is what is wrong with a monitor.
type Cause string

// The causes. The values are those of the API and of the database.
const (
	Level     Cause = "level"         // reads too high or too low by something that is none of the following
	Gain      Cause = "gain"          // reads a multiple
	Offset    Cause = "offset"        // reads a constant more or less
	Unit      Cause = "unit"          // reads in another unit
	Drift     Cause = "drift"         // differs more and more
	Zero      Cause = "zero"          // reads nothing
	Burst     Cause = "burst"         // some hours far too high or too low
	Spike     Cause = "spike"         // one hour far too high or too low
	Noise     Cause = "noise"         // scatters more than it did
	Swap      Cause = "swap"          // PM2.5 and PM10 are exchanged
	Clock     Cause = "clock"         // reports the hours of another time
	Stuck     Cause = "stuck"         // reports one value
	Equal     Cause = "equal"         // PM10 is PM2.5 to the last digit
	Contradic Cause = "contradiction" // differs from all others by a factor that no place explains
)

// Causes returns all causes.
func Causes() []Cause {
	return []Cause{
		Level, Gain, Offset, Unit, Drift, Zero, Burst, Spike, Noise, Swap, Clock, Stuck, Equal, Contradic,
	}
}

// Hour is one hour of one quantity at one monitor.
type Hour struct {
	Value     float64 // median of the raw values that no check of the monitor alone failed; NaN without
	Roughness float64 // median absolute difference of successive raw values; NaN without at least roughnessValues
	Constant  bool    // at least constantValues raw values, which are all equal
}

// Monitor is a monitor and its hours in a window.
type Monitor struct {
	LowCost bool
	Lat     float64 // WGS84, NaN if unknown: tells which monitors are compared in a large network
	Lon     float64
	Hours   map[nhip.Quantity][]Hour // each Window.Length long
	// Accepted holds own biases, in ln, that staff accepted. They replace those of the window.
	Accepted map[nhip.Quantity]float64
}

// Window holds the hours of a network.
type Window struct {
	First    int64 // the first hour, in hours since 1970
	Length   int   // number of hours
	Monitors []Monitor
}

// Fault is a span of hours of one quantity at one monitor that are likely to be wrong.
type Fault struct {
	Monitor  int // index in Window.Monitors
	Quantity nhip.Quantity
	Cause    Cause
	From, To int     // hours of the window, From inclusive, To exclusive
	Fail     bool    // certain; else suspect
	Open     bool    // reaches up to the newest value of the monitor
	Strength float64 // evidence in multiples of what flags; at least 1

	// The correction that is proposed: value × Factor + Offset, and Shift hours later. Factor is 1 and the others are 0
	// where none is proposed. Offset is in the quantity's unit.
	Factor, Offset float64
	Shift          int
}

// Result is what Find found.
type Result struct {
	Faults []Fault // sorted by monitor, quantity and time
	// Vouches says of each quantity whether the network can vouch for its monitors. Where monitors are few, far apart or
	// in smoke, it can't, and no level fails.
	Vouches map[nhip.Quantity]bool
	// vouched says it of each monitor.
	vouched []map[nhip.Quantity]bool
	// Bias holds the own bias of each monitor, in ln; absent where the window has too few hours of it.
	Bias []map[nhip.Quantity]float64
}
