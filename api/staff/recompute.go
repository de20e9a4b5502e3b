package staff

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/rpc"
)

// recomputeBody is the body of POST /v1/recompute.
type recomputeBody struct {
	Station string    `json:"station"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}

// postRecompute answers POST /v1/recompute with the number of hours and days to recompute.
func (h *Handler) postRecompute(w http.ResponseWriter, r *http.Request) error {
	var body recomputeBody
	err := rest.DecodeBody(w, r, &body)
	q := nhip.RecomputeQuery(body)
	if err == nil {
		err = q.Validate()
	}
	if err != nil {
		return err
	}
	return h.recomputation(w, r, rpc.MethodRecompute, q)
}

// getRecompute answers GET /v1/recompute with the number of hours and days still to recompute.
func (h *Handler) getRecompute(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "station")
	station := q.Text("station")
	if q.Err != nil {
		return q.Err
	}
	return h.recomputation(w, r, rpc.MethodRecomputeStatus, nhip.RecomputeStatusQuery{Station: station})
}

// recomputation calls a method of all collectors and answers with the sum of their results. A collector without the
// station returns nhip.CodeNotFound, which is the answer only if all do.
func (h *Handler) recomputation(w http.ResponseWriter, r *http.Request, method string, params any) error {
	var sum nhip.RecomputeProgress
	var notFound error
	answered := false
	for _, c := range h.Collectors.all() {
		var got nhip.RecomputeProgress
		err := h.Collectors.call(r.Context(), c, method, params, &got)
		switch {
		case err == nil:
			answered = true
			sum.Hours, sum.Days = sum.Hours+got.Hours, sum.Days+got.Days
		case nhip.ErrorCode(err) == nhip.CodeNotFound:
			notFound = err
		default:
			return err
		}
	}
	if !answered && notFound != nil {
		return notFound
	}
	return h.JSON(w, rest.NoStore, sum)
}
