// Package oba serves the OneBusAway REST API (/api/where), so that the apps and programs that exist for it work with
// our timetable and predictions. Times that it tells are those of our boards.
//
// The contract is OneBusAway's openapi.yml. Its answers are wrapped in an envelope whose code equals the HTTP status,
// errors too. Ids are <agency>_<id>. docs/standards.md says what is left out.
package oba

import (
	"net/http"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/transit"

	"github.com/go-chi/chi/v5"
)

// Handler answers /api/where.
type Handler struct {
	Transit *transit.Model
	Live    *live.State
	Clock   nhip.Clock
	// Problems takes what riders report; nil: nothing is taken.
	Problems Problems
	Kept     *Kept // answers for others who ask the same; nil: each is made anew
	rest.Responder
}

// Routes registers the routes, but those of ReportRoutes.
func (h *Handler) Routes(r chi.Router) {
	// The id is followed by ".json", which request.id cuts off: it may have dots itself.
	get := func(path string, answer method) { r.Get("/api/where/"+path, h.handle(answer, false)) }
	popular := func(path string, answer method) { r.Get("/api/where/"+path, h.handle(answer, true)) }
	get("agencies-with-coverage.json", (*request).agenciesWithCoverage)
	get("agency/{id}", (*request).agency)
	get("route/{id}", (*request).route)
	get("route-ids-for-agency/{id}", (*request).routeIDsForAgency)
	get("routes-for-agency/{id}", (*request).routesForAgency)
	get("routes-for-location.json", (*request).routesForLocation)
	get("schedule-for-route/{id}", (*request).scheduleForRoute)
	get("config.json", (*request).config)
	get("current-time.json", (*request).currentTime)
	get("stops-for-location.json", (*request).stopsForLocation)
	get("arrival-and-departure-for-stop/{id}", (*request).arrivalForStop)
	get("vehicles-for-agency/{id}", (*request).vehiclesForAgency)
	get("vehicle/{id}", (*request).vehicle)
	popular("arrivals-and-departures-for-stop/{id}", (*request).arrivalsForStop)
	popular("arrivals-and-departures-for-location.json", (*request).arrivalsForLocation)
	get("trip/{id}", (*request).trip)
	get("trips-for-route/{id}", (*request).tripsForRoute)
	get("trips-for-location.json", (*request).tripsForLocation)
	get("trip-details/{id}", (*request).tripDetails)
	get("trip-for-vehicle/{id}", (*request).tripForVehicle)
	get("stops-for-route/{id}", (*request).stopsForRoute)
	get("stops-for-agency/{id}", (*request).stopsForAgency)
	get("stop/{id}", (*request).stop)
	get("schedule-for-stop/{id}", (*request).scheduleForStop)
	get("stop-ids-for-agency/{id}", (*request).stopIDsForAgency)
	get("search/stop.json", (*request).searchStop)
	get("search/route.json", (*request).searchRoute)
	get("block/{id}", (*request).block)
	get("shape/{id}", (*request).shape)
	get("*", (*request).noMethod)
}

// ReportRoutes registers the routes that take problems. They wait for the collectors. The id is in the path, or, as
// older
// apps send it, in a parameter.
func (h *Handler) ReportRoutes(r chi.Router) {
	for path, answer := range map[string]method{
		"report-problem-with-stop": (*request).problemWithStop, "report-problem-with-trip": (*request).problemWithTrip,
	} {
		r.Get("/api/where/"+path+"/{id}", h.handle(answer, false))
		r.Get("/api/where/"+path+suffix, h.handle(answer, false))
	}
}

// noMethod answers an address that is no method.
func (q *request) noMethod() (any, error) { return nil, errNotFound("method", q.http.URL.Path) }

// method answers a request with the data of the envelope.
type method func(*request) (any, error)

// handle returns an HTTP handler of a method. The answers of a popular one are kept for others who ask the same.
func (h *Handler) handle(answer method, popular bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := &request{
			now: h.Clock.Now(), http: r, query: r.URL.Query(), transit: h.Transit, live: h.Live, problems: h.Problems,
			baseURL: h.BaseURL(r), version: version,
		}
		err := h.begin(q)
		var b *body
		if err == nil {
			b, err = h.bodyOf(q, answer, popular)
		}
		h.answer(w, q, b, err)
	}
}

// bodyOf returns the answer of a method, a popular one's of the same second if there is one.
func (h *Handler) bodyOf(q *request, answer method, popular bool) (*body, error) {
	if popular && h.Kept != nil {
		if key, ok := q.keptKey(); ok {
			return h.Kept.Get(key, func() (*body, error) { return q.bodyOf(answer) })
		}
	}
	return q.bodyOf(answer)
}

// begin finds the timetable of a request, and reads what all methods have.
func (h *Handler) begin(q *request) (err error) {
	if q.t, err = h.Transit.Timetable(); err != nil {
		return err
	}
	if !h.Ready() {
		return rest.ErrNotReady
	}
	q.readCommon()
	return q.err
}

// bodyOf returns the answer of a method.
func (q *request) bodyOf(answer method) (*body, error) {
	q.refs.init(q)
	data, err := answer(q)
	if q.err != nil {
		err = q.err
	}
	if err == nil && q.version == version1 {
		data, err = q.firstVersion(data)
	}
	if err != nil {
		return nil, err
	}
	return q.encode(http.StatusOK, "OK", data)
}
