package transit

import (
	"nhip/geo/gtfs"
	"nhip/geo/network"
)

// boardingNames are the ways of boarding in answers; the regular one is not mentioned.
var boardingNames = [...]string{
	gtfs.BoardingRegular: "", gtfs.BoardingNone: "none", gtfs.BoardingPhone: "phone_agency",
	gtfs.BoardingDriver: "coordinate_with_driver",
}

// pickupAt returns how riders board a trip at a call; nobody does at the last stop. If the trip is nil, it is what all
// trips of the pattern have in common.
func pickupAt(c network.Call, trip *gtfs.Trip) gtfs.Boarding {
	if c.At == c.Pattern.Last() {
		return gtfs.BoardingNone
	}
	return boardingAt(c, trip, func(s *gtfs.StopTime) gtfs.Boarding { return s.Pickup })
}

// dropOffAt returns how riders get off a trip at a call; nobody does at the first stop.
func dropOffAt(c network.Call, trip *gtfs.Trip) gtfs.Boarding {
	if c.At == 0 {
		return gtfs.BoardingNone
	}
	return boardingAt(c, trip, func(s *gtfs.StopTime) gtfs.Boarding { return s.DropOff })
}

func boardingAt(c network.Call, trip *gtfs.Trip, of func(*gtfs.StopTime) gtfs.Boarding) gtfs.Boarding {
	if trip != nil {
		return of(&trip.StopTimes[c.At])
	}
	common := of(&c.Pattern.Trips[0].StopTimes[c.At])
	for _, t := range c.Pattern.Trips {
		if of(&t.StopTimes[c.At]) != common {
			return gtfs.BoardingRegular
		}
	}
	return common
}

// tripOf returns the trip of an instance, nil if there is none.
func tripOf(inst *network.TripInstance) *gtfs.Trip {
	if inst == nil {
		return nil
	}
	return inst.Trip
}
