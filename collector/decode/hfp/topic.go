package hfp

import (
	"strings"

	"nhip"
)

// event is an event of HFP v2: its name in topics, and its key in payloads.
type event struct{ name, key string }

// events are all events by name. The passenger counts, which are not in HSL's list of events, have two names and one
// key.
var events = map[string]event{
	nhip.EventPosition: {nhip.EventPosition, "VP"},
	"due":              {"due", "DUE"}, "arr": {"arr", "ARR"}, "dep": {"dep", "DEP"}, "ars": {"ars", "ARS"},
	"pde": {"pde", "PDE"}, "pas": {"pas", "PAS"}, "wait": {"wait", "WAIT"},
	"doo": {"doo", "DOO"}, "doc": {"doc", "DOC"},
	"tlr": {"tlr", "TLR"}, "tla": {"tla", "TLA"},
	"da": {"da", "DA"}, "dout": {"dout", "DOUT"}, "ba": {"ba", "BA"}, "bout": {"bout", "BOUT"},
	"vja": {"vja", "VJA"}, "vjout": {"vjout", "VJOUT"},
	nhip.EventPassengers: {nhip.EventPassengers, "APC"}, nhip.EventPassengersPartial: {nhip.EventPassengersPartial, "APC"},
}

// endOfLine is the next stop of a bus that has passed its last stop.
const endOfLine = "EOL"

// readTopic reads the vehicle, the event and the trip in the topic. The strings in p share the topic's memory.
func readTopic(topic string, p *nhip.Position) (event, error) {
	rest, ok := strings.CutPrefix(topic, "/hfp/v2/")
	if !ok {
		return event{}, nhip.Errorf(nhip.CodeMalformed, "topic", "must begin with /hfp/v2/")
	}
	journey, rest, _ := strings.Cut(rest, "/")
	temporal, rest, _ := strings.Cut(rest, "/")
	name, rest, _ := strings.Cut(rest, "/")
	_, rest, _ = strings.Cut(rest, "/") // the mode, which may be empty because of a fault of the source
	kind, ok := events[name]
	switch {
	case journey != "journey" && journey != "deadrun" && journey != "signoff":
		return event{}, nhip.Errorf(nhip.CodeMalformed, "topic", "journey type %q is not journey, deadrun or signoff",
			journey)
	case temporal != "ongoing" && temporal != "upcoming":
		return event{}, nhip.Errorf(nhip.CodeMalformed, "topic", "temporal type %q is not ongoing or upcoming", temporal)
	case !ok:
		return event{}, nhip.Errorf(nhip.CodeMalformed, "topic", "event %q is not one of HFP v2", name)
	}
	p.Deadrun = journey != "journey"
	if p.Event = kind.name; temporal == "upcoming" {
		p.Event = nhip.EventUpcomingPrefix + kind.name
	}
	if p.Vehicle, rest, ok = vehicle(rest); !ok {
		return event{}, nhip.Errorf(nhip.CodeMalformed, "topic", "must name operator and vehicle")
	}
	return kind, readTrip(rest, p)
}

// vehicle splits operator and number, which together are the vehicle, from the rest of a topic.
func vehicle(topic string) (id, rest string, ok bool) {
	operator, rest, _ := strings.Cut(topic, "/")
	number, rest, _ := strings.Cut(rest, "/")
	if operator == "" || number == "" {
		return "", "", false
	}
	return topic[:len(operator)+1+len(number)], rest, true
}

// readTrip reads the levels after the vehicle, which only buses on a journey have.
func readTrip(topic string, p *nhip.Position) (err error) {
	route, rest, _ := strings.Cut(topic, "/")
	dir, rest, _ := strings.Cut(rest, "/")
	p.Route = route
	if p.Direction, err = direction(dir); err != nil {
		return nhip.Errorf(nhip.CodeOutOfRange, "topic", "direction %s", err)
	}
	p.Headsign, rest = headsign(rest)
	p.StartTime, rest, _ = strings.Cut(rest, "/")
	if next, _, _ := strings.Cut(rest, "/"); next != endOfLine {
		p.NextStop = next
	}
	return nil
}

// headsign splits the headsign from the rest of a topic. A headsign may contain slashes, so it ends before the first
// level that is a time of day, or at the first slash if there is none.
func headsign(topic string) (sign, rest string) {
	for at := strings.IndexByte(topic, '/'); at >= 0; {
		rest = topic[at+1:]
		if level, _, _ := strings.Cut(rest, "/"); len(level) == len("17:35") && level[2] == ':' {
			return topic[:at], rest
		}
		next := strings.IndexByte(rest, '/')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	sign, rest, _ = strings.Cut(topic, "/")
	return sign, rest
}

// direction converts 1 and 2 in HFP to 0 and 1 in GTFS; "" is unknown.
func direction(d string) (nhip.Opt[int], error) {
	switch d {
	case "":
		return nhip.Opt[int]{}, nil
	case "1":
		return nhip.Some(0), nil
	case "2":
		return nhip.Some(1), nil
	}
	return nhip.Opt[int]{}, nhip.Errorf(nhip.CodeOutOfRange, "", "must be 1 or 2, got %q", d)
}
