package api

import (
	"net/http"
	"time"

	"nhip/internal/health"
)

// newReadiness returns the readiness of the api's own parts and of those in Options.Checks.
func (a *API) newReadiness() *health.Readiness {
	return health.NewReadiness(append([]health.Check{
		{Name: "broker", OK: a.receiving},
		{Name: health.BrokerConnection, Fault: a.connectionFault, Optional: true},
		{Name: "city", OK: a.live.Served},
		{Name: "history", OK: a.history.OK, Optional: true},
		{Name: "collector", Optional: true, Fault: a.collectorFault},
		{Name: "timetable", OK: a.timetableValid, Optional: true},
	}, a.o.Checks...)...)
}

// connectionFault returns why the connection to the broker is not reliable, or "".
func (a *API) connectionFault() string {
	if client := a.client.Load(); client != nil {
		return client.Fault()
	}
	return ""
}

// collectorFault returns why the live state may not be current, or "".
func (a *API) collectorFault() string {
	if a.broker.Load() && a.live.Uncounted() {
		return "no collector has published a census"
	}
	return a.collectors.fault(time.Now())
}

func (a *API) timetableValid() bool {
	_, over := a.transit.Expires()
	return !over
}

// stateReady reports whether clients may see the live state. Once the api was ready, a state that is incomplete for a
// moment, as after a new connection to the broker, is better than none.
func (a *API) stateReady() bool { return a.ready.Reached() || a.live.Served() }

// reportsReady reports whether the reports are complete and can be enriched.
func (a *API) reportsReady() bool { return a.stateReady() && a.documents.Complete() }

// Readiness returns the handler of /readyz.
func (a *API) Readiness() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.ready.ServeHTTP(w, r) })
}

// Waiting returns the names of the checks that delay the first readiness.
func (a *API) Waiting() []string { return a.ready.Now().Waiting }
