package reports

import (
	"slices"
	"time"

	"nhip"
	"nhip/api/scope"
)

// Reader is a member of staff who reads the queue.
type Reader struct {
	Role nhip.Role
	View scope.View
}

// Sees reports whether a report is in the reader's queue: the role handles its group, and its place is in scope. Zones,
// areas and stations limit reports by their place and the monitor nearest to it, agencies those on buses by the agency
// of the bus, the line or the stop. A report without a place is in the queue of those whom no place limits.
func (r Reader) Sees(report *nhip.CitizenReport) bool {
	service, known := FindService(report.Service)
	switch {
	case !known:
		return r.Role == nhip.RoleAdmin
	case !r.Role.May(service.Group.Permission()):
		return false
	}
	place := nhip.Station{
		ID: report.Known.Station, Area: report.Known.Area, Lat: report.Lat, Lon: report.Lon,
	}
	if !r.View.Station(&place) {
		return false
	}
	if service.Group != Transport || !r.View.Limits().LimitsAgencies() {
		return true
	}
	return report.Known.Agency != "" && r.View.Agency(report.Known.Agency)
}

// Filter selects reports. Zero fields select all.
type Filter struct {
	IDs      []string
	Services []string
	Statuses []nhip.ReportStatus
	From, To time.Time // of the receipt, both included
	Group    Group
	Zone     string // as kind/id
	Assignee string
	Reader   *Reader // nil: the public
}

// selects reports whether the filter selects a report.
func (f *Filter) selects(r *nhip.CitizenReport) bool {
	switch {
	case len(f.IDs) > 0 && !slices.Contains(f.IDs, r.ID),
		len(f.Services) > 0 && !slices.Contains(f.Services, r.Service),
		len(f.Statuses) > 0 && !slices.Contains(f.Statuses, r.Status),
		!f.From.IsZero() && r.Received.Before(f.From),
		!f.To.IsZero() && r.Received.After(f.To),
		f.Assignee != "" && f.Assignee != r.Assignee:
		return false
	}
	if f.Group != "" {
		if s, ok := FindService(r.Service); !ok || s.Group != f.Group {
			return false
		}
	}
	inZone := func(z nhip.ReportZone) bool { return z.ID == f.Zone }
	if f.Zone != "" && !slices.ContainsFunc(r.Known.Zones, inZone) {
		return false
	}
	return f.Reader == nil || f.Reader.Sees(r)
}
