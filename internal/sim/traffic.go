package sim

import (
	"math"

	"github.com/paulmach/orb"
)

// Parameters of the buses' motion.
const (
	accelerate        = 1.0  // m/s², comfortable for standing passengers
	brake             = 1.2  // m/s²
	maxCruise         = 16.7 // m/s, 60 km/h: the speed limit of the city's widest streets
	minCruise         = 1.5  // m/s, walking speed: in the worst congestion
	typicalDwell      = 20.0 // s at a stop
	typicalLightDelay = 6.0  // s lost to red lights between two stops: lightShare × a light's mean duration
	lightShare        = 0.3  // fraction of the sections between stops with a red light
)

// startLoss is the time lost by starting and stopping per m/s of cruising speed.
const startLoss = 1/(2*accelerate) + 1/(2*brake)

// cruiseAt has cruising speeds in m/s by second of the day, with linear interpolation. Rush hours are 07–09 and
// 16:30–19.
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

// cruise returns the cruising speed at a second of the day. Seconds after 24:00 are those of the next day.
func cruise(second float64) float64 {
	s := math.Mod(second, day)
	for i := 1; i < len(cruiseAt); i++ {
		if a, b := cruiseAt[i-1], cruiseAt[i]; s <= b.second {
			return lerp(a.speed, b.speed, (s-a.second)/(b.second-a.second))
		}
	}
	return cruiseAt[0].speed
}

// rideTime returns the time, in seconds, from stop to stop without the dwell.
func rideTime(distance, second float64) float64 {
	v := cruise(second)
	return distance/v + v*startLoss + typicalLightDelay
}

// cruiseFor returns the cruising speed that covers distance in seconds, including starting and stopping.
func cruiseFor(distance, seconds float64) float64 {
	// distance/v + v·startLoss = seconds, solved for the slower v.
	root := seconds*seconds - 4*startLoss*distance
	if root < 0 || seconds <= 0 {
		return maxCruise
	}
	return min(max((seconds-math.Sqrt(root))/(2*startLoss), minCruise), maxCruise)
}

// trafficLoad returns the load of streets and buses: 0 at night, 1 in the rush hours.
func trafficLoad(second float64) float64 {
	const free, jam = 11.5, 5.8 // the ends of cruiseAt
	return (free - cruise(second)) / (free - jam)
}

// Congestion changes over 1.5 km and 20 minutes, so that consecutive buses meet the same congestion.
const (
	jamSize  = 1500.0 // m
	jamTime  = 1200.0 // s
	jamShare = 0.25   // maximum change of the ride time, as a fraction
)

// jam returns the factor of congestion on the ride time, at a point in the plane and a time.
func jam(seed uint64, at orb.Point, unix int64) float64 {
	return 1 + jamShare*smooth3(seed, at[0]/jamSize, at[1]/jamSize, float64(unix)/jamTime)
}
