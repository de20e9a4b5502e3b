package ufmsbus

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/ufms"

	"github.com/paulmach/orb"
)

// Types of a BusTicketStartEndPoint: the vehicle signs on to a trip, or off.
const (
	start = 1
	end   = 2
)

// ticket is a message about tickets as received.
type ticket struct {
	vehicle, route string
	time           nhip.Opt[int64] // Unix seconds
	x, y           nhip.Opt[float64]
	trip, series   string
	pointType      nhip.Opt[int64]
	total          int64 // of all tickets
	uncounted      error // why the total is not known
	dropped        []dropped
}

// leaveOut removes an optional field that can't be read. It returns false for one that the message can't do without.
func (t *ticket) leaveOut(field string, fault error) bool {
	switch field {
	case "x":
		t.x = nhip.Opt[float64]{}
	case "y":
		t.y = nhip.Opt[float64]{}
	case "series":
		t.series = ""
	case "tickets":
		t.uncounted = fault
		return true
	default:
		return false
	}
	t.dropped = append(t.dropped, dropped{field, fault})
	return true
}

// checkTotal checks the number of tickets. START and END say where a bus runs, so they count without it.
func (t *ticket) checkTotal(kind int) error {
	if t.uncounted == nil && t.total > nhip.MaxPassengers {
		t.uncounted = nhip.Errorf(nhip.CodeOutOfRange, "tickets.total",
			"must be between 0 and %d, got %d", nhip.MaxPassengers, t.total)
	}
	if t.uncounted != nil && kind == startEndPoint {
		t.dropped = append(t.dropped, dropped{"tickets.total", t.uncounted})
		return nil
	}
	return t.uncounted
}

// appendTo appends the fact of a message: counts only.
func (t *ticket) appendTo(out *nhip.Facts, kind int, in *decode.Input) error {
	plate, err := ufms.Plate(t.vehicle)
	if err != nil {
		return err
	}
	seconds, ok := t.time.Get()
	if !ok {
		return nhip.Errorf(nhip.CodeMissing, timeName(kind), "is required")
	}
	if err := t.checkTotal(kind); err != nil {
		return err
	}
	p := nhip.Position{
		Agency: in.Feed.Agency, Vehicle: plate, Time: time.Unix(seconds, 0).UTC(), Point: t.place(),
		Line: strings.Clone(t.route),
	}
	if t.trip != "" {
		p.Trip = t.route + "/" + t.trip
	}
	switch kind {
	case ticketPoint:
		p.Event, p.Boarded = nhip.EventPassengersPartial, nhip.Some(1)
		p.Time = p.Time.Add(millisecond(t.series))
	case recoverPoint:
		p.Event, p.Boarded = nhip.EventPassengers, nhip.Some(int(t.total))
		p.Time = dayOrTime(seconds, in.Feed.Zone)
		p.Time = p.Time.Add(millisecond(p.Trip)) // the trips of a day have the same date
	default:
		if err := t.startOrEnd(&p); err != nil {
			return err
		}
	}
	out.Positions = append(out.Positions, p)
	report(in, "", t.dropped)
	return nil
}

func timeName(kind int) string {
	if kind == recoverPoint {
		return "date"
	}
	return "datetime"
}

func (t *ticket) startOrEnd(p *nhip.Position) error {
	switch t.pointType.Or(0) {
	case start:
		p.Event = nhip.EventSignOn
	case end:
		p.Event = nhip.EventSignOff
		if t.uncounted == nil {
			p.Boarded = nhip.Some(int(t.total))
		}
	default:
		return nhip.Errorf(nhip.CodeOutOfRange, "pointtype", "must be 1 (START) or 2 (END), got %d", t.pointType.Or(0))
	}
	switch {
	case t.route == "":
		return nhip.Errorf(nhip.CodeMissing, "routecode", "is required")
	case t.trip == "":
		return nhip.Errorf(nhip.CodeMissing, "tripno", "is required")
	}
	return nil
}

// place returns the place of a ticket, if it has a usable one.
func (t *ticket) place() nhip.Opt[orb.Point] {
	x, hasX := t.x.Get()
	y, hasY := t.y.Get()
	at := orb.Point{x, y}
	if !hasX || !hasY || nhip.CheckPoint(at) != nil {
		return nhip.Opt[orb.Point]{}
	}
	return nhip.Some(at)
}

// millisecond returns a time below a second that depends on the text only.
func millisecond(text string) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text)) // never fails
	return time.Duration(h.Sum32()%1000) * time.Millisecond
}

// dayOrTime returns the start of a day that is written as 20260216, and else a Unix time.
func dayOrTime(n int64, zone *time.Location) time.Time {
	if n >= 19700101 && n <= 21001231 {
		if zone == nil {
			zone = time.FixedZone("UTC+7", 7*60*60) // Vietnam's
		}
		if day, err := time.ParseInLocation("20060102", strconv.FormatInt(n, 10), zone); err == nil {
			return day.UTC()
		}
	}
	return time.Unix(n, 0).UTC()
}
