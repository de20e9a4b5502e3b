// Package siri serves SIRI Lite: stop monitoring and vehicle monitoring as JSON, in the form of the MTA's Bus Time,
// which most programs that read SIRI Lite know. Names and references are plain strings; ids are <agency>_<id>. Errors
// are conditions of an answer with status 200, as there.
package siri

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/geo/gtfs"

	"github.com/go-chi/chi/v5"
)

// Handler answers /siri/lite.
type Handler struct {
	Transit *transit.Model
	Live    *live.State
	Clock   nhip.Clock
	rest.Responder
}

// Routes registers the routes.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/siri/lite/stop-monitoring.json", h.handle(newStopDelivery))
	r.Get("/siri/lite/vehicle-monitoring.json", h.handle(newVehicleDelivery))
}

// request is one request. Unknown parameters are ignored, as in other servers: programs add keys and versions.
type request struct {
	h     *Handler
	t     *transit.Timetable
	now   time.Time
	query url.Values
	err   error // the first invalid parameter

	lines      []string // LineRef; none: all
	direction  string   // DirectionRef; "" for both
	operator   string   // OperatorRef; "" for all
	calls      bool     // whether the calls after the first one are wanted
	maxOnwards int
	situations map[*gtfs.Route][]transit.ServiceAlert
}

// Bounds of parameters.
const (
	maxVisits = 200
	maxCalls  = 200
)

// handle answers with a delivery. Only a server that can't answer at all has another status than 200.
func (h *Handler) handle(deliver func(*request) delivery) http.HandlerFunc {
	return h.Handle(func(w http.ResponseWriter, r *http.Request) error {
		if !h.Ready() {
			return rest.ErrNotReady
		}
		t, err := h.Transit.Timetable()
		if err != nil {
			return err
		}
		q := &request{
			h: h, t: t, now: h.Clock.Now(), query: r.URL.Query(), situations: make(map[*gtfs.Route][]transit.ServiceAlert),
		}
		q.readFilter()
		body := deliver(q)
		if q.err != nil {
			body = body.failed(q.err)
		}
		return h.answer(w, q, body)
	})
}

// readFilter reads the parameters of both methods.
func (q *request) readFilter() {
	for ref := range strings.SplitSeq(q.query.Get("LineRef"), ",") {
		if ref = strings.TrimSpace(ref); ref != "" {
			q.lines = append(q.lines, ref)
		}
	}
	q.direction, q.operator = q.query.Get("DirectionRef"), q.query.Get("OperatorRef")
	if q.direction != "" && q.direction != "0" && q.direction != "1" {
		q.fail("DirectionRef", "must be 0 or 1")
	}
	for _, name := range []string{"StopMonitoringDetailLevel", "VehicleMonitoringDetailLevel"} {
		switch q.query.Get(name) {
		case "", "minimum", "basic", "normal":
		case "calls":
			q.calls = true
		default:
			q.fail(name, "must be minimum, basic, normal or calls")
		}
	}
	q.maxOnwards = q.integer("MaximumNumberOfCallsOnwards", maxCalls)
}

// fail records an error of a parameter.
func (q *request) fail(name, format string, args ...any) {
	if q.err == nil {
		q.err = nhip.Errorf(nhip.CodeInvalid, name, format, args...)
	}
}

// integer returns a whole number from 0, which is limited to most; most if the parameter is missing.
func (q *request) integer(name string, most int) int {
	s := q.query.Get(name)
	if s == "" {
		return most
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		q.fail(name, "must be a whole number from 0")
		return most
	}
	return min(n, most)
}

// wants reports whether the filter lets a trip pass. A line may be given without its agency.
func (q *request) wants(t *gtfs.Trip) bool {
	agency := transit.AgencyID(t.Route.Agency)
	return (len(q.lines) == 0 || slices.Contains(q.lines, transit.QualifiedRoute(t.Route)) ||
		slices.Contains(q.lines, t.Route.ID)) &&
		(q.direction == "" || directionRef(t) == q.direction) && (q.operator == "" || q.operator == agency)
}

func directionRef(t *gtfs.Trip) string { return strconv.Itoa(t.Direction.Or(0)) }

// delivery is the answer of one method.
type delivery struct {
	stop, vehicle *deliveryBody // one of them
}

// deliveryBody is a StopMonitoringDelivery or a VehicleMonitoringDelivery.
type deliveryBody struct {
	ResponseTimestamp string          `json:"ResponseTimestamp"`
	ValidUntil        string          `json:"ValidUntil,omitempty"`
	ErrorCondition    *errorCondition `json:"ErrorCondition,omitempty"`
	Visits            *[]visit        `json:"MonitoredStopVisit,omitempty"`
	Activities        *[]activity     `json:"VehicleActivity,omitempty"`
}

type errorCondition struct {
	OtherError  otherError `json:"OtherError"`
	Description string     `json:"Description"`
}

type otherError struct {
	ErrorText string `json:"ErrorText"`
}

// failed returns the delivery with an error and nothing else.
func (d delivery) failed(err error) delivery {
	text := "internal error"
	var known *nhip.Error
	if errors.As(err, &known) {
		text = known.Error()
	}
	body := &deliveryBody{ErrorCondition: &errorCondition{otherError{text}, text}}
	if d.stop != nil {
		return delivery{stop: body}
	}
	return delivery{vehicle: body}
}

// validFor is for how long an answer may be shown.
const validFor = time.Minute

// answer writes a delivery in the envelope of SIRI Lite.
func (h *Handler) answer(w http.ResponseWriter, q *request, d delivery) error {
	type serviceDelivery struct {
		ResponseTimestamp string               `json:"ResponseTimestamp"`
		Stop              []*deliveryBody      `json:"StopMonitoringDelivery,omitempty"`
		Vehicle           []*deliveryBody      `json:"VehicleMonitoringDelivery,omitempty"`
		Situations        []situationsDelivery `json:"SituationExchangeDelivery,omitempty"`
	}
	s := serviceDelivery{ResponseTimestamp: q.time(q.now), Situations: q.situationsDelivery()}
	for _, body := range []*deliveryBody{d.stop, d.vehicle} {
		if body == nil {
			continue
		}
		body.ResponseTimestamp = s.ResponseTimestamp
		if body.ErrorCondition == nil {
			body.ValidUntil = q.time(q.now.Add(validFor))
		}
	}
	if d.stop != nil {
		s.Stop = []*deliveryBody{d.stop}
	} else {
		s.Vehicle = []*deliveryBody{d.vehicle}
	}
	raw, err := json.Marshal(map[string]any{"Siri": map[string]any{"ServiceDelivery": s}})
	if err != nil {
		return err
	}
	h.Bytes(w, rest.FormatJSON, rest.CacheLive, append(raw, '\n'))
	return nil
}

// time writes a time as SIRI does, in the timetable's zone.
func (q *request) time(t time.Time) string {
	return t.In(q.t.Network.Location()).Format("2006-01-02T15:04:05.000-07:00")
}
