package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"nhip"
	"nhip/geo/index"
	"nhip/geo/tile"
	"nhip/internal/mqtt"

	"github.com/cespare/xxhash/v2"
	"github.com/go-chi/chi/v5"
	"github.com/paulmach/orb/maptile"
)

// busesEvery is how long a tile's buses are taken to stand where they are.
const busesEvery = 2 * time.Second

// transitTile answers GET /tiles/transit/{z}/{x}/{y}.mvt: the network, which is drawn once, and behind it the buses.
func (a *API) transitTile(w http.ResponseWriter, r *http.Request) {
	at, err := tileAddress(r, chi.URLParam(r, "y"))
	if err != nil {
		a.problem(w, r, err)
		return
	}
	q := &query{values: r.URL.Query()}
	alone := at.Z < tile.BusesZoom // else it is squeezed with its buses
	var fleet *fleetThen
	if alone {
		q.then("time", a.o.Clock.Now()) // which must mean something, though the network has no other hour
		err = q.err
	} else {
		fleet, err = a.busesThen(r.Context(), q)
	}
	if err != nil {
		a.problem(w, r, err)
		return
	}
	drawn := a.drawn.Load()
	ground := a.tiles.get(tileKey{kind: "network", at: at, version: a.drawings.Load()}, alone, func() ([]byte, error) { return drawn.Tile(at) })
	if ground.err != nil || alone {
		a.sendTile(w, r, ground, mvtType, networkCaching)
		return
	}
	t := a.tiles.get(tileKey{kind: "transit", at: at, version: fleet.version ^ a.drawings.Load()<<48}, true, func() ([]byte, error) {
		buses, err := tile.Buses(at, fleet.in(at), fleet.at)
		return append(ground.plain(), buses...), err
	})
	a.sendTile(w, r, t, mvtType, fleet.caching)
}

// aroundTile is how far around a tile buses are looked for, as a part of its side; they are drawn less far.
const aroundTile = 0.02

// fleetThen is the buses of a moment.
type fleetThen struct {
	at      time.Time
	version uint64
	caching string
	index   *index.Index[*nhip.Bus] // by live topic
	past    bool
}

// in returns the buses in a tile and around it, a little more than are drawn.
func (f *fleetThen) in(at maptile.Tile) []*nhip.Bus {
	b := at.Bound(aroundTile)
	hits := f.index.Within(nil, index.Box{MinLon: b.Min[0], MinLat: b.Min[1], MaxLon: b.Max[0], MaxLat: b.Max[1]}, nil)
	out := make([]*nhip.Bus, len(hits))
	for i := range hits {
		out[i] = hits[i].Item
	}
	return out
}

// busesThen returns the buses of the time that is asked for: of now, where none is.
func (a *API) busesThen(ctx context.Context, q *query) (*fleetThen, error) {
	now := a.o.Clock.Now()
	t := q.then("time", now)
	if q.err != nil {
		return nil, q.err
	}
	if t.IsZero() || now.Sub(t) < fleetGrain {
		return a.liveFleet(now), nil
	}
	t = t.Truncate(fleetGrain)
	keep := pastFor
	if now.Sub(t) < settledAge {
		keep = recentFor
	}
	return a.fleets.get(ctx, t, keep, func(ctx context.Context) (*fleetThen, error) { return a.readFleet(ctx, t, now) })
}

// liveFleet is the buses of now.
func (a *API) liveFleet(now time.Time) *fleetThen {
	return &fleetThen{at: now, version: uint64(now.UnixNano()/int64(busesEvery))<<1 | 1, caching: busesCaching, index: a.city.buses}
}

// Bounds of what is kept and told of buses that were.
const (
	mostFleets = 48               // moments in memory, some 1 MB each of 2,500 buses
	fleetGrain = 10 * time.Second // moments closer than that are one
	fleetBack  = 15 * time.Minute // a bus that was silent for longer is not shown
)

// readFleet makes the buses of a moment of the history: where each was last, with what it said there.
func (a *API) readFleet(ctx context.Context, at, now time.Time) (*fleetThen, error) {
	f := &fleetThen{at: at, caching: recentCaching, index: index.New[*nhip.Bus](), past: true}
	said := xxhash.New()
	err := a.o.History.Fleet(ctx, at.Add(-fleetBack), at, func(p nhip.Position) error {
		b := a.city.busThen(&p)
		fmt.Fprintf(said, "%s/%s %d %v %v %s\n", b.Agency, b.ID, b.Time.UnixMilli(), b.Lon, b.Lat, b.Line)
		return f.index.Set(mqtt.LiveBusTopic(b.Agency, b.ID), b.Point(), b)
	})
	if err != nil {
		a.log.Warn("the history does not answer", "error", err)
		return nil, errHistoryAway
	}
	f.version = said.Sum64()<<1 ^ uint64(at.Unix())<<1
	if now.Sub(at) >= settledAge {
		f.caching = settledCaching
	}
	return f, nil
}

// busThen is a bus as it was shown.
func (c *city) busThen(p *nhip.Position) *nhip.Bus {
	at, _ := p.Point.Get()
	b := p.Bus(at)
	if b.Line == "" {
		b.Line = (*c.lines.Load())[b.Route]
	}
	c.fleet.dressBus(b)
	return b
}
