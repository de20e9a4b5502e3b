// Package health tells those who operate a role whether it lives, whether it is ready, and its
// numbers.
package health

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// Check is one part that a role needs.
type Check struct {
	Name string
	OK   func() bool // whether the part is there now; asked at any time, from any goroutine

	// Spare marks a part without which the role does its work from the start: its absence is told,
	// and holds up nothing.
	Spare bool
}

// Readiness remembers that everything was there once: from then on a missing part is a degradation
// and no outage.
type Readiness struct {
	checks  []Check
	reached atomic.Bool
}

// NewReadiness returns the readiness of a role that needs these parts.
func NewReadiness(checks ...Check) *Readiness { return &Readiness{checks: checks} }

// State is the answer of /readyz.
type State struct {
	Ready    bool     `json:"ready"`
	Degraded []string `json:"degraded"`          // what is away now, once all was there
	Waiting  []string `json:"waiting,omitempty"` // what the first readiness still waits for
}

// Now asks every part.
func (r *Readiness) Now() State {
	away, waiting := []string{}, []string{}
	for _, c := range r.checks {
		if c.OK() {
			continue
		}
		away = append(away, c.Name)
		if !c.Spare {
			waiting = append(waiting, c.Name)
		}
	}
	if len(waiting) == 0 {
		r.reached.Store(true)
	}
	if r.reached.Load() {
		return State{Ready: true, Degraded: away}
	}
	return State{Degraded: []string{}, Waiting: waiting}
}

// Reached tells whether the role was ready once.
func (r *Readiness) Reached() bool { return r.reached.Load() }

// ServeHTTP answers /readyz: 503 until everything was there once, 200 from then on.
func (r *Readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	state := r.Now()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !state.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(state) // the client may be gone
}

// Live answers /livez: a process that can answer at all is alive.
func Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("alive\n"))
}
