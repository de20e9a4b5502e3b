package hfp

import (
	"nhip"
	"nhip/collector/decode/jsonscan"
)

// number reads a number that may stand in quotes, as HSL's passenger counts have them.
func number(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	f, err := s.PlainFloat()
	return nhip.Some(f), err
}

// speed reads m/s. A negative one is what the odometer makes of being set back between trips: it
// says nothing, and the event it comes with is sound.
func speed(s *jsonscan.Scanner) (nhip.Opt[float64], error) {
	v, err := s.Float()
	if v < 0 {
		return nhip.Opt[float64]{}, err
	}
	return nhip.Some(v), err
}

// delay turns seconds ahead of the timetable into seconds behind it.
func delay(s *jsonscan.Scanner) (nhip.Opt[int], error) {
	ahead, err := s.Int()
	if err == nil && (ahead < -nhip.MaxDelay || ahead > nhip.MaxDelay) {
		err = nhip.Errorf(nhip.OutOfRange, "", "must be between %d and %d, got %d", -nhip.MaxDelay, nhip.MaxDelay, ahead)
	}
	return nhip.Some(-ahead), err
}

func doors(s *jsonscan.Scanner) (nhip.Opt[bool], error) {
	n, err := s.Int()
	if err == nil && n != 0 && n != 1 {
		err = nhip.Errorf(nhip.OutOfRange, "", "must be 0 (all closed) or 1, got %d", n)
	}
	return nhip.Some(n == 1), err
}

// occu reads a load in percent. 0 says nothing: buses without counters send it too.
func occu(s *jsonscan.Scanner) (nhip.Occupancy, error) {
	percent, err := s.Int()
	if err == nil && (percent < 0 || percent > 100) {
		err = nhip.Errorf(nhip.OutOfRange, "", "must be between 0 and 100, got %d", percent)
	}
	if err != nil || percent == 0 {
		return "", err
	}
	return occupancy(float64(percent) / 100), nil
}

// occupancy turns a load, as a share of the places, into GTFS-realtime's words, by the steps that
// HSL's own converter uses.
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
