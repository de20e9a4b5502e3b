package gtfs

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"

	"github.com/paulmach/orb"
)

// readAgencies reads the agencies. All must have one time zone, that of the first one with a valid one; the routes of
// others are left out. If none can be read, the agency of the configuration is used, if there is one.
func (l *loader) readAgencies() error {
	const name = "agency.txt"
	zone, err := l.firstZone(name)
	if err == nil {
		err = l.table(name, func(t *table) { l.readAgencyRows(t, zone) })
	}
	if err == nil && len(l.feed.Agencies) == 0 {
		err = &Error{File: name, Rule: "names no agency", code: codeMissingField}
	}
	var fault *Error
	if l.agency == nil || !errors.As(err, &fault) || fault.bound {
		return err
	}
	l.findings.Add(Finding{
		SeverityWarning, fault.code, name, fault.Line, fault.Field, fault.Rule,
		fmt.Sprintf("the agency is that of the configuration: %q in %s", l.agency.Name, l.agency.Location),
	})
	own := *l.agency
	l.agencies[own.ID] = &own
	l.feed.Agencies = []*Agency{&own}
	return nil
}

// firstZone returns the first valid time zone of the agencies; without one, that of the configuration.
func (l *loader) firstZone(name string) (zone *time.Location, err error) {
	err = l.readTable(name, nil, func(t *table) {
		none := &Error{
			File: t.name, Field: "agency_timezone", Rule: "no agency has an IANA time zone", code: codeInvalidTimezone,
		}
		for c := t.require("agency_timezone"); zone == nil && t.next(); {
			zone = guessZone(t.text(c))
			if zone == nil && none.Line == 0 {
				none.Line, none.Rule = t.line(), fmt.Sprintf("must be an IANA time zone, got %q", clip(t.text(c)))
			}
		}
		if t.err == nil && zone == nil && l.agency != nil {
			zone = l.agency.Location
		}
		if t.err == nil && zone == nil {
			t.err = none
		}
	})
	return zone, err
}

func (l *loader) readAgencyRows(t *table, zone *time.Location) {
	id, name, url := t.column("agency_id"), t.expect("agency_name", "its id is the name"),
		t.expect("agency_url", valueLeftOut)
	in, lang := t.require("agency_timezone"), t.column("agency_lang")
	phone, email, fares := t.column("agency_phone"), t.column("agency_email"), t.column("agency_fare_url")
	for t.next() {
		a := &Agency{
			ID: t.keep(id), Name: t.keep(name), URL: t.keep(url), Language: t.keep(lang),
			Location: l.timeZone(t, in, zone), Phone: t.keep(phone), Email: t.keep(email), FareURL: t.keep(fares),
		}
		if a.Name == "" {
			a.Name = a.ID
			t.blank(name, "its id is the name")
		}
		if a.URL == "" {
			t.blank(url, "the agency has no address")
		}
		if l.agencies[a.ID] != nil {
			t.leaveOut(codeDuplicateKey, id, "duplicate id %q", a.ID)
		}
		if a.Location == nil {
			l.foreign[a.ID] = true
		}
		if t.rowFailed || a.Location == nil || !t.hold(unsafe.Sizeof(*a)+mapEntry+reference) {
			continue
		}
		l.agencies[a.ID] = a
		l.feed.Agencies = append(l.feed.Agencies, a)
	}
}

// timeZone returns the time zone of an agency: that of the feed, or nil if it is in another one.
func (l *loader) timeZone(t *table, c column, zone *time.Location) *time.Location {
	name := t.text(c)
	own := guessZone(name)
	switch {
	case own == nil:
		t.find(SeverityWarning, codeInvalidTimezone, c, "is taken as "+zone.String(), "must be an IANA time zone, got %q",
			clip(name))
	case !SameZone(own, zone):
		t.find(SeverityError, codeTwoZones, c, "the agency and its routes are left out",
			"must be the same for all agencies: %s, got %s", zone, name)
		return nil
	case loadZone(name) == nil:
		t.find(SeverityWarning, codeInvalidTimezone, c, "is taken as "+own.String(), "must be an IANA time zone, got %q",
			clip(name))
	}
	return zone
}

func (l *loader) readStops() error {
	var lines []int32
	err := l.table("stops.txt", func(t *table) {
		c := stopColumns{
			id: t.require("stop_id"), code: t.column("stop_code"), name: t.expect("stop_name", "codes and ids are the names"),
			lat: t.require("stop_lat"), lon: t.require("stop_lon"), kind: t.column("location_type"),
			parent: t.column("parent_station"), wheelchair: t.column("wheelchair_boarding"),
		}
		for t.next() {
			s := c.stop(t)
			if l.stops[s.ID] != nil {
				t.leaveOut(codeDuplicateKey, c.id, "duplicate id %q", s.ID)
			}
			if t.rowFailed || !t.hold(unsafe.Sizeof(*s)+mapEntry+reference) {
				continue
			}
			l.stops[s.ID] = s
			l.feed.Stops = append(l.feed.Stops, s)
			lines = append(lines, int32(t.line()))
		}
	})
	if err == nil {
		l.checkParents(lines)
	}
	return err
}

type stopColumns struct{ id, code, name, lat, lon, kind, parent, wheelchair column }

func (c *stopColumns) stop(t *table) *Stop {
	s := &Stop{
		ID: t.id(c.id), Code: t.keep(c.code), Name: t.keep(c.name),
		LocationType: t.choice(c.kind, int(LocationBoardingArea)), Parent: t.intern(t.ref(c.parent)),
		Wheelchair: t.choice(c.wheelchair, 2),
	}
	needed := s.LocationType <= LocationEntrance // other types may be at their parent's place and need no name
	if needed && s.Name == "" {
		s.Name = cmp.Or(s.Code, s.ID)
		t.blank(c.name, "its code or id is the name")
	}
	s.Point, _ = t.point(c.lat, c.lon)
	return s
}

// checkParents checks the parents after all stops are read, because stations may come after their platforms. A stop
// without a place gets that of its parent. One that has none at all is left out.
func (l *loader) checkParents(lines []int32) {
	kept := l.feed.Stops[:0]
	for i, s := range l.feed.Stops {
		parent := l.stops[s.Parent]
		if s.Parent != "" && parent == nil {
			l.findings.Add(Finding{
				SeverityWarning, codeForeignKey, "stops.txt", int(lines[i]), "parent_station",
				"the stop " + s.ID + " refers to the unknown stop " + clip(s.Parent), valueLeftOut,
			})
			s.Parent = ""
		}
		if s.Point == (orb.Point{}) && s.LocationType <= LocationEntrance {
			if parent == nil || parent == s || parent.Point == (orb.Point{}) {
				l.findings.Add(Finding{
					SeverityError, codeWithoutLocation, "stops.txt", int(lines[i]), "stop_lat", "the stop " + s.ID + " has no place",
					"the stop is left out, and calls at it",
				})
				delete(l.stops, s.ID)
				continue
			}
			s.Point = parent.Point
			l.findings.Add(Finding{
				SeverityWarning, codeWithoutLocation, "stops.txt", int(lines[i]), "stop_lat", "the stop " + s.ID + " has no place",
				"it is at the place of its station",
			})
		}
		kept = append(kept, s)
	}
	clear(l.feed.Stops[len(kept):])
	l.feed.Stops = kept
	for _, s := range l.feed.Stops { // a station without a place is gone only now
		if l.stops[s.Parent] == nil {
			s.Parent = ""
		}
	}
}

func (l *loader) readRoutes() error {
	return l.table("routes.txt", func(t *table) {
		id, agency, kind := t.require("route_id"), t.column("agency_id"), t.expect("route_type", "all routes are buses")
		short, long := t.column("route_short_name"), t.column("route_long_name")
		color, textColor := t.column("route_color"), t.column("route_text_color")
		description, url := t.column("route_desc"), t.column("route_url")
		for t.next() {
			r := &Route{
				ID: t.id(id), Agency: l.agencyOf(t, agency), ShortName: t.keep(short), LongName: t.keep(long),
				Type: t.routeType(kind), Color: t.color(color), TextColor: t.color(textColor),
				Description: t.keep(description), URL: t.keep(url),
			}
			if r.ShortName == "" && r.LongName == "" {
				r.ShortName = r.ID
				t.find(SeverityWarning, codeRouteWithoutName, absent, "its id is the short name",
					"a route must have a short or a long name")
			}
			if l.routes[r.ID] != nil {
				t.leaveOut(codeDuplicateKey, id, "duplicate id %q", r.ID)
			}
			if t.rowFailed || !t.hold(unsafe.Sizeof(*r)+mapEntry+reference) {
				continue
			}
			l.routes[r.ID] = r
			l.feed.Routes = append(l.feed.Routes, r)
		}
	})
}

// Types of routes.
const (
	routeBus     = 3
	maxRouteType = 1799 // the highest of the extended route types of Google
)

// routeType returns the type of a route. One that is not known is a bus.
func (t *table) routeType(c column) int {
	v, given := t.integer(c, 0, maxRouteType, codeUnexpectedEnum, "the route is a bus")
	if !given {
		if t.text(c) == "" {
			t.blank(c, "the route is a bus")
		}
		return routeBus
	}
	return v
}

// agencyOf returns the agency of a route. If it is missing or not known, that is the first one.
func (l *loader) agencyOf(t *table, c column) *Agency {
	id := t.text(c)
	if a := l.agencies[id]; a != nil {
		return a
	}
	first := l.feed.Agencies[0]
	switch {
	case l.foreign[id]:
		t.leaveOut(codeTwoZones, c, "refers to the agency %q in another time zone", clip(id))
	case id == "" && len(l.feed.Agencies) == 1:
	case id == "":
		t.find(SeverityWarning, codeMissingField, c, "is taken as the first agency", "is required, as there are several")
	default:
		t.find(SeverityWarning, codeForeignKey, c, "is taken as the first agency", "refers to the unknown agency %q",
			clip(id))
	}
	return first
}

// color returns RRGGBB, or "" if there is no valid one.
func (t *table) color(c column) string {
	given := t.text(c)
	s := strings.TrimPrefix(given, "#")
	if s == "" {
		return ""
	}
	valid := len(s) == 6
	for i := range len(s) {
		valid = valid && (s[i] >= '0' && s[i] <= '9' || s[i]|0x20 >= 'a' && s[i]|0x20 <= 'f')
	}
	switch {
	case !valid:
		t.find(SeverityWarning, codeInvalidColor, c, valueLeftOut, "must be a color as RRGGBB, got %q", clip(given))
		return ""
	case s != given:
		t.find(SeverityNote, codeInvalidColor, c, "is taken without the #", "must be a color as RRGGBB, got %q", given)
	}
	return t.intern(s)
}

func (l *loader) readInfo() error {
	return l.optional("feed_info.txt", func(t *table) {
		name, url := t.column("feed_publisher_name"), t.column("feed_publisher_url")
		lang, version := t.column("feed_lang"), t.column("feed_version")
		start, end := t.column("feed_start_date"), t.column("feed_end_date")
		if t.next() {
			l.feed.Info = &FeedInfo{
				Publisher: t.keep(name), URL: t.keep(url), Language: t.keep(lang), Version: t.keep(version),
				Start: t.date(start), End: t.date(end),
			}
		}
	})
}
