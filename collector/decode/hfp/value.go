package hfp

import (
	"nhip"
	"nhip/collector/decode/jsonscan"
)

// number reads a number that may be in quotes, as in HSL's passenger counts.
func number(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	f, err := s.FloatOrString()
	return nhip.Some(f), err
}

// speed reads m/s. A negative speed results from a reset of the odometer between trips; it is ignored, and the rest of
// the event is valid.
func speed(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	v, err := s.Float()
	if v < 0 {
		return nhip.Opt[float64]{}, err
	}
	return nhip.Some(v), err
}

// delay reads seconds ahead of the timetable, and converts them to seconds behind it.
func delay(s *jsonscan.Scanner) (nhip.Opt[int], error) {
	ahead, err := s.Int()
	if err == nil && (ahead < -nhip.MaxDelay || ahead > nhip.MaxDelay) {
		err = nhip.Errorf(nhip.CodeOutOfRange, "", "must be between %d and %d, got %d", -nhip.MaxDelay, nhip.MaxDelay, ahead)
	}
	return nhip.Some(-ahead), err
}

func doors(s *jsonscan.Scanner) (nhip.Opt[bool], error) {
	n, err := s.Int()
	if err == nil && n != 0 && n != 1 {
		err = nhip.Errorf(nhip.CodeOutOfRange, "", "must be 0 (all closed) or 1, got %d", n)
	}
	return nhip.Some(n == 1), err
}

// occu reads a load in percent. 0 is ignored, because buses without counters send it too.
func occu(s *jsonscan.Scanner) (nhip.Occupancy, error) {
	percent, err := s.Int()
	if err == nil && (percent < 0 || percent > 100) {
		err = nhip.Errorf(nhip.CodeOutOfRange, "", "must be between 0 and 100, got %d", percent)
	}
	if err != nil || percent == 0 {
		return "", err
	}
	return occupancy(float64(percent) / 100), nil
}

// occupancy converts a load, as a share of the capacity, to the status of GTFS-realtime, with the thresholds of HSL's
// own converter.
func occupancy(share float64) nhip.Occupancy {
	switch {
	case share < 0.05:
		return nhip.OccupancyEmpty
	case share < 0.2:
		return nhip.OccupancyManySeats
	case share < 0.5:
		return nhip.OccupancyFewSeats
	case share < 0.7:
		return nhip.OccupancyStanding
	case share < 0.9:
		return nhip.OccupancyCrushed
	}
	return nhip.OccupancyFull
}
