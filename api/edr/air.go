package edr

import (
	"context"
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/rest"
	geoair "nhip/geo/air"

	"github.com/paulmach/orb"
)

// snapshots returns the air of the hours of a span, oldest first: of the present the current hour, of an instant the
// hour that had ended, of an interval the hours that end in it, or else that of its start. An interval with an open end
// has its newest hours.
func (h *Handler) snapshots(ctx context.Context, s span) ([]*air.Snapshot, error) {
	ends, err := hoursOf(s, h.Clock.Now())
	if err != nil {
		return nil, err
	}
	var out []*air.Snapshot
	for _, end := range ends {
		one, err := h.Air.At(ctx, end)
		if err != nil {
			return nil, err
		}
		if len(out) == 0 || one.End.After(out[len(out)-1].End) { // the newest hour may not be complete yet
			out = append(out, one)
		}
	}
	return out, nil
}

// hoursOf returns the moments whose air a span asks for; the zero time is the present.
func hoursOf(s span, now time.Time) ([]time.Time, error) {
	if !s.given {
		return []time.Time{{}}, nil
	}
	if s.instant() && !s.from.IsZero() {
		return []time.Time{s.from}, nil
	}
	last := now
	if !s.to.IsZero() && s.to.Before(now) {
		last = s.to
	}
	last = last.UTC().Truncate(time.Hour)
	first := ceilHour(s.from)
	if newest := last.Add(-(maxHours - 1) * time.Hour); s.open() && first.Before(newest) {
		first = newest
	}
	n := int(last.Sub(first)/time.Hour) + 1
	switch {
	case first.After(last):
		return []time.Time{s.from}, nil
	case n > maxHours || last.Sub(first) > maxHours*time.Hour:
		return nil, nhip.Errorf(nhip.CodeTooLarge, "datetime", "must span at most %d hours", maxHours)
	}
	out := make([]time.Time, n)
	for i := range out {
		out[i] = first.Add(time.Duration(i) * time.Hour)
	}
	return out, nil
}

// ceilHour returns the first full hour that is not before t.
func ceilHour(t time.Time) time.Time {
	if end := t.UTC().Truncate(time.Hour); end.Before(t) {
		return end.Add(time.Hour)
	}
	return t.UTC()
}

// airCache returns the cache policy of an answer about some hours: that of the newest.
func airCache(all []*air.Snapshot) string {
	settled := true
	for _, s := range all {
		settled = settled && s.Settled
	}
	newest := all[len(all)-1]
	return rest.CachePolicy(newest.Past, settled, rest.CacheHour)
}

func endsOf(all []*air.Snapshot) []time.Time {
	out := make([]time.Time, len(all))
	for i, s := range all {
		out[i] = s.End
	}
	return out
}

// appendAir appends the values of the parameters at a place.
func appendAir(values [][]float64, parameters []parameter, f *geoair.AQIField, p orb.Point) {
	here, blank := f.At(p)
	for i := range parameters {
		e := geoair.Estimate{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
		switch {
		case blank != "":
		case parameters[i].quantity == "":
			e = here.Index
		default:
			for k := range here.Averages {
				if here.Averages[k].Average.Quantity == parameters[i].quantity {
					e = here.Averages[k].Concentration
				}
			}
		}
		v := e.Value
		switch parameters[i].role {
		case roleLow:
			v = e.Low
		case roleHigh:
			v = e.High
		}
		values[i] = append(values[i], v)
	}
}

// airPosition answers GET /ogc/edr/collections/air/position.
func (h *Handler) airPosition(w http.ResponseWriter, r *http.Request) error {
	o, err := h.readRequest(r, "air", []string{"POINT", "MULTIPOINT"})
	if err != nil {
		return err
	}
	hours, err := hoursOf(o.span, h.Clock.Now())
	if err != nil {
		return err
	}
	if err := o.checkSize(len(o.geometry.points), len(hours), len(o.parameters)); err != nil {
		return err
	}
	all, err := h.snapshots(r.Context(), o.span)
	if err != nil {
		return err
	}
	var out []*coverage
	for _, p := range o.geometry.points {
		c := series(p, endsOf(all), o.parameters)
		for _, s := range all {
			appendAir(c.values, o.parameters, s.Field(nhip.ScaleVNAQI), p)
		}
		out = append(out, c)
	}
	return h.send(w, o, airCache(all), o.geometry.kind == "POINT", out)
}

// airArea answers GET /ogc/edr/collections/air/area.
func (h *Handler) airArea(w http.ResponseWriter, r *http.Request) error {
	o, err := h.readRequest(r, "air", []string{"POLYGON", "MULTIPOLYGON"})
	if err != nil {
		return err
	}
	return h.sendGrid(w, r, o, polygons(o.geometry.polygons))
}

// airRadius answers GET /ogc/edr/collections/air/radius.
func (h *Handler) airRadius(w http.ResponseWriter, r *http.Request) error {
	o, err := h.readRequest(r, "air", []string{"POINT"}, "within", "within-units")
	if err != nil {
		return err
	}
	return h.sendGrid(w, r, o, circle(o.geometry.points[0], o.within))
}

// sendGrid answers with the air on the nodes of the newest hour's lattice that lie in a region. Between the nodes of
// another hour it is interpolated.
func (h *Handler) sendGrid(w http.ResponseWriter, r *http.Request, o *request, where region) error {
	all, err := h.snapshots(r.Context(), o.span)
	if err != nil {
		return err
	}
	grid := all[len(all)-1].Field(nhip.ScaleVNAQI).Grid
	var nodes []int32
	if grid.W > 1 && grid.H > 1 && grid.Bound().Intersects(where.bound) {
		nodes = geoair.NodesIn(grid, where.bound, where.contains)
	}
	if len(nodes) == 0 {
		return h.send(w, o, airCache(all), true, nil)
	}
	west, north, east, south := grid.W, grid.H, 0, 0
	for _, n := range nodes {
		i, j := int(n)%grid.W, int(n)/grid.W
		west, north, east, south = min(west, i), min(north, j), max(east, i), max(south, j)
	}
	width, height := east-west+1, south-north+1
	if err := o.checkSize(width*height, len(all), len(o.parameters)); err != nil {
		return err
	}
	c := &coverage{
		domain: "Grid", t: endsOf(all), parameters: o.parameters, values: make([][]float64, len(o.parameters)),
	}
	for i := west; i <= east; i++ {
		c.x = append(c.x, grid.Lon(float64(i)))
	}
	for j := north; j <= south; j++ {
		c.y = append(c.y, grid.Lat(float64(j)))
	}
	for i := range c.values {
		c.values[i] = make([]float64, 0, width*height*len(all))
	}
	inside := make([]bool, width*height)
	for _, n := range nodes {
		inside[(int(n)/grid.W-north)*width+int(n)%grid.W-west] = true
	}
	for _, s := range all {
		if err := r.Context().Err(); err != nil {
			return err
		}
		c.appendGrid(s.Field(nhip.ScaleVNAQI), inside)
	}
	return h.send(w, o, airCache(all), true, []*coverage{c})
}

// appendGrid appends the values of an hour at the nodes that are inside; the others are unknown.
func (c *coverage) appendGrid(f *geoair.AQIField, inside []bool) {
	for k, in := range inside {
		if in {
			appendAir(c.values, c.parameters, f, orb.Point{c.x[k%len(c.x)], c.y[k/len(c.x)]})
			continue
		}
		for i := range c.values {
			c.values[i] = append(c.values[i], math.NaN())
		}
	}
}
