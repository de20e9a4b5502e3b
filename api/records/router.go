package records

import (
	"nhip"

	"github.com/go-chi/chi/v5"
)

// Routes registers the handlers of the stored readings.
func (h *Handler) Routes(r chi.Router) {
	r.Get("/v1/datasets", h.Handle(h.listDatasets))
	r.Get("/v1/arrivals/{date}", h.Handle(h.listDayArrivals))
	r.Get("/v1/positions/{date}", h.Handle(h.listDayPositions))
	r.Get("/v1/readings", h.Handle(h.listAllReadings))
	r.Get("/v1/stations/{id}/readings", h.Handle(h.listReadings))
	r.Get("/v1/stations/{id}/aqi", h.Handle(h.listAQI))
	r.Get("/v1/stations/{id}/report", h.Handle(h.getReport))
	r.With(h.Require(nhip.MayReadReports), h.WhenReady).Get("/v1/reports/monthly", h.Handle(h.getMonthly))
	r.With(h.WhenReady).Get("/v1/stations/status", h.Handle(h.listStatus))
	r.With(h.WhenReady).Get("/v1/exceedances", h.Handle(h.listExceedances))
}
