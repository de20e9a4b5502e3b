package oba

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"nhip"
	"nhip/api/reports"
	"nhip/api/transit"
	"nhip/geo/gtfs"
)

// Problems takes what riders report.
type Problems interface {
	// TakeProblem returns once a problem is on disk. Errors are *nhip.Error.
	TakeProblem(r *http.Request, p *reports.Problem) error
}

// Codes of problems, and the services to which they belong. One without a code is otherProblem.
const otherProblem = "other"

var (
	stopProblems = map[string]string{
		"stop_name_wrong": reports.ServiceWrongInformation, "stop_number_wrong": reports.ServiceWrongInformation,
		"stop_location_wrong":   reports.ServiceWrongInformation,
		"route_or_trip_missing": reports.ServiceWrongInformation, otherProblem: reports.ServiceBusOther,
	}
	tripProblems = map[string]string{
		"vehicle_never_came": reports.ServiceNoBus, "vehicle_came_early": reports.ServiceWrongInformation,
		"vehicle_came_late": reports.ServiceNoBus, "wrong_headsign": reports.ServiceWrongInformation,
		"vehicle_does_not_stop_here": reports.ServiceSkippedStop, otherProblem: reports.ServiceBusOther,
	}
)

// maxDevice is how much of an installation's name tells it apart from others.
const maxDevice = 64

// newProblem returns a problem with the parameters that both kinds share. The rider's position is checked and not kept.
func (q *request) newProblem(services map[string]string) *reports.Problem {
	code := cmp.Or(q.query.Get("code"), q.codeOfData(), otherProblem)
	service, known := services[code]
	if !known {
		q.fail("code", "must be one of %s", strings.Join(slices.Sorted(maps.Keys(services)), ", "))
	}
	q.number("userLat", 0, -90, 90)
	q.number("userLon", 0, -180, 180)
	q.number("userLocationAccuracy", 0, 0, maxAccuracy)
	device := q.query.Get("app_uid")
	return &reports.Problem{
		Service: service, Code: code, Text: q.query.Get("userComment"), Attributes: make(map[string]string),
		Device: device[:min(len(device), maxDevice)],
	}
}

// maxAccuracy bounds the accuracy of a position, in m: half of the Earth's circumference.
const maxAccuracy = 20_037_508

// codeOfData returns the code in the parameter data, as older apps send it: {"code":"…"}.
func (q *request) codeOfData() string {
	data := q.query.Get("data")
	if data == "" {
		return ""
	}
	var body struct{ Code string }
	if err := json.Unmarshal([]byte(data), &body); err != nil {
		q.fail("data", `must be JSON as in {"code":"other"}`)
	}
	return body.Code
}

// either returns the first parameter that is given of some with the same meaning: apps and the contract spell them
// differently.
func (q *request) either(names ...string) string {
	for _, name := range names {
		if s := q.query.Get(name); s != "" {
			return s
		}
	}
	return ""
}

// named returns the id of the path, or of a parameter in an address without one.
func (q *request) named(parameters ...string) (string, error) {
	if strings.HasSuffix(q.http.URL.Path, "/report-problem-with-stop"+suffix) ||
		strings.HasSuffix(q.http.URL.Path, "/report-problem-with-trip"+suffix) {
		id := q.either(parameters...)
		if id == "" {
			q.fail(parameters[0], "is required")
		}
		return id, q.err
	}
	return q.id()
}

// problemWithStop answers report-problem-with-stop.
func (q *request) problemWithStop() (any, error) {
	id, err := q.named("stopId", "stopID")
	if err != nil {
		return nil, err
	}
	p := q.newProblem(stopProblems)
	s, err := q.findStop(id)
	if err != nil || q.err != nil {
		return nil, err
	}
	p.Stop = q.platformOf(s)
	return q.take(p)
}

// platformOf returns the id of a stop, that of its first platform if it is a station: reports are about platforms.
func (q *request) platformOf(s *gtfs.Stop) string {
	if all := q.platforms(s); len(all) > 0 {
		return all[0].ID
	}
	return s.ID
}

// problemWithTrip answers report-problem-with-trip. The problem is at the stop that it names, or at the trip's bus.
func (q *request) problemWithTrip() (any, error) {
	id, err := q.named("tripId", "tripID")
	if err != nil {
		return nil, err
	}
	p, day := q.newProblem(tripProblems), q.day("serviceDate")
	onBus := q.boolean("userOnVehicle", false)
	trip, err := q.findTrip(id)
	if err != nil || q.err != nil {
		return nil, err
	}
	p.Line, p.Agency = transit.LineOf(trip.Route), trip.Route.Agency.ID
	p.Attributes[reports.AttributeTrip] = trip.ID
	p.Attributes[reports.AttributeServiceDate] = day.String()
	p.Attributes[reports.AttributeVehicleNumber] = q.query.Get("userVehicleNumber")
	if q.query.Get("userOnVehicle") != "" {
		p.Attributes[reports.AttributeOnBus] = map[bool]string{true: "yes", false: "no"}[onBus]
	}
	if id := q.either("stopId", "stopID"); id != "" {
		s, err := q.findStop(id)
		if err != nil {
			return nil, err
		}
		p.Stop = q.platformOf(s)
	}
	if p.Bus = q.busOf(trip, day); p.Bus == "" && p.Attributes[reports.AttributeVehicleNumber] == "" {
		p.Attributes[reports.AttributeVehicleNumber] = q.either("vehicleId", "vehicleID")
	}
	return q.take(p)
}

// busOf returns the bus that a client names, or else the one that is on a run of a trip, as agency/id; "" if neither is
// known: a bus may have left the live state before somebody complains about it.
func (q *request) busOf(trip *gtfs.Trip, day gtfs.Date) string {
	b, _ := q.findVehicle(q.either("vehicleId", "vehicleID"))
	if b == nil {
		if inst := q.instance(trip, day); inst != nil {
			if on := q.t.On(inst); on != nil {
				b = on.Bus
			}
		}
	}
	if b == nil {
		return ""
	}
	return b.Agency + "/" + b.ID
}

// take stores a problem. HEAD only checks it.
func (q *request) take(p *reports.Problem) (any, error) {
	q.stored = true
	if q.problems == nil {
		return nil, nhip.Errorf(nhip.CodeUnavailable, "", "reports are not taken here")
	}
	if q.http.Method == http.MethodHead {
		return struct{}{}, nil
	}
	return struct{}{}, q.problems.TakeProblem(q.http, p)
}
