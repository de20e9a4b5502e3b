package api

import (
	"net/http"

	"nhip/internal/health"
)

// newReadiness lists what an api needs: the broker, the city (as many as the censuses count) and the
// history; and what else there is in its process.
func (a *API) newReadiness() *health.Readiness {
	return health.NewReadiness(append([]health.Check{
		{Name: "broker", OK: a.broker.Load},
		{Name: "city", OK: a.city.complete},
		{Name: "history", OK: a.history.OK},
		{Name: "timetable", OK: a.timetableGood, Spare: true},
	}, a.o.Checks...)...)
}

// Waiting lists what the first readiness still waits for; nothing once it was reached.
func (a *API) Waiting() []string { return a.ready.Now().Waiting }

// needCity refuses questions about the city while it is still being gathered for the first time: an
// empty map would be a lie.
func (a *API) needCity(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.ready.Reached() && !a.city.complete() {
			a.problem(w, r, errStarting)
			return
		}
		next.ServeHTTP(w, r)
	})
}
