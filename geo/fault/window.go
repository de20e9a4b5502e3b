package fault

import (
	"math"
	"slices"
)

// An hour is judged from a window of WindowHours. Its verdict is renewed until the window reaches
// (FinalBlocks-1) to FinalBlocks blocks beyond it, and is final then: late evidence of a slow drift counts, and which
// window decides depends on the hour and the oldest one alone. The first hours of all are judged from the first whole
// window.
const (
	WindowHours = 30 * 24
	BlockHours  = 5 * 24
	FinalBlocks = 3
)

// BlockOf returns the block of an hour, both counted since 1970.
func BlockOf(hour int64) int64 {
	if hour < 0 {
		return -1
	}
	return hour / BlockHours
}

// WindowOf returns the hours of the window that judges a block, from inclusive, to exclusive. oldest and newest are the
// first and last hour that any monitor has; final reports whether the window will not change any more.
func WindowOf(block, oldest, newest int64) (from, to int64, final bool) {
	to = max((block+FinalBlocks)*BlockHours, BlockOf(oldest)*BlockHours+WindowHours)
	final = to <= newest+1
	to = min(to, newest+1)
	return to - WindowHours, to, final
}

// FirstOpen returns the first block whose window still grows. Those before it are final.
func FirstOpen(oldest, newest int64) int64 {
	first := BlockOf(oldest)
	if first*BlockHours+WindowHours > newest+1 {
		return first
	}
	return BlockOf(newest+1) - FinalBlocks + 1
}

// BlocksAround returns the first and the last block whose windows contain an hour.
func BlocksAround(hour, oldest, newest int64) (first, last int64) {
	block, start := BlockOf(hour), BlockOf(oldest)
	first, last = block-FinalBlocks+1, block+WindowHours/BlockHours-FinalBlocks
	if block < start+WindowHours/BlockHours {
		first = start // the first window judges all blocks up to this one
	}
	if hour > newest-WindowHours {
		last = max(last, BlockOf(newest)) // all that are not final are judged from the same window
	}
	return max(first, start), last
}

// Least numbers of raw values.
const (
	minValues       = 3  // of an hour's median, where the monitor reports so many
	roughnessValues = 6  // of the roughness
	constantValues  = 10 // of an hour without any change
)

// IsConstant reports whether so many raw values between two show an hour without any change.
func IsConstant(n int, low, high float64) bool { return n >= constantValues && low == high }

// NoHours returns n hours without a value.
func NoHours(n int) []Hour {
	out := make([]Hour, n)
	for t := range out {
		out[t] = Hour{Value: math.NaN(), Roughness: math.NaN()}
	}
	return out
}

// NewHour sums up the raw values of an hour in the order of their time, without those that failed a check of the
// monitor alone. expected is the number of values that the monitor reports in an hour.
func NewHour(values []float64, expected float64) Hour {
	h := Hour{Value: math.NaN(), Roughness: math.NaN()}
	if len(values) == 0 || float64(len(values)) < min(minValues, expected) {
		return h
	}
	h.Constant = IsConstant(len(values), slices.Min(values), slices.Max(values))
	if len(values) >= roughnessValues {
		steps := make([]float64, 0, len(values)-1)
		for k := 1; k < len(values); k++ {
			steps = append(steps, math.Abs(values[k]-values[k-1]))
		}
		h.Roughness = median(steps)
	}
	h.Value = median(slices.Clone(values))
	return h
}
