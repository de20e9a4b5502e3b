package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/geo/aqi"
	"nhip/geo/tile"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
)

// How long a tile may be shown without asking again, by what it shows. A map that finds one stale shows it until the
// new one is there.
const (
	airCaching     = "public, max-age=30, stale-while-revalidate=300"
	busesCaching   = "public, max-age=5, stale-while-revalidate=30"
	networkCaching = "public, max-age=3600, stale-while-revalidate=86400"
	recentCaching  = "public, max-age=60, stale-while-revalidate=300"
	settledCaching = "public, max-age=86400, immutable"

	mvtType = "application/vnd.mapbox-vector-tile"
	pngType = "image/png"
)

// Sizes of pictures, pixels.
const (
	tilePixels = 256
	bigPixels  = 512
)

// airQuestion is what is asked of the air on a tile.
type airQuestion struct {
	at       maptile.Tile
	hour     *hour
	scale    nhip.Scale
	quantity nhip.Quantity // "": all
}

// airQuestion reads it. Parameters that are not ours are passed over: mapping programs add keys and version marks.
func (a *API) airQuestion(r *http.Request, row string) (*airQuestion, error) {
	at, err := tileAddress(r, row)
	if err != nil {
		return nil, err
	}
	q := &query{values: r.URL.Query()}
	ask := &airQuestion{at: at, scale: q.scale("index"), quantity: q.surfaced("quantity", "index")}
	ask.hour, err = a.hour(r.Context(), q)
	return ask, err
}

// surfaced reads a quantity that a scale makes an index of; "" when none is given.
func (q *query) surfaced(name, scale string) nhip.Quantity {
	s := nhip.Quantity(q.text(name))
	if s == "" {
		return ""
	}
	var known []string
	for _, a := range aqi.Averages(q.scale(scale)) {
		if a.Quantity == s {
			return s
		}
		known = append(known, string(a.Quantity))
	}
	q.fail(name, "must be one of %s, got %q", strings.Join(known, ", "), string(s))
	return ""
}

// hour returns the air of the time that is asked for: of now, where none is.
func (a *API) hour(ctx context.Context, q *query) (*hour, error) {
	t := q.then("time", a.o.Clock.Now())
	if q.err != nil {
		return nil, q.err
	}
	return a.sky.at(ctx, t)
}

// then reads a time that was; zero when none is given.
func (q *query) then(name string, now time.Time) time.Time {
	t := q.time(name, time.Time{})
	if t.After(now.Add(nhip.FutureTolerance)) {
		q.fail(name, "must not be in the future, got %q", q.values.Get(name))
	}
	return t
}

// caching is how long what is made of an hour may be kept, where that of now may be so long.
func (h *hour) caching(now string) string {
	switch {
	case h.settled:
		return settledCaching
	case h.past:
		return recentCaching
	}
	return now
}

// airTile answers GET /tiles/air/{z}/{x}/{y}.mvt.
func (a *API) airTile(w http.ResponseWriter, r *http.Request) {
	ask, err := a.airQuestion(r, chi.URLParam(r, "y"))
	if err != nil {
		a.problem(w, r, err)
		return
	}
	key := tileKey{"air", ask.at, ask.quantity, ask.scale, ask.hour.version}
	t := a.tiles.get(key, true, func() ([]byte, error) { return a.scene(ask).Tile(ask.at) })
	a.sendTile(w, r, t, mvtType, ask.hour.caching(airCaching))
}

// scene is what is drawn of an hour.
func (a *API) scene(ask *airQuestion) *tile.Scene {
	s := &tile.Scene{
		Time: ask.hour.at, Index: ask.hour.on(ask.scale).Layer(ask.quantity).Index,
		Stations: ask.hour.stations, IndexOf: ask.hour.indexOf(ask.scale),
	}
	s.Levels, s.From = aqi.Classes(ask.scale)
	z := a.sky.zoned(ask.hour, ask.scale)
	s.Zones, s.ZoneAir = z.drawn, func(k int) (float64, nhip.Level, bool) {
		index, known := z.rows[k].index.Get()
		return index, z.rows[k].level, known
	}
	return s
}

// airPicture answers GET /tiles/air/{z}/{x}/{y}.png, and with @2x.
func (a *API) airPicture(w http.ResponseWriter, r *http.Request) {
	row, large := strings.CutSuffix(chi.URLParam(r, "y"), "@2x")
	ask, err := a.airQuestion(r, row)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	kind, pixels := "air.png", tilePixels
	if large {
		kind, pixels = "air@2x.png", bigPixels
	}
	key := tileKey{kind, ask.at, ask.quantity, ask.scale, ask.hour.key}
	t := a.tiles.get(key, false, func() ([]byte, error) {
		layer := ask.hour.on(ask.scale).Layer(ask.quantity)
		return tile.Picture(ask.at, layer.Index, layer.Certainty, a.palettes[ask.scale], pixels)
	})
	a.sendTile(w, r, t, pngType, ask.hour.caching(airCaching))
}

// newPalettes makes the colours of each scale.
func newPalettes() map[nhip.Scale]*tile.Palette {
	out := make(map[nhip.Scale]*tile.Palette)
	for _, s := range aqi.Scales() {
		levels, from := aqi.Classes(s)
		out[s] = tile.NewPalette(levels, from)
	}
	return out
}

// sendTile sends a tile the way maps like it: a strong ETag over the content, so that an unchanged tile costs a 304,
// and 204 for an empty one.
func (a *API) sendTile(w http.ResponseWriter, r *http.Request, t *stored, kind, caching string) {
	if t.err != nil {
		a.problem(w, r, t.err)
		return
	}
	h := w.Header()
	// Set straight under their canonical names: a warm tile is little more than its headers.
	h["Cache-Control"] = []string{caching}
	h["Vary"] = varyEncoding
	if t.size == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, encoding, etag := t.answer(r.Header.Get("Accept-Encoding"))
	h["Etag"] = []string{etag}
	if asked := r.Header.Get("If-None-Match"); asked != "" {
		if etag, same := t.known(asked); same {
			h["Etag"] = []string{etag}
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h["Content-Type"] = []string{kind}
	if encoding != "" {
		h["Content-Encoding"] = []string{encoding}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	_, _ = w.Write(body) // the client may be gone
}

var varyEncoding = []string{"Accept-Encoding"}

// tileAddress reads z and x, and y as it is given. Only their plain spelling is an address: "+1" and "01" would be
// the same tile under another name in every cache.
func tileAddress(r *http.Request, y string) (maptile.Tile, error) {
	var v [3]int
	for i, part := range [...]struct{ name, text string }{{"z", chi.URLParam(r, "z")}, {"x", chi.URLParam(r, "x")}, {"y", y}} {
		n, err := strconv.Atoi(part.text)
		if err != nil || strconv.Itoa(n) != part.text {
			return maptile.Tile{}, nhip.Errorf(nhip.NotFound, part.name, "must be a whole number, got %q", part.text)
		}
		v[i] = n
	}
	return tile.Address(v[0], v[1], v[2])
}

// matches reports whether an If-None-Match header names a tag.
func matches(header, etag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == etag || part == "*" {
			return true
		}
	}
	return false
}

func (a *API) airTileJSON(w http.ResponseWriter, r *http.Request) {
	a.tileJSON(w, r, tile.Air, a.bounds())
}

func (a *API) airPictureJSON(w http.ResponseWriter, r *http.Request) {
	a.tileJSON(w, r, tile.AirPicture, a.bounds())
}

func (a *API) transitTileJSON(w http.ResponseWriter, r *http.Request) {
	a.tileJSON(w, r, tile.Transit, a.networkBound())
}

// tileJSON describes tiles; what is asked of them here is asked in their addresses.
func (a *API) tileJSON(w http.ResponseWriter, r *http.Request, describe func(base, query string, bounds orb.Bound) tile.TileJSON, bounds orb.Bound) {
	q := readQuery(r, "quantity", "index", "time")
	q.surfaced("quantity", "index")
	q.then("time", a.o.Clock.Now())
	if q.scale("index"); q.err != nil {
		a.problem(w, r, q.err)
		return
	}
	query := q.values.Encode()
	if query != "" {
		query = "?" + query
	}
	doc := describe(a.publicURL(r), query, bounds)
	doc.Attribution = a.o.Map.Attribution
	problem.WriteJSON(w, http.StatusOK, "application/json", doc)
}

// bounds is the box around all that is known: what is live and the network. It is empty when
// nothing is.
func (a *API) bounds() orb.Bound {
	b := a.networkBound()
	live, ok := a.city.bounds()
	switch {
	case !ok:
		return b
	case b.IsEmpty():
		return live
	}
	return b.Union(live)
}

func (a *API) networkBound() orb.Bound {
	drawn := a.drawn.Load()
	if len(drawn.Outline) == 0 {
		return orb.MultiPoint{}.Bound()
	}
	return drawn.Outline.Bound()
}

// publicURL is how this request's client reaches us.
func (a *API) publicURL(r *http.Request) string {
	if a.o.PublicURL != "" {
		return a.o.PublicURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
