package collector

import (
	"nhip"
	"nhip/collector/record"
	"nhip/geo/gtfs"
)

// resolve translates the ids of a feed that names its timetable to those of the timetables in use, which are merged:
// both may have a trip "1".
func (d *decodeStage) resolve(f *feed, o *record.Outcome) {
	if f.Timetable == 0 || d.timetable == nil {
		return
	}
	inUse := d.timetable()
	if inUse == nil || len(inUse.Trips) == 0 {
		return // none is loaded
	}
	names := inUse.NamesOf(f.Timetable - 1)
	for i := range o.Facts.Positions {
		p := &o.Facts.Positions[i]
		p.Trip, p.Route = names.Trip(p.Trip), names.Route(p.Route)
		p.NextStop, p.Stop = names.Stop(p.NextStop), names.Stop(p.Stop)
		p.Resolved = true
	}
	if o.Facts.Service != nil {
		resolveService(o.Facts.Service, names)
	}
}

func resolveService(r *nhip.ServiceReport, names gtfs.Names) {
	for i := range r.Trips {
		u := &r.Trips[i]
		u.Trip, u.Route = names.Trip(u.Trip), names.Route(u.Route)
		for k := range u.Stops {
			s := &u.Stops[k]
			s.Stop, s.Assigned = names.Stop(s.Stop), names.Stop(s.Assigned)
		}
	}
	for i := range r.Alerts {
		for k := range r.Alerts[i].Informed {
			e := &r.Alerts[i].Informed[k]
			e.Agency, e.Route = names.Agency(e.Agency), names.Route(e.Route)
			e.Stop, e.Trip = names.Stop(e.Stop), names.Trip(e.Trip)
		}
	}
}
