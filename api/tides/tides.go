// Package tides serves what buses did as tables of TIDES (Transit ITS Data Exchange Specification,
// https://tides-transit.org): vehicle_locations, stop_visits and trips_performed of a service date, as CSV and Parquet,
// with the descriptor of the package that they are. The tables are made from the history for each request, as streams.
package tides

import (
	"context"
	"errors"
	"net/http"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/internal/influx"
)

// History is the part of the database that the package reads.
type History interface {
	// DayArrivals and DayPositions yield what happened in a span, in order of time, then of agency and vehicle.
	DayArrivals(ctx context.Context, q influx.TravelQuery, yield func(nhip.Arrival) error) error
	DayPositions(ctx context.Context, q influx.TravelQuery, yield func(nhip.Position) error) error
	// CountTravels returns the number of arrivals, or of positions, in a span.
	CountTravels(ctx context.Context, measurement string, q influx.TravelQuery) (int, error)
}

// Handler serves the tables.
type Handler struct {
	History  History
	Live     *live.State
	Transit  *transit.Model
	Stations *catalog.Catalog
	Clock    nhip.Clock
	Class    *rest.Class // of requests of the history; nil: no limit
	Slots    rest.QuerySlots
	Exports  rest.QuerySlots // of exports, besides Slots
	License  rest.License
	rest.Responder
}

// withSlots runs answer, which queries the history, with a slot of each kind.
func (h *Handler) withSlots(r *http.Request, slots []rest.QuerySlots, answer func() error) error {
	if h.Class != nil {
		release, err := h.Class.Acquire(r)
		if err != nil {
			return err
		}
		defer release()
	}
	for _, s := range slots {
		release, err := s.Acquire(r.Context())
		if err != nil {
			return err
		}
		defer release()
	}
	return answer()
}

// historyError logs the error of a query of the history and returns the public one. It aborts the request if the
// client is gone, or if a part of the answer is sent.
func (h *Handler) historyError(r *http.Request, sent bool, err error) error {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	var public *nhip.Error
	if errors.As(err, &public) && !sent {
		return err
	}
	h.Logger.Warn("history query failed", "query", "tides", "incomplete", sent, "error", err)
	if sent {
		panic(http.ErrAbortHandler)
	}
	return live.ErrHistoryAway
}
