package transit

import (
	"cmp"

	"nhip"
	"nhip/api/encode"
	"nhip/geo/gtfs"
	"nhip/geo/index"
)

// StopRef identifies a stop.
type StopRef struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	NameEn string  `json:"name_en,omitempty"` // if the timetable translates it
	Code   string  `json:"code,omitempty"`
	Lat    float64 `json:"lat"`
	Lon    float64 `json:"lon"`
}

// StopRef returns the reference of a stop.
func (t *Timetable) StopRef(s *gtfs.Stop) StopRef {
	return StopRef{
		ID: s.ID, Name: s.Name, NameEn: t.Network.Feed.StopName(s, english), Code: s.Code,
		Lat: encode.Round(s.Point.Lat(), encode.DegreeSteps), Lon: encode.Round(s.Point.Lon(), encode.DegreeSteps),
	}
}

// LineRef identifies a line in one direction.
type LineRef struct {
	Route     string        `json:"route"`
	Line      string        `json:"line"`
	Headsign  string        `json:"headsign"`
	Direction nhip.Opt[int] `json:"direction,omitzero"`
}

// LineOf returns the public number of a route, or its long name if it has none.
func LineOf(r *gtfs.Route) string { return cmp.Or(r.ShortName, r.LongName) }

// lineKey identifies a line in one direction.
type lineKey struct {
	route     *gtfs.Route
	direction nhip.Opt[int]
}

// Stop is a stop with its lines.
type Stop struct {
	StopRef
	Wheelchair string            `json:"wheelchair,omitempty"` // "possible" or "not_possible"
	Distance   nhip.Opt[float64] `json:"distance_m,omitzero"`  // set by callers that search around a place
	Lines      []LineRef         `json:"lines"`
}

// Stop returns a stop with its lines.
func (t *Timetable) Stop(s *gtfs.Stop) Stop {
	out := Stop{
		StopRef: t.StopRef(s), Lines: []LineRef{}, Wheelchair: [...]string{"", "possible", "not_possible"}[s.Wheelchair],
	}
	seen := make(map[lineKey]bool)
	for _, c := range t.Network.CallsAt(s) {
		key := lineKey{c.Pattern.Route, c.Pattern.Direction}
		if seen[key] {
			continue
		}
		seen[key] = true
		out.Lines = append(out.Lines, LineRef{
			c.Pattern.Route.ID, LineOf(c.Pattern.Route), c.Pattern.Headsign, c.Pattern.Direction,
		})
	}
	return out
}

// FindStop returns the platform with an id, nil if it does not exist.
func (t *Timetable) FindStop(id string) *gtfs.Stop {
	if s := t.Network.Feed.Stop(id); s != nil && s.LocationType == gtfs.LocationPlatform {
		return s
	}
	return nil
}

// Stops returns the index of all stops at which trips call.
func (t *Timetable) Stops() *index.Index[*gtfs.Stop] { return t.stops }
