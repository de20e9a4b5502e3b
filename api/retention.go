package api

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/internal/ask"
	"nhip/internal/problem"
)

// retentionWithin is how long counting and deleting may take.
const retentionWithin = 10 * time.Minute

// getRetention answers GET /v1/retention: what is older than the policy keeps.
func (a *API) getRetention(w http.ResponseWriter, r *http.Request) { a.retention(w, r, false) }

// postRetention answers POST /v1/retention: that goes.
func (a *API) postRetention(w http.ResponseWriter, r *http.Request) { a.retention(w, r, true) }

// retention asks the first collector that knows the database: they share it.
func (a *API) retention(w http.ResponseWriter, r *http.Request, apply bool) {
	if err := readQuery(r).err; err != nil {
		a.problem(w, r, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), retentionWithin)
	defer cancel()
	var err error = nhip.Errorf(nhip.Unavailable, "collector", "there is none")
	for _, c := range a.city.collectors() {
		var streams []nhip.Retention
		if err = a.asker.Ask(ctx, c, ask.Retention, nhip.RetentionQuery{Apply: apply}, &streams); err == nil {
			problem.WriteJSON(w, http.StatusOK, formJSON, struct {
				Streams []nhip.Retention `json:"streams"`
			}{streams})
			return
		}
		if nhip.ErrorCode(err) != nhip.NotFound {
			break
		}
	}
	a.problem(w, r, err)
}
