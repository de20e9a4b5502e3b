package api

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"

	"nhip"
	"nhip/geo/tile"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"
)

// How long a tile may be shown without asking again: the air changes with every reading, the
// network with a new timetable.
const (
	airMaxAge     = 30   // s
	transitMaxAge = 3600 // s
	mvtType       = "application/vnd.mapbox-vector-tile"
)

// airTile answers GET /tiles/air/{z}/{x}/{y}.mvt.
func (a *API) airTile(w http.ResponseWriter, r *http.Request) {
	a.tile(w, r, airMaxAge, func(t maptile.Tile) ([]byte, error) {
		now := a.o.Clock.Now()
		var stations []nhip.Station
		for _, s := range a.city.allStations() {
			if !s.Gone(now) {
				stations = append(stations, *s)
			}
		}
		return tile.Stations(t, stations, now)
	})
}

// transitTile answers GET /tiles/transit/{z}/{x}/{y}.mvt.
func (a *API) transitTile(w http.ResponseWriter, r *http.Request) {
	a.tile(w, r, transitMaxAge, a.drawn.Load().Tile)
}

// tile serves what draw makes of the tile in the path, the way maps like it: a strong ETag over
// the content, so that an unchanged tile costs a 304, and 204 for an empty one. Parameters are
// passed over: mapping programs add keys and version marks of their own.
func (a *API) tile(w http.ResponseWriter, r *http.Request, maxAge int, draw func(maptile.Tile) ([]byte, error)) {
	t, err := tileAddress(r)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	body, err := draw(t)
	if err != nil {
		a.problem(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(maxAge))
	h.Set("Vary", "Accept-Encoding")
	if len(body) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	zip := strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	etag := tileTag(body, zip)
	h.Set("ETag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", mvtType)
	if zip {
		h.Set("Content-Encoding", "gzip")
		body = compress(body)
	}
	_, _ = w.Write(body) // the client may be gone
}

// tileAddress reads z, x and y. Only their plain spelling is an address: "+1" and "01" would be
// the same tile under another name in every cache.
func tileAddress(r *http.Request) (maptile.Tile, error) {
	var v [3]int
	for i, name := range [...]string{"z", "x", "y"} {
		s := chi.URLParam(r, name)
		n, err := strconv.Atoi(s)
		if err != nil || strconv.Itoa(n) != s {
			return maptile.Tile{}, nhip.Errorf(nhip.NotFound, name, "must be a whole number, got %q", s)
		}
		v[i] = n
	}
	return tile.Address(v[0], v[1], v[2])
}

// tileTag names content and encoding: a strong ETag promises the same bytes.
func tileTag(body []byte, zip bool) string {
	sum := fnv.New64a()
	_, _ = sum.Write(body)
	suffix := ""
	if zip {
		suffix = "g"
	}
	return fmt.Sprintf(`"%016x%s"`, sum.Sum64(), suffix)
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

func compress(body []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

func (a *API) airTileJSON(w http.ResponseWriter, r *http.Request) {
	a.tileJSON(w, tile.Air(a.publicURL(r), a.bounds()))
}

func (a *API) transitTileJSON(w http.ResponseWriter, r *http.Request) {
	a.tileJSON(w, tile.Transit(a.publicURL(r), a.networkBound()))
}

func (a *API) tileJSON(w http.ResponseWriter, doc tile.TileJSON) {
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
