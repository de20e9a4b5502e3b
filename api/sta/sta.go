// Package sta serves stations and their readings by OGC SensorThings API 1.1, part 1 (OGC 18-088): sensing, read-only.
// A Thing is a station, a Datastream is a quantity at a station, an Observation is a reading.
package sta

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/influx"
)

const root = "/sta/v1.1"

// History is the part of the database that the package reads.
type History interface {
	// SeriesSpans yields the time span of each series, ordered by station, then quantity.
	SeriesSpans(ctx context.Context, yield func(influx.SeriesSpan) error) error
	// SeriesReadings yields readings in order of time, then station, quantity and the text of the period.
	SeriesReadings(ctx context.Context, q influx.SeriesQuery, yield func(nhip.AssessedReading) error) error
	// CountReadings returns the number of readings.
	CountReadings(ctx context.Context, q influx.SeriesQuery) (int, error)
	// Reviews returns the reviews of a station that were made until a time, oldest first.
	Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error)
}

// Handler serves the SensorThings API.
type Handler struct {
	History  History
	Live     *live.State
	Stations *catalog.Catalog
	Series   *Series
	Clock    nhip.Clock
	Class    *rest.Class // of requests of the history; nil: no limit
	Slots    rest.QuerySlots
	rest.Responder
}

// withSlot runs answer, which queries the history, with a slot.
func (h *Handler) withSlot(r *http.Request, answer func() error) error {
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

// historyError logs the error of a query of the history and returns the public one.
func (h *Handler) historyError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	h.Logger.Warn("history query failed", "query", "sta", "error", err)
	return live.ErrHistoryAway
}
