// Package audit computes flags, roll-ups, indices and exceedances of a station a second time, from the raw readings,
// and compares them with those that the platform serves. It is written as plainly as the regulations read, for every
// hour and every day anew, and shares nothing with the packages that it checks but the tables: breakpoints, limits and
// the ranges of instruments.
//
// Of the automatic checks it repeats those of the station alone, but for its channels and its position (see Checks).
// The others are taken as stored, above all those from the network, which need all monitors: of these a flag is only
// compared with the tests that led to it. Corrections are taken as stored, too.
package audit

import (
	"cmp"
	"slices"
)

// Run audits a station.
func Run(s *Station) *Report {
	r := &Report{}
	r.checkFlags(s)
	for i := range s.Served {
		served := &s.Served[i]
		hours := s.hours(served.Quality)
		days := s.periods(hours, "2006-01-02")
		months := s.periods(hours, "2006-01")
		r.compareRollups(s, served, hours, days, months)
		r.compareIndices(s, served, hours, days)
		r.compareExceedances(s, served, hours, days)
	}
	slices.SortStableFunc(r.Differences, func(a, b Difference) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Quantity, b.Quantity))
	})
	return r
}
