package api

import (
	"net/http"
	"time"

	"nhip"
	"nhip/internal/ask"
	"nhip/internal/problem"
)

// recomputeBody is the body of POST /v1/recompute.
type recomputeBody struct {
	Station string    `json:"station"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}

// postRecompute answers POST /v1/recompute: how much is to be made.
func (a *API) postRecompute(w http.ResponseWriter, r *http.Request) {
	var body recomputeBody
	err := readBody(w, r, &body)
	q := nhip.RecomputeQuery(body)
	if err == nil {
		err = q.Validate()
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	a.recomputing(w, r, ask.Recompute, q)
}

// getRecompute answers GET /v1/recompute: how much is left.
func (a *API) getRecompute(w http.ResponseWriter, r *http.Request) {
	q := readQuery(r, "station")
	station := q.text("station")
	if q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	a.recomputing(w, r, ask.Left, nhip.LeftQuery{Station: station})
}

// recomputing asks all collectors; those that do not keep the station say so.
func (a *API) recomputing(w http.ResponseWriter, r *http.Request, question string, params any) {
	var sum nhip.Recomputing
	var refused error
	answered := false
	for _, c := range a.city.collectors() {
		var got nhip.Recomputing
		err := a.asker.Ask(r.Context(), c, question, params, &got)
		switch {
		case err == nil:
			answered = true
			sum.Hours, sum.Days = sum.Hours+got.Hours, sum.Days+got.Days
		case nhip.ErrorCode(err) == nhip.NotFound:
			refused = err
		default:
			a.problem(w, r, err)
			return
		}
	}
	if !answered && refused != nil {
		a.problem(w, r, refused)
		return
	}
	problem.WriteJSON(w, http.StatusOK, formJSON, sum)
}
