package gtfs

import (
	"time"

	"github.com/paulmach/orb"

	"nhip"
)

func (l *loader) readAgencies() error {
	return l.table("agency.txt", func(t *table) {
		id, name, url := t.column("agency_id"), t.need("agency_name"), t.need("agency_url")
		zone, lang := t.need("agency_timezone"), t.column("agency_lang")
		for t.next() {
			a := &Agency{
				ID: t.keep(id), Name: t.keepNeeded(name), URL: t.keepNeeded(url),
				Location: l.zone(t, zone), Language: t.keep(lang),
			}
			if l.agencies[a.ID] != nil {
				t.fail(id, "%q is there twice", a.ID)
			}
			l.agencies[a.ID] = a
			l.feed.Agencies = append(l.feed.Agencies, a)
		}
		if t.failed() == nil && len(l.feed.Agencies) == 0 {
			t.err = &Error{File: t.name, Rule: "must have an agency"}
		}
	})
}

// zone returns the time zone, the same for every agency as GTFS asks.
func (l *loader) zone(t *table, c column) *time.Location {
	name := t.keepNeeded(c)
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // "Local" is Go's word for the machine's own zone
		t.fail(c, "must be an IANA time zone, got %q", name)
		return nil
	}
	if have := l.feed.Agencies; len(have) > 0 && have[0].Location.String() != name {
		t.fail(c, "must be the same for every agency: %s, got %s", have[0].Location, name)
	}
	return loc
}

func (l *loader) readStops() error {
	err := l.table("stops.txt", func(t *table) {
		c := stopColumns{
			id: t.need("stop_id"), code: t.column("stop_code"), name: t.need("stop_name"),
			lat: t.need("stop_lat"), lon: t.need("stop_lon"), kind: t.column("location_type"),
			parent: t.column("parent_station"), wheelchair: t.column("wheelchair_boarding"),
		}
		for t.next() {
			s := c.stop(t)
			if l.stops[s.ID] != nil {
				t.fail(c.id, "%q is there twice", s.ID)
			}
			l.stops[s.ID] = s
			l.feed.Stops = append(l.feed.Stops, s)
		}
	})
	if err != nil {
		return err
	}
	return l.checkParents()
}

type stopColumns struct{ id, code, name, lat, lon, kind, parent, wheelchair column }

func (c *stopColumns) stop(t *table) *Stop {
	s := &Stop{
		ID: t.id(c.id), Code: t.keep(c.code), Name: t.keep(c.name),
		Kind: t.choice(c.kind, int(BoardingArea)), Parent: t.keep(c.parent),
		Wheelchair: t.choice(c.wheelchair, 2),
	}
	if s.Kind <= Entrance { // the others may stand at their parent's place without a name
		t.keepNeeded(c.name)
	}
	s.Point = t.point(c.lat, c.lon, s.Kind <= Entrance)
	return s
}

// point returns WGS84 coordinates; both or neither where they may be left out.
func (t *table) point(lat, lon column, needed bool) orb.Point {
	y, ok1 := t.number(lat)
	x, ok2 := t.number(lon)
	switch {
	case !ok1 && (needed || ok2):
		t.fail(lat, "is required")
	case !ok2 && (needed || ok1):
		t.fail(lon, "is required")
	case ok1 && ok2:
		t.checkPoint(orb.Point{x, y}, lat, lon)
	}
	return orb.Point{x, y}
}

func (t *table) checkPoint(p orb.Point, lat, lon column) {
	err := nhip.CheckPoint(p)
	if err == nil {
		return
	}
	c := lat
	if !(p.Lon() >= -180 && p.Lon() <= 180) {
		c = lon
	}
	t.fail(c, "%s", err)
}

// checkParents is a second pass because stations may come after their platforms.
func (l *loader) checkParents() error {
	for _, s := range l.feed.Stops {
		if s.Parent != "" && l.stops[s.Parent] == nil {
			return &Error{
				File: "stops.txt", Field: "parent_station",
				Rule: "stop " + s.ID + " names the unknown stop " + s.Parent,
			}
		}
	}
	return nil
}

func (l *loader) readRoutes() error {
	return l.table("routes.txt", func(t *table) {
		id, agency, kind := t.need("route_id"), t.column("agency_id"), t.need("route_type")
		short, long := t.column("route_short_name"), t.column("route_long_name")
		color, textColor := t.column("route_color"), t.column("route_text_color")
		for t.next() {
			r := &Route{
				ID: t.id(id), Agency: l.agency(t, agency), ShortName: t.keep(short), LongName: t.keep(long),
				Type: t.integerNeeded(kind, 0, maxRouteType), Color: t.color(color), TextColor: t.color(textColor),
			}
			if r.ShortName == "" && r.LongName == "" {
				t.fail(short, "a route must have a short or a long name")
			}
			if l.routes[r.ID] != nil {
				t.fail(id, "%q is there twice", r.ID)
			}
			l.routes[r.ID] = r
			l.feed.Routes = append(l.feed.Routes, r)
		}
	})
}

// maxRouteType is the end of the extended route types that Google's feeds use.
const maxRouteType = 1799

// agency returns the row's agency; it may be left out where there is only one.
func (l *loader) agency(t *table, c column) *Agency {
	id := t.text(c)
	if a := l.agencies[id]; a != nil {
		return a
	}
	if id == "" && len(l.feed.Agencies) == 1 {
		return l.feed.Agencies[0]
	}
	t.fail(c, "names the unknown agency %q", id)
	return nil
}

// color returns RRGGBB or nothing.
func (t *table) color(c column) string {
	s := t.keep(c)
	if s == "" {
		return s
	}
	for i := range len(s) {
		hex := s[i] >= '0' && s[i] <= '9' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'f'
		if len(s) != 6 || !hex {
			t.fail(c, "must be a colour as RRGGBB, got %q", s)
			return ""
		}
	}
	return s
}

func (l *loader) readInfo() error {
	return l.optional("feed_info.txt", func(t *table) {
		name, url := t.need("feed_publisher_name"), t.need("feed_publisher_url")
		lang, version := t.need("feed_lang"), t.column("feed_version")
		start, end := t.column("feed_start_date"), t.column("feed_end_date")
		if t.next() {
			l.feed.Info = &Info{
				Publisher: t.keep(name), URL: t.keep(url), Language: t.keep(lang), Version: t.keep(version),
				Start: t.optionalDate(start), End: t.optionalDate(end),
			}
		}
	})
}
