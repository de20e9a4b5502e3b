package v1

import "github.com/go-chi/chi/v5"

// Routes registers the routes.
func (h *Handler) Routes(r chi.Router) {
	r.With(h.WhenReady).Get("/v1/buses", h.Handle(h.listBuses))
	r.With(h.WhenReady).Get("/v1/buses/{agency}/{id}", h.Handle(h.getBus))
	r.With(h.WhenReady).Get("/v1/stations", h.Handle(h.listStations))
	r.With(h.WhenReady).Get("/v1/stations/{id}", h.Handle(h.getStation))
	r.With(h.WhenReady).Get("/v1/wind", h.Handle(h.listWind))
	r.With(h.WhenReady).Get("/v1/air", h.Handle(h.getAir))
	r.With(h.WhenReady).Get("/v1/air/hours", h.Handle(h.listHours))
	r.With(h.WhenReady).Get("/v1/zones", h.Handle(h.listZones))
	r.With(h.WhenReady).Get("/v1/zones.geojson", h.Handle(h.listZones))
	r.With(h.WhenReady).Get("/v1/service-alerts", h.Handle(h.listServiceAlerts))
	r.Group(func(r chi.Router) {
		r.Use(h.announceExpiry)
		r.With(h.WhenReady).Get("/v1/departures", h.Handle(h.listDepartures))
		r.Get("/v1/stops", h.Handle(h.listStops))
		r.Get("/v1/stops/{id}", h.Handle(h.getStop))
		r.Get("/v1/stops/{id}/timetable", h.Handle(h.getStopTimetable))
		r.With(h.WhenReady).Get("/v1/stops/{id}/arrivals", h.Handle(h.listArrivals))
		r.With(h.WhenReady).Get("/v1/routes", h.Handle(h.listRoutes))
		r.With(h.WhenReady).Get("/v1/routes/{id}", h.Handle(h.getRoute))
		r.With(h.WhenReady).Get("/v1/routes/{id}/air", h.Handle(h.getRouteAir))
		r.Get("/v1/search", h.Handle(h.search))
		r.Get("/v1/quality/eta", h.Handle(h.getETAQuality))
	})
}
