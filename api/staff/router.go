package staff

import (
	"net/http"

	"nhip"

	"github.com/go-chi/chi/v5"
)

// Routes registers the staff endpoints, each with the permission that its caller needs.
func (h *Handler) Routes(r chi.Router) {
	may := func(p nhip.Permission) chi.Router { return r.With(h.Require(p), h.WhenReady) }
	whole := func(p nhip.Permission) chi.Router { return r.With(h.RequireWhole(p), h.WhenReady) }
	get := func(path string, p nhip.Permission, answer func(http.ResponseWriter, *http.Request) error) {
		may(p).Get(path, h.Handle(answer))
	}
	post := func(path string, p nhip.Permission, answer func(http.ResponseWriter, *http.Request) error) {
		may(p).Post(path, h.Handle(answer))
	}
	whole(nhip.MayReadLedger).Get("/v1/ledger", h.Handle(h.getLedger))
	get("/v1/devices", nhip.MayUseDevices, h.listDevices)
	get("/v1/devices/{id}", nhip.MayUseDevices, h.getDevice)
	whole(nhip.MayReplay).Get("/v1/dead", h.Handle(h.listDeadLetters))
	whole(nhip.MayReplay).Get("/v1/dead/{collector}/{id}", h.Handle(h.getDeadLetter))
	whole(nhip.MayReplay).Post("/v1/dead/replay", h.Handle(h.replayDeadLetters))
	whole(nhip.MayUseAllDevices).Get("/v1/fleet/changes", h.Handle(h.listFleetChanges))
	post("/v1/devices", nhip.MayUseDevices, h.addDevice)
	post("/v1/devices/{id}/rotate", nhip.MayUseDevices, h.rotateDevice)
	post("/v1/devices/{id}/disable", nhip.MayUseDevices, h.disableDevice)
	post("/v1/devices/{id}/enable", nhip.MayUseDevices, h.enableDevice)
	may(nhip.MayUseDevices).Delete("/v1/devices/{id}", h.Handle(h.removeDevice))
	get("/v1/reviews", nhip.MayReadAir, h.listReviews)
	post("/v1/reviews", nhip.MayReview, h.postReview)
	get("/v1/reviews/reasons", nhip.MayReadAir, h.listReasons)
	post("/v1/reviews/preview", nhip.MayReview, h.previewReview)
	post("/v1/reviews/{id}/undo", nhip.MayReview, h.undoReview)
	get("/v1/stations/{id}/calibrations", nhip.MayReadAir, h.listCalibrations)
	post("/v1/stations/{id}/calibrations", nhip.MayCalibrate, h.postCalibration)
	post("/v1/stations/{id}/calibrations/preview", nhip.MayCalibrate, h.previewCalibration)
	may(nhip.MayCalibrate).Delete("/v1/stations/{id}/calibrations/{line}", h.Handle(h.deleteCalibration))
	get("/v1/stations/{id}/value", nhip.MayReadAir, h.getValue)
	get("/v1/schedules", nhip.MayScheduleReports, h.listSchedules)
	post("/v1/schedules", nhip.MayScheduleReports, h.postSchedule)
	get("/v1/schedules/{id}", nhip.MayScheduleReports, h.getSchedule)
	may(nhip.MayScheduleReports).Put("/v1/schedules/{id}", h.Handle(h.putSchedule))
	may(nhip.MayScheduleReports).Delete("/v1/schedules/{id}", h.Handle(h.deleteSchedule))
	post("/v1/schedules/{id}/send", nhip.MayScheduleReports, h.sendSchedule)
	whole(nhip.MaySetRetention).Get("/v1/retention", h.Handle(h.getRetention))
	whole(nhip.MaySetRetention).Post("/v1/retention", h.Handle(h.postRetention))
	get("/v1/alerts", nhip.MayReadAlerts, h.listAlerts)
	get("/v1/alerts/live", nhip.MayReadAlerts, h.streamAlerts)
	post("/v1/alerts/{id}/ack", nhip.MayAckAlerts, h.ackAlert)
	whole(nhip.MayRecompute).Get("/v1/recompute", h.Handle(h.getRecompute))
	whole(nhip.MayRecompute).Post("/v1/recompute", h.Handle(h.postRecompute))
}
