package servicealerts

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/api/scope"
	"nhip/api/transit"
)

// States of written alerts.
const (
	stateDraft    = "draft"
	stateUpcoming = "upcoming" // published, and no period is now but one will be
	stateActive   = "active"
	stateEnded    = "ended" // by a dispatcher or by itself; also a draft whose periods are over
)

var states = []string{stateDraft, stateUpcoming, stateActive, stateEnded}

// answer is a written alert as dispatchers see it.
type answer struct {
	*nhip.WrittenAlert
	State   string `json:"state"`
	Version int64  `json:"version"`
	By      string `json:"by"` // who made the last change
}

func answerOf(a *nhip.WrittenAlert, version int64, by string, now time.Time) answer {
	return answer{a, stateOf(a, now), version, by}
}

func stateOf(a *nhip.WrittenAlert, now time.Time) string {
	switch {
	case a.Over(now):
		return stateEnded
	case a.Status == nhip.AlertDraft:
		return stateDraft
	case slices.ContainsFunc(a.Periods, func(p nhip.Period) bool { return p.Contains(now) }):
		return stateActive
	}
	return stateUpcoming
}

// list answers GET /v1/service-alerts/written, the newest first.
func (h *Handler) list(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "state", "agency", "limit")
	state, agency, limit := q.Text("state"), q.Text("agency"), q.Integer("limit", 200, 1, 1000)
	if state != "" && !slices.Contains(states, state) {
		q.Fail("state", "must be one of %s, got %q", strings.Join(states, ", "), state)
	}
	if q.Err != nil {
		return q.Err
	}
	now, view := h.Clock.Now(), rest.ScopeOf(r)
	found := h.Transit.WrittenAlerts(func(a *nhip.WrittenAlert) bool {
		return view.Agency(a.Agency) && (agency == "" || a.Agency == agency) && (state == "" || stateOf(a, now) == state)
	})
	out := []answer{}
	for _, a := range found[:min(len(found), limit)] {
		out = append(out, answerOf(a.WrittenAlert, a.Version, a.By, now))
	}
	return h.JSON(w, rest.NoStore, struct {
		Time   time.Time `json:"time"`
		Alerts []answer  `json:"alerts"`
	}{now, out})
}

// get answers GET /v1/service-alerts/{id}.
func (h *Handler) get(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	a, err := h.find(r)
	if err != nil {
		return err
	}
	return h.JSON(w, rest.NoStore, answerOf(a.WrittenAlert, a.Version, a.By, h.Clock.Now()))
}

// find returns the alert that a path names. One of an agency out of the caller's scope is not found.
func (h *Handler) find(r *http.Request) (transit.WrittenAlert, error) {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return transit.WrittenAlert{}, err
	}
	a, ok := h.Transit.FindWritten(id)
	if !ok || !rest.ScopeOf(r).Agency(a.Agency) {
		return transit.WrittenAlert{}, nhip.Errorf(nhip.CodeNotFound, "id", "there is no written alert %q", id)
	}
	return a, nil
}

// check returns an error if a caller may not write an alert, or if it is about something that does not exist.
func (h *Handler) check(a *nhip.WrittenAlert, sees scope.View) error {
	if err := rest.AsInvalid(a.Validate()); err != nil {
		return err
	}
	if !sees.Agency(a.Agency) {
		return transit.NoAgency(a.Agency)
	}
	if a.Status == nhip.AlertPublished && a.Over(a.Updated) {
		return nhip.Errorf(nhip.CodeInvalid, "periods", "must not all be over")
	}
	return h.Transit.CheckWritten(a)
}

// dropOldest removes the alert of an agency that has ended first, if too many are kept: a new one
// has room, and the audit log keeps all.
func (h *Handler) dropOldest(r *http.Request, agency string) {
	now := h.Clock.Now()
	ended := h.Transit.WrittenAlerts(func(a *nhip.WrittenAlert) bool { return a.Agency == agency && a.Over(now) })
	if len(ended) <= cmp.Or(h.maxEnded, nhip.MaxEndedAlerts) {
		return
	}
	oldest := slices.MinFunc(ended, func(a, b transit.WrittenAlert) int { return a.End().Compare(b.End()) })
	if _, err := h.Actions.Set(r.Context(), document(oldest.ID, oldest.Version), actorOf(r)); err != nil {
		h.Logger.Warn("an old service alert is not removed; the next new one tries it again", "id", oldest.ID, "error", err)
	}
}

// checkRoom returns an error if an agency has the most alerts that it may have. Two apis that write at the same time
// may exceed it by one.
func (h *Handler) checkRoom(a *nhip.WrittenAlert) error {
	now := h.Clock.Now()
	others := h.Transit.WrittenAlerts(func(other *nhip.WrittenAlert) bool {
		return other.Agency == a.Agency && other.ID != a.ID && !other.Over(now)
	})
	if len(others) >= nhip.MaxWrittenAlerts {
		return nhip.Errorf(nhip.CodeConflict, "agency",
			"the agency has %d alerts that have not ended, the maximum; end some", len(others))
	}
	return nil
}
