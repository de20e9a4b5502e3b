package gtfsrt

import (
	"strings"

	"nhip"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
)

// relationships are the values of TripDescriptor.ScheduleRelationship. The bindings lack the last two.
var relationships = map[gtfs.TripDescriptor_ScheduleRelationship]nhip.TripRelationship{
	0: nhip.TripScheduled, 1: nhip.TripAdded, 2: nhip.TripUnscheduled, 3: nhip.TripCanceled, 5: nhip.TripReplacement,
	6: nhip.TripDuplicated, 7: nhip.TripDeleted, 8: nhip.TripNew,
}

// relationship returns the relationship of a trip, and false for one of a newer version of GTFS-realtime.
func relationship(t *gtfs.TripDescriptor) (nhip.TripRelationship, bool) {
	r, known := relationships[t.GetScheduleRelationship()]
	return r, known
}

// startDate returns a service day as YYYYMMDD. Some feeds write it with dashes.
func startDate(s string) string {
	if len(s) == len("2026-02-16") && s[4] == '-' && s[7] == '-' {
		return s[:4] + s[5:7] + s[8:]
	}
	return s
}

// journey is the trip of a TripDescriptor without the fields that are invalid.
type journey struct {
	trip, route, date, start string
	direction                nhip.Opt[int]
}

// journeyOf returns a trip and reports the fields that it leaves out.
func journeyOf(t *gtfs.TripDescriptor, drop func(error)) journey {
	p := nhip.Position{
		Trip: t.GetTripId(), Route: t.GetRouteId(), StartDate: startDate(t.GetStartDate()), StartTime: t.GetStartTime(),
	}
	if t != nil && t.DirectionId != nil {
		p.Direction = nhip.Some(int(t.GetDirectionId()))
	}
	p.DropInvalid(func(e *nhip.Error) { drop(e) })
	if _, _, ok := nhip.ParseStartTime(p.StartTime); !ok && p.StartTime != "" {
		drop(nhip.Errorf(nhip.CodeOutOfRange, "start_time", "must be HH:MM or HH:MM:SS, got %q", p.StartTime))
		p.StartTime = ""
	}
	return journey{p.Trip, p.Route, p.StartDate, p.StartTime, p.Direction}
}

// text returns a short text, or "" if it is invalid, which it reports.
func text(field, s string, drop func(error)) string {
	s = strings.TrimSpace(s)
	if err := nhip.CheckText(field, s); err != nil {
		drop(err)
		return ""
	}
	return s
}
