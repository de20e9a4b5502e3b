package sim

import (
	"math"

	"github.com/paulmach/orb"
)

// How buses move, in metres and seconds.
const (
	accelerate = 1.0  // m/s²: standing riders don't fall
	brake      = 1.2  // m/s²
	maxCruise  = 16.7 // m/s, 60 km/h: the limit on the city's widest streets
	minCruise  = 1.5  // m/s, a walk: what the worst jam leaves
	usualDwell = 20.0 // s at a stop
	usualLight = 6.0  // s lost to a red light between two stops, on the average of lightShare × its length
	lightShare = 0.3  // of the gaps between stops have a red light
)

// startLoss is the time that starting and stopping cost per m/s of cruising speed.
const startLoss = 1/(2*accelerate) + 1/(2*brake)

// cruiseAt are free speeds in m/s by seconds of the day, straight in between. Rush hours are 07–09
// and 16:30–19.
var cruiseAt = [...]struct{ second, speed float64 }{
	{0, 11.5},
	{5 * hour, 11.5},
	{6.5 * hour, 9.5},
	{7 * hour, 6.2},
	{9 * hour, 6.2},
	{9.75 * hour, 8.8},
	{15.75 * hour, 8.8},
	{16.5 * hour, 5.8},
	{19 * hour, 5.8},
	{20 * hour, 8.8},
	{22.5 * hour, 11},
	{day, 11.5},
}

// cruise returns the free speed at a second of the day; seconds past 24:00 are the next day's.
func cruise(second float64) float64 {
	s := math.Mod(second, day)
	for i := 1; i < len(cruiseAt); i++ {
		if a, b := cruiseAt[i-1], cruiseAt[i]; s <= b.second {
			return blend(a.speed, b.speed, (s-a.second)/(b.second-a.second))
		}
	}
	return cruiseAt[0].speed
}

// rideTime returns how long a bus takes from stop to stop, without the dwell.
func rideTime(distance, second float64) float64 {
	v := cruise(second)
	return distance/v + v*startLoss + usualLight
}

// cruiseFor returns the cruising speed that covers distance in seconds, from standing to standing.
func cruiseFor(distance, seconds float64) float64 {
	// distance/v + v·startLoss = seconds, solved for the slower v.
	root := seconds*seconds - 4*startLoss*distance
	if root < 0 || seconds <= 0 {
		return maxCruise
	}
	return min(max((seconds-math.Sqrt(root))/(2*startLoss), minCruise), maxCruise)
}

// busyness is 0 at night and 1 in the rush: how full buses and streets are.
func busyness(second float64) float64 {
	const free, jam = 11.5, 5.8 // the ends of cruiseAt
	return (free - cruise(second)) / (free - jam)
}

// Jams come and go over a kilometre and half and a third of an hour, so that what one bus meets the
// next one meets too.
const (
	jamSize  = 1500.0 // m
	jamTime  = 1200.0 // s
	jamShare = 0.25   // of the ride time, more or less
)

// jam returns the factor on the ride time at a place, in flat metres, and a moment.
func jam(seed uint64, at orb.Point, unix int64) float64 {
	return 1 + jamShare*smooth3(seed, at[0]/jamSize, at[1]/jamSize, float64(unix)/jamTime)
}
