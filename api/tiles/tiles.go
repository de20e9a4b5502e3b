// Package tiles serves map tiles: the air as vector tiles and images, and the transit network with its buses as
// vector tiles.
package tiles

import (
	"net/http"
	"strconv"

	"nhip"
	"nhip/api/air"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/api/transit"
	"nhip/geo/tile"

	"github.com/paulmach/orb/maptile"
)

// Handler serves /tiles.
type Handler struct {
	Transit *transit.Model
	Air     *air.Model
	Live    *live.State
	Clock   nhip.Clock
	Cache   *Cache
	Draws   *rest.Class // of tiles that are not cached; nil: no limit
	rest.Responder
}

// Cache policies by the content of a tile. With stale-while-revalidate a map shows the old tile while it loads the
// new one.
const (
	airCaching     = "public, max-age=30, stale-while-revalidate=300"
	busesCaching   = "public, max-age=5, stale-while-revalidate=30"
	networkCaching = "public, max-age=3600, stale-while-revalidate=86400"
)

// Media types.
const (
	mvtType = "application/vnd.mapbox-vector-tile"
	pngType = "image/png"
)

// place is the address of a tile as texts of its path.
type place struct{ z, x, y string }

// address reads the address of a tile. It accepts only the canonical spelling of numbers: with "+1" and "01", caches
// would hold the same tile several times.
func (p place) address() (maptile.Tile, error) {
	var v [3]int
	for i, part := range [...]struct{ name, text string }{{"z", p.z}, {"x", p.x}, {"y", p.y}} {
		n, err := strconv.Atoi(part.text)
		if err != nil || strconv.Itoa(n) != part.text {
			return maptile.Tile{}, nhip.Errorf(nhip.CodeNotFound, part.name, "must be a whole number, got %q", part.text)
		}
		v[i] = n
	}
	return tile.Address(v[0], v[1], v[2])
}

// drawn returns a tile of the cache, or draws it within the limit of its class.
func (h *Handler) drawn(r *http.Request, key tileKey, compressed bool, draw func() ([]byte, error)) (*cachedTile,
	error,
) {
	return h.Cache.get(key, compressed, func() ([]byte, error) {
		if h.Draws == nil {
			return draw()
		}
		release, err := h.Draws.Acquire(r)
		if err != nil {
			return nil, err
		}
		defer release()
		return draw()
	})
}

// send answers with a tile: with 204 if it is empty, and with 304 if the client has it already. The ETag is strong.
func send(w http.ResponseWriter, r *http.Request, t *cachedTile, contentType, caching string) {
	h := w.Header()
	// Headers are set directly under their canonical names, because they take most of the time of a cached tile.
	h["Cache-Control"] = header(caching)
	h["Vary"] = varyEncoding
	if t.size == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	e := t.encoded(r.Header.Get("Accept-Encoding"))
	h["Etag"] = e.etag
	if given := r.Header.Get("If-None-Match"); given != "" {
		if etag, ok := t.matchingETag(given); ok {
			h["Etag"] = []string{etag}
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h["Content-Type"] = header(contentType)
	if e.encoding != nil {
		h["Content-Encoding"] = e.encoding
	}
	h["Content-Length"] = e.length
	_, _ = w.Write(e.body) // the client may be gone
}

// constants are the header values that tiles have in common, shared by all answers.
var constants = func() map[string][]string {
	out := make(map[string][]string)
	for _, v := range []string{
		airCaching, busesCaching, networkCaching, rest.CacheDone, rest.CachePast, mvtType, pngType,
	} {
		out[v] = []string{v}
	}
	return out
}()

// header returns a header with one value.
func header(value string) []string {
	if shared := constants[value]; shared != nil {
		return shared
	}
	return []string{value}
}

// varyEncoding is the Vary header of every tile, shared by all answers.
var varyEncoding = []string{"Accept-Encoding"}
