package main

import (
	"context"
	"fmt"
	"os"

	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/internal/timetable"

	"github.com/paulmach/orb"
)

// loadNetwork reads the timetable that is configured; a simulation without one draws its own city,
// and leaves its timetable in the data folder for whoever wants to read it. Without either there is
// no network, and the map shows the live city alone.
func (c *city) loadNetwork() (*tile.Network, error) {
	feed, err := c.timetable()
	if err != nil {
		return nil, err
	}
	if c.cmd.Simulate {
		if err := c.newSimulator(feed); err != nil {
			return nil, err
		}
		if feed == nil {
			feed = c.simulator.Feed()
			if err := c.writeFeed(feed, "simulated-gtfs.zip"); err != nil {
				return nil, err
			}
		}
	}
	if feed == nil {
		return nil, nil
	}
	c.followed = network.New(feed)
	return drawing(feed), nil
}

// timetable reads the one that is configured; nil where none is.
func (p *process) timetable() (*gtfs.Feed, error) {
	if p.conf.GTFS == "" {
		return nil, nil
	}
	p.source = timetable.New(p.conf.GTFS, p.dir.Path(""), p.log)
	return p.source.Load(p.ctx)
}

// watchTimetable uses each new version of the timetable, until the process stops.
func (p *process) watchTimetable(use func(*gtfs.Feed)) {
	if p.source == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.source.Watch(ctx, use)
	}()
	p.cleanup.Push("the watch of the timetable", func(context.Context) error {
		cancel()
		<-ended
		return nil
	})
}

func (c *city) writeFeed(feed *gtfs.Feed, name string) error {
	f, err := os.Create(c.dir.Path(name))
	if err != nil {
		return fmt.Errorf("can't write the simulated timetable: %w", err)
	}
	defer f.Close()
	if err := feed.Write(f); err != nil {
		return fmt.Errorf("can't write the simulated timetable: %w", err)
	}
	return f.Close()
}

// drawing is what the map draws of a timetable.
func drawing(f *gtfs.Feed) *tile.Network {
	n := &tile.Network{}
	var all []orb.Point
	for _, s := range f.Stops {
		if s.Kind != gtfs.Platform {
			continue
		}
		n.Stops = append(n.Stops, tile.Stop{ID: s.ID, Name: s.Name, Point: s.Point})
		all = append(all, s.Point)
	}
	for _, r := range f.Routes {
		route := tile.Route{ID: r.ID, Line: r.ShortName, Name: r.LongName, Color: r.WebColor()}
		for _, shape := range f.ShapesOf(r) {
			route.Shapes = append(route.Shapes, shape.Line)
			all = append(all, shape.Line...)
		}
		n.Routes = append(n.Routes, route)
	}
	n.Outline = tile.NewOutline(all)
	return n
}
