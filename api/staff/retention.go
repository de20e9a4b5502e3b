package staff

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/rpc"
)

// retentionTimeout is the maximum time for counting and deleting rows.
const retentionTimeout = 10 * time.Minute

// getRetention answers GET /v1/retention with the data that is older than the retention policy.
func (h *Handler) getRetention(w http.ResponseWriter, r *http.Request) error {
	return h.retention(w, r, false)
}

// postRetention answers POST /v1/retention: it deletes this data.
func (h *Handler) postRetention(w http.ResponseWriter, r *http.Request) error {
	return h.retention(w, r, true)
}

// retention calls the first collector that has a database, because all collectors share it.
func (h *Handler) retention(w http.ResponseWriter, r *http.Request, apply bool) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), retentionTimeout)
	defer cancel()
	var err error = nhip.Errorf(nhip.CodeUnavailable, "collector", "no collector is running")
	for _, c := range h.Collectors.all() {
		var streams []nhip.Retention
		if err = h.Collectors.call(ctx, c, rpc.MethodRetention, nhip.RetentionQuery{Apply: apply}, &streams); err == nil {
			return h.JSON(w, rest.NoStore, struct {
				Streams []nhip.Retention `json:"streams"`
			}{streams})
		}
		if nhip.ErrorCode(err) != nhip.CodeNotFound {
			break
		}
	}
	return err
}
