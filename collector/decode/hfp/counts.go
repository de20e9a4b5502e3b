package hfp

import (
	"nhip"
	"nhip/collector/decode/jsonscan"
)

// counts are passenger counts at a stop (apc, apc-partial):
//
//	"vehiclecounts":{"vehicleload":12,"vehicleloadratio":0.15,"countquality":"regular",
//	  "doorcounts":[{"door":"1","count":[{"class":"adult","in":3,"out":0}]}, …]}
type counts struct {
	load    nhip.Opt[int]
	ratio   nhip.Opt[float64]
	in, out nhip.Opt[int] // sums over all doors and classes
	bad     bool          // countquality is not "regular"
}

// setCounts sets the counts of p. A negative load is wrong: it means that more passengers got off than on since
// counting began.
func (c *counts) setCounts(p *nhip.Position) {
	if c.bad {
		return
	}
	p.Boarded, p.Alighted = c.in, c.out
	load, hasLoad := c.load.Get()
	if hasLoad && load < 0 {
		return
	}
	p.Passengers = c.load
	if share, known := c.ratio.Get(); known && share >= 0 {
		p.Occupancy = occupancy(share)
	} else if hasLoad && load == 0 {
		p.Occupancy = nhip.OccupancyEmpty
	}
}

func (c *counts) read(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) (err error) {
		if s.Null() {
			return nil
		}
		switch string(key) {
		case "vehicleload":
			var n int
			n, err = s.Int()
			c.load = nhip.Some(n)
		case "vehicleloadratio":
			c.ratio, err = number(s)
		case "countquality":
			var quality []byte
			quality, err = s.Text()
			c.bad = string(quality) != "regular"
		case "doorcounts":
			err = s.Array(func() error { return c.door(s) })
		default:
			err = s.Skip()
		}
		return err
	})
}

func (c *counts) door(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) error {
		switch {
		case string(key) != "count":
			return s.Skip()
		case s.Null():
			return nil
		}
		return s.Array(func() error { return c.class(s) })
	})
}

func (c *counts) class(s *jsonscan.Scanner) error {
	return s.Object(func(key []byte) error {
		switch {
		case string(key) != "in" && string(key) != "out":
			return s.Skip()
		case s.Null():
			return nil
		case string(key) == "in":
			return add(s, &c.in)
		}
		return add(s, &c.out)
	})
}

// add adds a count to a sum.
func add(s *jsonscan.Scanner, sum *nhip.Opt[int]) error {
	n, err := s.Int()
	if err == nil && (n < 0 || n > nhip.MaxPassengers) {
		err = nhip.Errorf(nhip.CodeOutOfRange, "", "must be between 0 and %d, got %d", nhip.MaxPassengers, n)
	}
	*sum = nhip.Some(sum.Or(0) + n)
	return err
}
