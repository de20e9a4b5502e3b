package app

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/internal/config"
	"nhip/internal/health"
	"nhip/internal/outbound"
	"nhip/internal/recovery"
	"nhip/internal/timetable"

	"github.com/paulmach/orb"
)

// transit is the configured timetable in the forms that roles need. Without a timetable all of them are nil.
type transit struct {
	source  *timetable.Source // where it comes from
	feed    *gtfs.Feed
	network *network.Network // what buses are tracked on
}

// loadTimetable reads the configured timetable. A file that is damaged, or a publisher that does not answer, leaves the
// timetable empty until it can be read.
func (r *runtime) loadTimetable(ctx context.Context) (transit, error) {
	if r.conf.GTFS == "" {
		return transit{}, nil
	}
	source, err := timetable.New(r.conf.GTFS, r.dir.Path(""), r.outgoing(), r.log, r.damaged)
	if err != nil {
		return transit{}, err
	}
	t := transit{source: source}
	t.source.CountPanics(recovery.NewGuard(r.registry, r.log))
	t.source.CountFindings(r.registry)
	t.source.UseAgency(agencyOf(&r.conf))
	first, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	feed, err := t.source.Load(first)
	switch {
	case err == nil:
		t.use(feed)
		return t, nil
	case ctx.Err() != nil || errors.Is(err, fs.ErrNotExist): // a path that is wrong
		return transit{}, err
	}
	r.log.Error("started without the timetable; it is used once it can be read", "error", err)
	t.source.MarkStale()
	t.use(new(gtfs.Feed))
	return t, nil
}

// agencyOf returns the agency of timetables that have none, or nil.
func agencyOf(c *config.Config) *gtfs.Agency {
	zone, err := time.LoadLocation(c.Agency.Zone)
	if err != nil || c.Agency.Zone == "" {
		return nil
	}
	return &gtfs.Agency{Name: c.Agency.Name, Location: zone}
}

// outgoing returns which addresses outside may be asked.
func (r *runtime) outgoing() outbound.Policy { return outbound.Policy(r.conf.Outgoing) }

// use sets the timetable in all its forms.
func (t *transit) use(feed *gtfs.Feed) {
	t.feed = feed
	t.network = network.New(feed)
}

// transitMap returns what the map draws; nil without a timetable.
func (t *transit) transitMap() *tile.TransitMap {
	if t.feed == nil {
		return nil
	}
	return transitMapOf(t.feed)
}

// watchTimetable calls use with each new version of the timetable until the role stops.
func (r *runtime) watchTimetable(t transit, use func(*gtfs.Feed)) {
	if t.source == nil {
		return
	}
	r.run("the watch of the timetable", func(ctx context.Context) error { return t.source.Watch(ctx, use) })
}

// transitMapOf returns what the map draws of a timetable.
func transitMapOf(f *gtfs.Feed) *tile.TransitMap {
	m := &tile.TransitMap{}
	var all []orb.Point
	for _, s := range f.Stops {
		if s.LocationType != gtfs.LocationPlatform {
			continue
		}
		m.Stops = append(m.Stops, tile.Stop{ID: s.ID, Name: s.Name, Point: s.Point})
		all = append(all, s.Point)
	}
	for _, r := range f.Routes {
		route := tile.Route{ID: r.ID, Line: r.ShortName, Name: r.LongName, Color: r.WebColor()}
		for _, shape := range f.ShapesOf(r) {
			route.Shapes = append(route.Shapes, shape.Line)
			all = append(all, shape.Line...)
		}
		m.Routes = append(m.Routes, route)
	}
	m.Outline = tile.NewOutline(all)
	return m
}

// check returns a readiness check that fails while the newest timetable is not in use.
func (t *transit) check() health.Check {
	return health.Check{Name: "gtfs", Optional: true, OK: func() bool { return t.source == nil || !t.source.Stale() }}
}
