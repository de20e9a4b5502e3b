package webmap

import (
	"net/http"
	"time"

	"nhip/api/rest"
	"nhip/geo/index"
	"nhip/geo/tile"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// getAirTileJSON answers GET /tiles/air.json.
func (h *Handler) getAirTileJSON(w http.ResponseWriter, r *http.Request) error {
	return h.tileJSON(w, r, tile.Air, h.airExtent)
}

// getAirPictureTileJSON answers GET /tiles/air.png.json.
func (h *Handler) getAirPictureTileJSON(w http.ResponseWriter, r *http.Request) error {
	return h.tileJSON(w, r, tile.AirRaster, h.airExtent)
}

// getTransitTileJSON answers GET /tiles/transit.json.
func (h *Handler) getTransitTileJSON(w http.ResponseWriter, r *http.Request) error {
	return h.tileJSON(w, r, tile.Transit, h.transitExtent)
}

// tileJSON answers with the TileJSON of tiles. It copies the parameters of the request to the tiles' addresses.
func (h *Handler) tileJSON(w http.ResponseWriter, r *http.Request,
	describe func(base, query string, bounds orb.Bound) tile.TileJSON,
	extent func(r *http.Request, at time.Time) (orb.Bound, error),
) error {
	q := rest.ReadQuery(r, "quantity", "index", "time")
	q.SurfaceQuantity("quantity", "index")
	at := q.PastTime("time", h.Clock.Now())
	if q.Scale("index"); q.Err != nil {
		return q.Err
	}
	query := q.Values.Encode()
	if query != "" {
		query = "?" + query
	}
	doc := describe(h.BaseURL(r), query, h.tileBounds(r, at, extent))
	doc.Attribution = h.Config.Attribution
	return h.JSON(w, rest.NoStore, doc)
}

// tileBounds returns the bounds of tiles at a time. It returns the empty bounds, which stand for the world, while the
// extent is unknown: clients request no tile outside the bounds, and keep them.
func (h *Handler) tileBounds(r *http.Request, at time.Time,
	extent func(r *http.Request, at time.Time) (orb.Bound, error),
) orb.Bound {
	world := orb.MultiPoint{}.Bound()
	if !h.Live.Served() {
		return world
	}
	b, err := extent(r, at)
	if err != nil || b.IsEmpty() { // the model has logged why the history did not answer
		return world
	}
	return geo.BoundPad(b, symbolMargin)
}

// Margins of the bounds, in metres.
const (
	symbolMargin = 1_000 // of symbols that reach into the next tile
	depotMargin  = 5_000 // of the network, for buses on their way to a depot or a detour
)

// airExtent returns the box around what the air tiles draw.
func (h *Handler) airExtent(r *http.Request, at time.Time) (orb.Bound, error) {
	s, err := h.Air.At(r.Context(), at)
	if err != nil {
		return orb.Bound{}, err
	}
	b := h.Air.Extent(s)
	if network := h.Transit.Bounds(); !s.Past && s.HasMobile() && !network.IsEmpty() { // they measure wherever buses go
		b = b.Union(geo.BoundPad(network, depotMargin+h.Air.Reach()))
	}
	return b, nil
}

// transitExtent returns the box around what the transit tiles draw.
func (h *Handler) transitExtent(r *http.Request, at time.Time) (orb.Bound, error) {
	fleet, err := h.Live.FleetAt(r.Context(), at)
	if err != nil {
		return orb.Bound{}, err
	}
	b := h.Transit.Bounds()
	if !b.IsEmpty() {
		b = geo.BoundPad(b, depotMargin)
	}
	for _, hit := range fleet.Buses.Within(nil, index.World, nil) {
		b = b.Extend(hit.Point)
	}
	return b, nil
}
