package staff

import (
	"net/http"

	"nhip"

	"github.com/go-chi/chi/v5"
)

// Routes registers the staff endpoints, each with the permission that its caller needs.
func (h *Handler) Routes(r chi.Router) {
	may := func(p nhip.Permission) chi.Router { return r.With(h.Require(p), h.WhenReady) }
	get := func(path string, p nhip.Permission, answer func(http.ResponseWriter, *http.Request) error) {
		may(p).Get(path, h.Handle(answer))
	}
	post := func(path string, p nhip.Permission, answer func(http.ResponseWriter, *http.Request) error) {
		may(p).Post(path, h.Handle(answer))
	}
	get("/v1/ledger", nhip.MayReadLedger, h.getLedger)
	get("/v1/devices", nhip.MayUseDevices, h.listDevices)
	get("/v1/devices/{id}", nhip.MayUseDevices, h.getDevice)
	get("/v1/dead", nhip.MayReplay, h.listDeadLetters)
	get("/v1/dead/{collector}/{id}", nhip.MayReplay, h.getDeadLetter)
	post("/v1/dead/replay", nhip.MayReplay, h.replayDeadLetters)
	get("/v1/reviews", nhip.MayReadAir, h.listReviews)
	post("/v1/reviews", nhip.MayReview, h.postReview)
	get("/v1/stations/{id}/value", nhip.MayReadAir, h.getValue)
	get("/v1/retention", nhip.MaySetRetention, h.getRetention)
	post("/v1/retention", nhip.MaySetRetention, h.postRetention)
	get("/v1/alerts", nhip.MayReadAlerts, h.listAlerts)
	get("/v1/alerts/live", nhip.MayReadAlerts, h.streamAlerts)
	post("/v1/alerts/{id}/ack", nhip.MayAckAlerts, h.ackAlert)
	get("/v1/recompute", nhip.MayRecompute, h.getRecompute)
	post("/v1/recompute", nhip.MayRecompute, h.postRecompute)
}
