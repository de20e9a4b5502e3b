// Package health serves the liveness, readiness and metrics of a role.
package health

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// BrokerConnection is the name of the check that the connection to the broker is not lost again and again.
const BrokerConnection = "broker_connection"

// Check is a part that a role needs.
type Check struct {
	Name string
	OK   func() bool // whether the part is available now; safe for concurrent use

	// Fault replaces OK for a part that says why it is unavailable: it returns the reason, or "" if it is available.
	Fault func() string

	// Optional marks a part that the role can start without. Its absence is reported as a degradation and does not delay
	// readiness.
	Optional bool
}

// Readiness tracks whether all required parts have been available at the same time. From then on the role stays ready,
// and an unavailable part is a degradation.
type Readiness struct {
	checks  []Check
	reached atomic.Bool
}

// NewReadiness returns the readiness of a role with some parts.
func NewReadiness(checks ...Check) *Readiness { return &Readiness{checks: checks} }

// State is the answer of /readyz.
type State struct {
	Ready    bool     `json:"ready"`
	Degraded []string `json:"degraded"`          // unavailable parts; until the role is ready, optional ones only
	Waiting  []string `json:"waiting,omitempty"` // required parts that are unavailable, until the role is ready

	Reasons map[string]string `json:"reasons,omitempty"` // why parts are unavailable, by their names, where it is known
}

// fault returns whether the part is unavailable, and the reason if it is known.
func (c *Check) fault() (reason string, unavailable bool) {
	if c.Fault == nil {
		return "", !c.OK()
	}
	reason = c.Fault()
	return reason, reason != ""
}

// Now checks every part and returns the state.
func (r *Readiness) Now() State {
	unavailable, optional, waiting := []string{}, []string{}, []string{}
	var reasons map[string]string
	for _, c := range r.checks {
		reason, failed := c.fault()
		if !failed {
			continue
		}
		if reason != "" {
			if reasons == nil {
				reasons = make(map[string]string)
			}
			reasons[c.Name] = reason
		}
		unavailable = append(unavailable, c.Name)
		if c.Optional {
			optional = append(optional, c.Name)
		} else {
			waiting = append(waiting, c.Name)
		}
	}
	if len(waiting) == 0 {
		r.reached.Store(true)
	}
	if r.reached.Load() {
		return State{Ready: true, Degraded: unavailable, Reasons: reasons}
	}
	return State{Degraded: optional, Waiting: waiting, Reasons: reasons}
}

// Reached reports whether the role is ready, as of the last call of Now.
func (r *Readiness) Reached() bool { return r.reached.Load() }

// ServeHTTP answers /readyz with status 503 until the role is ready, and 200 from then on.
func (r *Readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	state := r.Now()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !state.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(state) // fails if the client has disconnected
}

// Live answers /livez. A process that can answer is alive.
func Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("alive\n"))
}
