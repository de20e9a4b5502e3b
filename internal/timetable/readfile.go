package timetable

import (
	"errors"

	"nhip/geo/gtfs"
	"nhip/internal/recovery"
)

// errPanicked is the error of a timetable at which the reader panics.
var errPanicked = errors.New("the reader of timetables failed on it; this is a fault of nhip")

// CountPanics makes the source count panics with a guard.
func (s *Source) CountPanics(g *recovery.Guard) { s.guard = g }

// UseAgency sets the agency of timetables that have none; nil refuses them.
func (s *Source) UseAgency(a *gtfs.Agency) { s.agency = a }

// readFile reads a timetable, which a publisher may have made in any way. A panic is an error of this file.
func (s *Source) readFile(path string) (f *gtfs.Feed, err error) {
	defer s.guard.Recover("timetable", func() { f, err = nil, errPanicked })
	f, _, err = ReadFile(path, gtfs.Options{Agency: s.agency})
	return f, err
}
