// Package records serves the stored readings of stations and results derived from them: indices, exceedances, the
// status of the stations and monthly reports. Readings and indices are streamed from the history.
package records

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/airreport"
	"nhip/internal/influx"
)

// History is the part of the database that the package reads.
type History interface {
	// Readings yields a station's readings, oldest first.
	Readings(ctx context.Context, q influx.ReadingQuery, yield func(nhip.AssessedReading) error) error
	airreport.History
	// DayArrivals and DayPositions yield what happened in a span, oldest first.
	DayArrivals(ctx context.Context, q influx.TravelQuery, yield func(nhip.Arrival) error) error
	DayPositions(ctx context.Context, q influx.TravelQuery, yield func(nhip.Position) error) error
	// Reviews returns the reviews of a station that were made until a time, oldest first.
	Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error)
}

// Handler serves the stored readings.
type Handler struct {
	History  History
	Live     *live.State
	Clock    nhip.Clock
	Stations *catalog.Catalog
	Class    *rest.Class // of requests of the history; nil: no limit
	Slots    rest.QuerySlots
	Exports  rest.QuerySlots // of exports, besides Slots
	License  rest.License
	rest.Responder
}

// reports returns the reader of reports.
func (h *Handler) reports() *airreport.Reader {
	return &airreport.Reader{History: h.History, Clock: h.Clock, Zone: h.Live.Zone}
}

// errStaffOnly is the answer to a request for raw values without credentials.
var errStaffOnly = nhip.Errorf(nhip.CodeUnauthorized, "level", "raw is for staff only and needs a key of staff")

// allowed returns errStaffOnly if the client may not read values of a quality.
func (h *Handler) allowed(r *http.Request, quality nhip.Quality) error {
	if quality != nhip.QualityRaw {
		return nil
	}
	err := rest.PermissionError(r, nhip.MayReadAir)
	if nhip.ErrorCode(err) == nhip.CodeUnauthorized {
		return errStaffOnly
	}
	return err
}

// withSlot runs answer, which may query the history, with a slot. Every handler of the package queries the history in
// it only. station is the one that is asked for, "" for several. It returns an error if the client may not read the
// quality, accepts no format (""), if the station is unknown, or if the history is busy.
func (h *Handler) withSlot(r *http.Request, station string, quality nhip.Quality, format string,
	answer func() error,
) error {
	if err := h.allowed(r, quality); err != nil {
		return err
	}
	if format == "" {
		return rest.ErrNotAcceptable
	}
	if station != "" {
		if _, err := h.Stations.Station(r.Context(), station); err != nil {
			return err // without a search of the history
		}
	}
	if h.Class != nil {
		release, err := h.Class.Acquire(r)
		if err != nil {
			return err
		}
		defer release()
	}
	release, err := h.Slots.Acquire(r.Context())
	if err != nil {
		return err
	}
	defer release()
	return answer()
}

// historyError logs the error of a query of the history and returns the public one. It aborts the request if the
// client is gone.
func (h *Handler) historyError(r *http.Request, err error) error {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	h.Logger.Warn("history query failed", "query", "records", "error", err)
	return live.ErrHistoryAway
}
