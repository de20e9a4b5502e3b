package gtfsrt

import (
	"cmp"

	"nhip"
	"nhip/api/transit"
	geogtfs "nhip/geo/gtfs"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/proto"
)

// serviceAlerts adds the alerts that are active or will be.
func (b *builder) serviceAlerts() error {
	t, _ := b.transit.Timetable() // nil if there is none: what an alert is about can't be checked then
	for _, a := range b.transit.ServiceAlerts(transit.Everything, true) {
		b.serviceAlert(t, a.ServiceAlert)
		if a.Feed == nhip.WrittenFeed {
			b.newest = b.now // those hold until a dispatcher or the clock ends them, however old they are
		}
	}
	for _, f := range b.transit.ServiceFeeds() {
		if f.Time.After(b.newest) {
			b.newest = f.Time
		}
	}
	return nil
}

func (b *builder) serviceAlert(t *transit.Timetable, a *nhip.ServiceAlert) {
	out := &gtfs.Alert{
		HeaderText: translated(a.Header), DescriptionText: translated(a.Description), Url: translated(a.URL),
	}
	if code, known := gtfs.Alert_Cause_value[a.Cause]; known {
		out.Cause = gtfs.Alert_Cause(code).Enum()
	}
	if code, known := effectCode(a.Effect); known {
		out.Effect = gtfs.Alert_Effect(code).Enum()
	}
	if code, known := gtfs.Alert_SeverityLevel_value[a.Severity]; known {
		out.SeverityLevel = gtfs.Alert_SeverityLevel(code).Enum()
	}
	for _, p := range a.Periods {
		span := &gtfs.TimeRange{}
		if !p.From.IsZero() {
			span.Start = seconds(p.From)
		}
		if !p.To.IsZero() {
			span.End = seconds(p.To)
		}
		out.ActivePeriod = append(out.ActivePeriod, span)
	}
	for i := range a.Informed {
		if e := selector(t, &a.Informed[i]); e != nil {
			out.InformedEntity = append(out.InformedEntity, e)
		}
	}
	if len(out.InformedEntity) == 0 && a.Feed != nhip.WrittenFeed { // those name what they mean, an agency too
		out.InformedEntity = agencySelector(t, a.Agency) // E032
	}
	if len(out.InformedEntity) > 0 {
		b.add(&gtfs.FeedEntity{Id: proto.String(a.Feed + "|" + a.ID), Alert: out}, a.Time, a.Agency)
	}
}

// effectCode returns the number of an effect. The bindings lack ACCESSIBILITY_ISSUE.
func effectCode(name string) (code int32, known bool) {
	const accessibility = 11
	if name == "ACCESSIBILITY_ISSUE" {
		return accessibility, true
	}
	code, known = gtfs.Alert_Effect_value[name]
	return code, known
}

// agencySelector selects an agency, or the only one of the timetable if the timetable does not have that one (E034).
func agencySelector(t *transit.Timetable, id string) []*gtfs.EntitySelector {
	if t == nil {
		return []*gtfs.EntitySelector{{AgencyId: &id}}
	}
	all := t.Network.Feed.Agencies
	for _, a := range all {
		if a.ID == id && id != "" {
			return []*gtfs.EntitySelector{{AgencyId: &a.ID}}
		}
	}
	if len(all) == 1 && all[0].ID != "" {
		return []*gtfs.EntitySelector{{AgencyId: &all[0].ID}}
	}
	return nil
}

// selector selects what an alert is about. It returns nil if the timetable does not have it (E003, E004, E011, E034):
// the operator's other selectors still hold.
func selector(t *transit.Timetable, e *nhip.InformedEntity) *gtfs.EntitySelector {
	s := &gtfs.EntitySelector{}
	if e.Agency != "" {
		s.AgencyId = &e.Agency
	}
	if e.Route != "" {
		s.RouteId = &e.Route
	}
	if e.Stop != "" {
		s.StopId = &e.Stop
	}
	if kind, known := e.RouteType.Get(); known {
		s.RouteType = proto.Int32(int32(kind))
	}
	if direction, known := e.Direction.Get(); known && e.Route != "" && e.Trip == "" {
		s.DirectionId = proto.Uint32(uint32(direction))
	}
	if e.Trip != "" {
		s.Trip = &gtfs.TripDescriptor{TripId: &e.Trip, ScheduleRelationship: gtfs.TripDescriptor_SCHEDULED.Enum()}
		if e.StartDate != "" {
			s.Trip.StartDate = &e.StartDate
		}
	}
	if proto.Size(s) == 0 || t != nil && !known(t.Network.Feed, e) {
		return nil // E033
	}
	return s
}

// known reports whether the timetable has all that a selector names, and the trip is of the route (E030).
func known(feed *geogtfs.Feed, e *nhip.InformedEntity) bool {
	if e.Route != "" && feed.Route(e.Route) == nil || e.Stop != "" && feed.Stop(e.Stop) == nil {
		return false
	}
	if e.Trip != "" {
		trip := feed.Trip(e.Trip)
		if trip == nil || e.Route != "" && trip.Route.ID != e.Route {
			return false
		}
	}
	if e.Agency == "" {
		return true
	}
	for _, a := range feed.Agencies {
		if a.ID == e.Agency {
			return true
		}
	}
	return false
}

// translated returns a text in its languages, nil for none.
func translated(all []nhip.Translation) *gtfs.TranslatedString {
	if len(all) == 0 {
		return nil
	}
	out := &gtfs.TranslatedString{}
	for _, t := range all {
		x := &gtfs.TranslatedString_Translation{Text: proto.String(cmp.Or(t.Text, " "))}
		if t.Language != "" {
			x.Language = &t.Language
		}
		out.Translation = append(out.Translation, x)
	}
	return out
}
