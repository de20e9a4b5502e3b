package api

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// health is whether a part answered when it was last asked.
type health struct{ ok atomic.Bool }

func (h *health) set(ok bool) { h.ok.Store(ok) }

// readiness remembers that everything was there once: from then on a missing part is a
// degradation and no outage.
type readiness struct{ once atomic.Bool }

// readinessBody is the answer of /readyz.
type readinessBody struct {
	Ready    bool     `json:"ready"`
	Degraded []string `json:"degraded"`
	Waiting  []string `json:"waiting,omitempty"`
}

// readinessNow says what is away: the broker, the city (the census counts more than we hold) or
// the history.
func (a *API) readinessNow() readinessBody {
	away := []string{}
	if !a.client.Connected() {
		away = append(away, "broker")
	}
	if !a.city.complete() {
		away = append(away, "city")
	}
	if !a.history.ok.Load() {
		away = append(away, "history")
	}
	if len(away) == 0 {
		a.ready.once.Store(true)
	}
	if a.ready.once.Load() {
		return readinessBody{Ready: true, Degraded: away}
	}
	return readinessBody{Degraded: []string{}, Waiting: away}
}

// Waiting lists what the first readiness still waits for; nothing once it was reached.
func (a *API) Waiting() []string { return a.readinessNow().Waiting }

func (a *API) readyz(w http.ResponseWriter, _ *http.Request) {
	body := a.readinessNow()
	status := http.StatusOK
	if !body.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, "application/json", body)
}

func (a *API) livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("alive\n"))
}

// needCity refuses questions about the city while it is still being gathered for the first time: an
// empty map would be a lie.
func (a *API) needCity(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.ready.once.Load() && !a.city.complete() {
			a.problem(w, r, errStarting)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, status int, contentType string, body any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
