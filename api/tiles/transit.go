package tiles

import (
	"net/http"

	"nhip"
	"nhip/api/live"
	"nhip/api/rest"
	"nhip/geo/index"
	"nhip/geo/tile"

	"github.com/paulmach/orb/maptile"
)

// getTransit answers GET /tiles/transit/{z}/{x}/{y}.mvt with the network, and from zoom tile.BusesZoom on with the
// buses. The network is cached by itself, because buses change every second.
func (h *Handler) getTransit(w http.ResponseWriter, r *http.Request, p place) error {
	at, err := p.address()
	if err != nil {
		return err
	}
	q := rest.LenientQuery(r, "time")
	moment := q.PastTime("time", h.Clock.Now()) // checked for tiles without buses, too
	if q.Err != nil {
		return q.Err
	}
	network, version := h.Transit.Map()
	if at.Z < tile.BusesZoom {
		key := tileKey{kind: "network", at: at, version: version}
		t, err := h.drawn(r, key, true, func() ([]byte, error) { return network.Tile(at) })
		if err != nil {
			return err
		}
		send(w, r, t, mvtType, networkCaching)
		return nil
	}
	fleet, err := h.Live.FleetAt(r.Context(), moment)
	if err != nil {
		return err
	}
	key := tileKey{kind: "transit", at: at, version: fleet.Version ^ version<<48}
	t, err := h.drawn(r, key, true, func() ([]byte, error) {
		below, err := h.groundTile(at, network, version)
		if err != nil {
			return nil, err
		}
		buses, err := tile.Buses(at, busesOn(at, fleet), fleet.At)
		return append(below.plain(), buses...), err
	})
	if err != nil {
		return err
	}
	send(w, r, t, mvtType, rest.CachePolicy(fleet.Past, fleet.Settled, busesCaching))
	return nil
}

// groundTile returns the tile of a network to which buses are appended; it is stored uncompressed. The caller holds
// a slot.
func (h *Handler) groundTile(at maptile.Tile, network *tile.TransitMap, version uint64) (*cachedTile, error) {
	key := tileKey{kind: "network", at: at, version: version}
	return h.Cache.get(key, false, func() ([]byte, error) { return network.Tile(at) })
}

// tileMargin is the margin around a tile in which buses are searched, as a fraction of the tile's side. They are
// drawn in a smaller margin.
const tileMargin = 0.02

// busesOn returns the buses on a tile and in its margin.
func busesOn(at maptile.Tile, fleet *live.Fleet) []*nhip.Bus {
	b := at.Bound(tileMargin)
	hits := fleet.Buses.Within(nil, index.Box{MinLon: b.Min[0], MinLat: b.Min[1], MaxLon: b.Max[0], MaxLat: b.Max[1]}, nil)
	out := make([]*nhip.Bus, len(hits))
	for i := range hits {
		out[i] = hits[i].Item
	}
	return out
}
