package gtfs

import (
	"archive/zip"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/paulmach/orb"
)

// Write writes the feed as a zip archive. Equal feeds give equal bytes. A missing reference that GTFS requires (a
// trip without a route, a stop time without a stop) is an error; nothing else is checked.
func (f *Feed) Write(w io.Writer) error {
	if err := f.checkReferences(); err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, t := range outTables {
		if err := f.writeTable(z, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return z.Close()
}

func (f *Feed) checkReferences() error {
	if len(f.Agencies) == 0 {
		return &Error{File: "agency.txt", Rule: "must have an agency"}
	}
	for _, r := range f.Routes {
		if r.Agency == nil {
			return &Error{File: "routes.txt", Field: "agency_id", Rule: "route " + r.ID + " has no agency"}
		}
	}
	for _, s := range f.Services {
		if s.Start == 0 && len(s.Added)+len(s.Removed) == 0 {
			return &Error{File: "calendar.txt", Field: "service_id", Rule: "service " + s.ID + " has no days"}
		}
	}
	for _, t := range f.Trips {
		if t.Route == nil || t.Service == nil {
			return &Error{File: "trips.txt", Rule: "trip " + t.ID + " must have a route and a service"}
		}
		for i := range t.StopTimes {
			if t.StopTimes[i].Stop == nil {
				return &Error{File: "stop_times.txt", Field: "stop_id", Rule: "a stop time of trip " + t.ID + " has no stop"}
			}
		}
	}
	return nil
}

// outTable defines one file: its header and a function that passes its rows to put.
type outTable struct {
	name   string
	header []string
	rows   func(f *Feed, put func(...string))
}

func (f *Feed) writeTable(z *zip.Writer, t outTable) error {
	file, err := z.Create(t.name) // without a modification time, so that the bytes depend on the feed only
	if err != nil {
		return err
	}
	w := csv.NewWriter(file)
	if err := w.Write(t.header); err != nil {
		return err
	}
	t.rows(f, func(row ...string) {
		if err == nil {
			err = w.Write(row)
		}
	})
	w.Flush()
	if err != nil {
		return err
	}
	return w.Error()
}

// coordinates returns lat and lon with all digits, or "" for the zero point.
func coordinates(p orb.Point) (lat, lon string) {
	if p == (orb.Point{}) {
		return "", ""
	}
	return strconv.FormatFloat(p.Lat(), 'f', -1, 64), strconv.FormatFloat(p.Lon(), 'f', -1, 64)
}

func formatDist(d float32) string {
	if d == NoDist {
		return ""
	}
	return strconv.FormatFloat(float64(d), 'f', -1, 32)
}

// formatBool formats a boolean as GTFS does.
func formatBool(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func formatInt[T ~int | ~int32 | ~uint8](n T) string { return strconv.Itoa(int(n)) }
