package api

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/api/resttest"

	"github.com/paulmach/orb"
)

// fleetHistory is a history of two buses. It counts its queries.
type fleetHistory struct {
	absentHistory
	queries atomic.Int64
}

func (h *fleetHistory) Fleet(_ context.Context, from, to time.Time, yield func(nhip.Position) error) error {
	h.queries.Add(1)
	for i, at := range []orb.Point{{105.85, 21.03}, {105.80, 21.0}} {
		p := nhip.Position{
			Agency: "hanoi", Vehicle: fmt.Sprint(i), Time: to.Add(-time.Duration(i*5) * time.Minute), Point: nhip.Some(at),
			Line: "32",
		}
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}

// TestPastBuses checks buses at a past time, near a place and on tiles.
func TestPastBuses(t *testing.T) {
	h := &fleetHistory{}
	a := newAPI(t, withHistory(h))
	addBus(t, a, nhip.Bus{ID: "now", Lon: 105.85, Lat: 21.03})
	ids, props := resttest.Features(t, get(t, a, "/v1/buses?near=21.03,105.85&time=2026-02-01T00:00:03Z"))
	if fmt.Sprint(ids) != "[0 1]" || props[0]["state"] != "live" || props[0]["age_s"] != 0.0 ||
		props[1]["state"] != "stale" || props[0]["line"] != "32" {
		t.Errorf("%v %v", ids, props)
	}
	tile := get(t, a, "/tiles/transit/12/3252/1803.mvt?time=2026-02-01T00:00:09Z")
	if l := decodeTile(t, tile.Body.Bytes())["buses"]; l == nil || len(l.Features) != 1 ||
		tile.Header().Get("Cache-Control") != rest.CacheDone {
		t.Errorf("%d %v %v", tile.Code, tile.Header(), l)
	}
	if h.queries.Load() != 1 {
		t.Errorf("%d reads of one moment", h.queries.Load())
	}
	if ids, _ := resttest.Features(t, get(t, a, "/v1/buses")); fmt.Sprint(ids) != "[now]" {
		t.Errorf("buses now: %v", ids)
	}
	if l := decodeTile(t, get(t, a, "/tiles/transit/12/3252/1803.mvt").Body.Bytes())["buses"]; l == nil ||
		l.Features[0].Properties["id"] != "now" {
		t.Errorf("now: %v", l)
	}
	if w := get(t, newAPI(t), "/v1/buses?time=2026-02-01T00:00:00Z"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without a history: %d", w.Code)
	}
	if w := get(t, a, "/v1/buses?time=2027-02-01T00:00:00Z"); w.Code != http.StatusBadRequest {
		t.Errorf("in the future: %d", w.Code)
	}
}
