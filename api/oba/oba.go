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
	rest.Responder
}

// Routes registers the routes, but those of ReportRoutes.
func (h *Handler) Routes(r chi.Router) {
	// The id is followed by ".json", which request.id cuts off: it may have dots itself.
	get := func(path string, answer method) { r.Get("/api/where/"+path, h.handle(answer)) }
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
	get("arrivals-and-departures-for-stop/{id}", (*request).arrivalsForStop)
	get("arrivals-and-departures-for-location.json", (*request).arrivalsForLocation)
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
}

// ReportRoutes registers the routes that take problems. They wait for the collectors. The id is in the path, or, as older
// apps send it, in a parameter.
func (h *Handler) ReportRoutes(r chi.Router) {
	for path, answer := range map[string]method{
		"report-problem-with-stop": (*request).problemWithStop, "report-problem-with-trip": (*request).problemWithTrip,
	} {
		r.Get("/api/where/"+path+"/{id}", h.handle(answer))
		r.Get("/api/where/"+path+suffix, h.handle(answer))
	}
}

// method answers a request with the data of the envelope.
type method func(*request) (any, error)

// handle returns an HTTP handler of a method.
func (h *Handler) handle(answer method) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := &request{
			now: h.Clock.Now(), http: r, query: r.URL.Query(), transit: h.Transit, live: h.Live, problems: h.Problems,
			baseURL: h.BaseURL(r), version: version,
		}
		q.refs.init(q)
		data, err := h.dataOf(q, answer)
		h.answer(w, q, data, err)
	}
}

// dataOf returns the data of the envelope.
func (h *Handler) dataOf(q *request, answer method) (any, error) {
	var err error
	if q.t, err = h.Transit.Timetable(); err != nil {
		return nil, err
	}
	if !h.Ready() {
		return nil, rest.ErrNotReady
	}
	if q.readVersion(); q.err != nil {
		return nil, q.err
	}
	data, err := answer(q)
	switch {
	case q.err != nil:
		return nil, q.err
	case err != nil || q.version == version:
		return data, err
	}
	return q.firstVersion(data)
}
