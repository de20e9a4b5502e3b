package gtfs

import (
	"nhip"
)

type tripColumns struct{ id, route, service, shape, headsign, short, direction, block column }

func (l *loader) trip(t *table, c *tripColumns) *Trip {
	trip := &Trip{
		ID: t.id(c.id), Route: l.routes[t.text(c.route)], Service: l.services[t.text(c.service)],
		Headsign: t.keep(c.headsign), ShortName: t.keep(c.short), Block: t.keep(c.block),
	}
	if trip.Route == nil {
		t.fail(c.route, "names the unknown route %q", t.text(c.route))
	}
	if trip.Service == nil {
		t.fail(c.service, "names the unknown service %q", t.text(c.service))
	}
	if d, given := t.integer(c.direction, 0, 1); given {
		trip.Direction = nhip.Some(d)
	}
	if id := t.text(c.shape); id != "" {
		if trip.Shape = l.shapes[id]; trip.Shape == nil {
			t.fail(c.shape, "names the unknown shape %q", id)
		}
	}
	return trip
}
