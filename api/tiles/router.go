package tiles

import (
	"net/http"
	"strings"

	"nhip/api/rest"

	"github.com/go-chi/chi/v5"
)

// kind is a kind of tiles.
type kind struct {
	pattern        string // of the router
	before, suffix string // of the path, around z/x/y
	whenReady      bool   // whether the live state must be complete
	get            func(*Handler, http.ResponseWriter, *http.Request, place) error
}

// kinds are all kinds.
var kinds = []kind{
	{"/tiles/air/{z}/{x}/{y}.mvt", "/tiles/air/", ".mvt", true, (*Handler).getAir},
	{"/tiles/air/{z}/{x}/{y}.png", "/tiles/air/", ".png", true, (*Handler).getAirImage},
	{"/tiles/transit/{z}/{x}/{y}.mvt", "/tiles/transit/", ".mvt", false, (*Handler).getTransit},
}

// Routes registers the handlers of the tiles.
func (h *Handler) Routes(r chi.Router) {
	for i := range kinds {
		k := &kinds[i]
		r.Get(k.pattern, func(w http.ResponseWriter, r *http.Request) {
			h.serve(w, r, k, place{chi.URLParam(r, "z"), chi.URLParam(r, "x"), chi.URLParam(r, "y")})
		})
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, k *kind, at place) {
	if k.whenReady && !h.Ready() {
		h.Problem(w, r, rest.ErrNotReady)
		return
	}
	if err := k.get(h, w, r, at); err != nil {
		h.Problem(w, r, err)
	}
}

// Patterns returns the route patterns of all kinds.
func Patterns() []string {
	var out []string
	for i := range kinds {
		out = append(out, kinds[i].pattern)
	}
	return out
}

// Match returns the route pattern of a path, as the router finds it. It reports false for a path that is not a
// tile's, and for unusual ones, which the router gets.
func Match(path string) (pattern string, ok bool) {
	k, _ := find(path)
	if k == nil {
		return "", false
	}
	return k.pattern, true
}

func find(path string) (*kind, place) {
	for i := range kinds {
		k := &kinds[i]
		address, ok := strings.CutPrefix(path, k.before)
		if !ok {
			continue
		}
		if address, ok = strings.CutSuffix(address, k.suffix); !ok {
			continue
		}
		z, address, _ := strings.Cut(address, "/")
		x, y, complete := strings.Cut(address, "/")
		if complete && z != "" && x != "" && y != "" && !strings.ContainsAny(y, "/.") {
			return k, place{z, x, y}
		}
	}
	return nil, place{}
}

// ServeHTTP answers a request whose path Match accepts.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if k, at := find(r.URL.Path); k != nil {
		h.serve(w, r, k, at)
	}
}
