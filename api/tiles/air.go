package tiles

import (
	"net/http"
	"strings"

	"nhip"
	"nhip/api/air"
	"nhip/api/rest"
	"nhip/geo/aqi"
	"nhip/geo/tile"

	"github.com/paulmach/orb/maptile"
)

// Sizes of images, in pixels.
const (
	imageSize      = 256
	largeImageSize = 512
)

// airQuery is a query for an air tile.
type airQuery struct {
	at       maptile.Tile
	snapshot *air.Snapshot
	scale    nhip.Scale
	quantity nhip.Quantity // "": all
}

// airQuery reads the parameters of an air tile, whose y has no "@2x".
func (h *Handler) airQuery(r *http.Request, p place) (*airQuery, error) {
	at, err := p.address()
	if err != nil {
		return nil, err
	}
	values := rest.LenientQuery(r, "quantity", "index", "time")
	q := &airQuery{at: at, scale: values.Scale("index"), quantity: values.SurfaceQuantity("quantity", "index")}
	t := values.PastTime("time", h.Clock.Now())
	if values.Err != nil {
		return nil, values.Err
	}
	q.snapshot, err = h.Air.At(r.Context(), t)
	return q, err
}

// cachePolicy returns the Cache-Control of the tile.
func (q *airQuery) cachePolicy() string {
	return rest.CachePolicy(q.snapshot.Past, q.snapshot.Settled, airCaching)
}

// getAir answers GET /tiles/air/{z}/{x}/{y}.mvt.
func (h *Handler) getAir(w http.ResponseWriter, r *http.Request, p place) error {
	q, err := h.airQuery(r, p)
	if err != nil {
		return err
	}
	key := tileKey{"air", q.at, q.quantity, q.scale, q.snapshot.Version}
	t, err := h.drawn(r, key, true, func() ([]byte, error) { return h.scene(q).Tile(q.at) })
	if err != nil {
		return err
	}
	send(w, r, t, mvtType, q.cachePolicy())
	return nil
}

// scene returns the content of the vector tiles of a snapshot.
func (h *Handler) scene(q *airQuery) *tile.AirScene {
	s := q.snapshot
	z := h.Air.Zones(s, q.scale)
	return &tile.AirScene{
		Time: s.At, Index: s.Field(q.scale).IndexRasters(q.quantity).Index, Categories: aqi.Categories(q.scale),
		Stations: s.Stations,
		StationIndex: func(station *nhip.Station) (float64, nhip.AQICategory, bool) {
			return s.StationIndex(station, q.scale)
		},
		Zones:     z.Drawing,
		ZoneIndex: func(k int) (float64, nhip.AQICategory, bool) { return z.Rows[k].Index() },
	}
}

// getAirImage answers GET /tiles/air/{z}/{x}/{y}.png, where y may end in @2x.
func (h *Handler) getAirImage(w http.ResponseWriter, r *http.Request, p place) error {
	var large bool
	p.y, large = strings.CutSuffix(p.y, "@2x")
	q, err := h.airQuery(r, p)
	if err != nil {
		return err
	}
	kind, pixels := "air.png", imageSize
	if large {
		kind, pixels = "air@2x.png", largeImageSize
	}
	key := tileKey{kind, q.at, q.quantity, q.scale, q.snapshot.FieldVersion}
	t, err := h.drawn(r, key, false, func() ([]byte, error) {
		layer := q.snapshot.Field(q.scale).IndexRasters(q.quantity)
		return tile.RasterPNG(q.at, layer.Index, layer.Certainty, palettes[q.scale], pixels)
	})
	if err != nil {
		return err
	}
	send(w, r, t, pngType, q.cachePolicy())
	return nil
}

// palettes holds the colors of each scale.
var palettes = func() map[nhip.Scale]*tile.Palette {
	out := make(map[nhip.Scale]*tile.Palette)
	for _, s := range aqi.Scales() {
		out[s] = tile.NewPalette(aqi.Categories(s))
	}
	return out
}()
