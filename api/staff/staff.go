// Package staff serves the endpoints of the agency's staff: reviews, alerts, the ledger, dead letters, devices,
// retention and recomputation. The ledger and the dead letters are queried from the collectors, and the devices from
// the gateways, by RPC over MQTT.
package staff

import (
	"context"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/internal/influx"
)

// History is the part of the database that the package reads.
type History interface {
	// Reviews returns the reviews of a station, of all stations for "", that were made until a time, oldest first.
	Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error)
	// ReadingVersions returns all versions of a station's readings of a quantity whose periods end at a time.
	ReadingVersions(
		ctx context.Context, station string, quantity nhip.Quantity, at time.Time,
	) ([]influx.ReadingVersion, error)
	// Readings yields a station's readings, oldest first.
	Readings(ctx context.Context, q influx.ReadingQuery, yield func(nhip.AssessedReading) error) error
	// Rollups yields hours, days or months, oldest first.
	Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.RollupRow) error) error
	// RowCounts returns the number of stored rows by device and hour.
	RowCounts(ctx context.Context, q influx.RowCountQuery) (*influx.RowCounts, error)
}

// Handler serves the staff endpoints.
type Handler struct {
	History    History
	Stations   *catalog.Catalog
	Collectors Collectors
	Gateways   Gateways
	Fleet      Fleet
	Events     *Events
	Clock      nhip.Clock
	Slots      rest.QuerySlots
	// Completeness is the least share of values of a complete mean, 0 to 1; 0 is the default
	Completeness float64
	Decided      *Decided             // reviews that this api has stored
	Reasons      []nhip.LocalizedText // usual ones of reviews
	rest.Responder
}

// reviews returns all reviews of a station, of all stations for "", oldest first.
func (h *Handler) reviews(ctx context.Context, station string) ([]nhip.Review, error) {
	reviews, err := h.History.Reviews(ctx, station, h.Clock.Now().Add(nhip.FutureTolerance))
	if err != nil {
		return nil, h.historyError("reviews", err)
	}
	return reviews, nil
}

// historyError logs the error of a query of the history and returns the public one.
func (h *Handler) historyError(query string, err error) error {
	h.Logger.Warn("history query failed", "query", query, "error", err)
	return live.ErrHistoryAway
}
