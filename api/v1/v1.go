// Package v1 serves the part of /v1 about current buses, stations, air, zones and the timetable.
package v1

import (
	"context"
	"net/http"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/places"
	"nhip/api/rest"
	"nhip/api/transit"
)

// Handler serves /v1.
type Handler struct {
	Transit  *transit.Model
	Air      *air.Model
	Live     *live.State
	Stations *catalog.Catalog
	Places   *places.Index
	Clock    nhip.Clock
	rest.Responder
}

// Limits of a search radius, m.
const (
	minRadius = 1.0
	maxRadius = 100_000.0
)

// announceExpiry adds the last day of the timetable to the headers of answers that depend on the timetable.
func (h *Handler) announceExpiry(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if last, over := h.Transit.Expires(); last != 0 {
			day := time.Date(int(last/10000), time.Month(last/100%100), int(last%100), 0, 0, 0, 0, time.UTC)
			w.Header().Set("Nhip-Timetable-Expires", day.Format(time.DateOnly))
			if over {
				w.Header().Set("Nhip-Timetable-Expired", "true")
			}
		}
		next.ServeHTTP(w, r)
	})
}

// timetable returns the timetable in use, or an error if the query has one or no timetable is loaded.
func (h *Handler) timetable(q *rest.Query) (*transit.Timetable, error) {
	if q.Err != nil {
		return nil, q.Err
	}
	return h.Transit.Timetable()
}

// snapshot returns the air of the hour in the parameter time, or the first error of the query.
func (h *Handler) snapshot(ctx context.Context, q *rest.Query) (*air.Snapshot, error) {
	at := q.PastTime("time", h.Clock.Now())
	if q.Err != nil {
		return nil, q.Err
	}
	return h.Air.At(ctx, at)
}

// cachePolicy returns how long an answer about a snapshot may be cached.
func cachePolicy(s *air.Snapshot) string { return rest.CachePolicy(s.Past, s.Settled, rest.CacheHour) }
