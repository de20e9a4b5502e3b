package edr

import (
	"math"
	"net/http"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/rest"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// Steps of a trajectory. It has a sample at each position, and more between positions that are farther apart.
const (
	trajectoryStep = 250 // m
	maxSamples     = 2000
	trajectoryTime = 10 * time.Minute
)

// airTrajectory answers GET /ogc/edr/collections/air/trajectory: what somebody breathes along a way. The times are
// those of LINESTRINGM, in seconds since 1970; or the way is gone at a constant speed from the start to the end of an
// interval with both ends; or the air is that of one hour, the newest of an interval with an open end.
func (h *Handler) airTrajectory(w http.ResponseWriter, r *http.Request) error {
	o, err := h.readRequest(r, "air", []string{"LINESTRING"})
	if err != nil {
		return err
	}
	times, err := o.times(h.Clock.Now())
	if err != nil {
		return err
	}
	c := &coverage{
		domain: "Trajectory", parameters: o.parameters, values: make([][]float64, len(o.parameters)),
		track: samplesOf(o.geometry.points, times),
	}
	if err := o.checkSize(len(c.track), 1, len(o.parameters)); err != nil {
		return err
	}
	var used []*air.Snapshot
	for k := range c.track {
		s, err := h.breathed(r, o, c.track[k].time, used)
		if err != nil {
			return err
		}
		if len(used) == 0 || used[len(used)-1] != s {
			used = append(used, s)
		}
		if times == nil {
			c.track[k].time = s.End
		}
		appendAir(c.values, o.parameters, s.Field(nhip.ScaleVNAQI), c.track[k].point)
	}
	return h.send(w, o, airCache(used), true, []*coverage{c})
}

// breathed returns the air at a time: the mean of the hour that holds it, or the newest; without a time that of the
// instant that is asked for. used are the snapshots so far.
func (h *Handler) breathed(r *http.Request, o *request, t time.Time, used []*air.Snapshot) (*air.Snapshot, error) {
	end := ceilHour(t)
	if t.IsZero() {
		end = o.span.to // zero: the present
	}
	if n := len(used); n > 0 && (t.IsZero() || used[n-1].End.Equal(end) || !used[n-1].Past) {
		return used[n-1], nil
	}
	return h.Air.At(r.Context(), end)
}

// times returns the times of the positions of a line; nil if the line is asked for at one time.
func (o *request) times(now time.Time) ([]time.Time, error) {
	g := o.geometry
	var out []time.Time
	switch {
	case g.measures != nil && o.span.given:
		return nil, nhip.Errorf(nhip.CodeInvalid, "datetime", "must not be given with LINESTRINGM, whose M are the times")
	case g.measures != nil:
		for _, m := range g.measures {
			if t := time.Unix(int64(m), 0); m < 0 || m > float64(rest.LastTime.Unix()) || !held(t) {
				return nil, nhip.Errorf(nhip.CodeInvalid, "coords", "must have times (M) in seconds since 1970")
			}
			out = append(out, time.Unix(0, int64(m*float64(time.Second))).UTC())
		}
	case !o.span.given || o.span.instant() || o.span.open():
		return nil, nil
	default:
		out = evenTimes(g.points, o.span)
	}
	return out, checkTimes(out, g.measures != nil, now)
}

// checkTimes returns an error unless times ascend, span at most maxHours and are not in the future.
func checkTimes(times []time.Time, measured bool, now time.Time) error {
	field := "datetime"
	if measured {
		field = "coords"
	}
	first, last := times[0], times[len(times)-1]
	for i := 1; i < len(times); i++ {
		if times[i].Before(times[i-1]) {
			return nhip.Errorf(nhip.CodeInvalid, field, "must have times (M, seconds since 1970) that do not descend")
		}
	}
	switch {
	case last.After(now.Add(nhip.FutureTolerance)):
		return nhip.Errorf(nhip.CodeInvalid, field, "must not have times in the future")
	case last.Sub(first) > (maxHours-1)*time.Hour:
		return nhip.Errorf(nhip.CodeTooLarge, field, "must span at most %d hours", maxHours-1)
	}
	return nil
}

// evenTimes spreads a span over a line by its length.
func evenTimes(line []orb.Point, s span) []time.Time {
	total := geo.Length(orb.LineString(line))
	out, gone := []time.Time{s.from}, 0.0
	for k := 1; k < len(line); k++ {
		gone += geo.Distance(line[k-1], line[k])
		part := float64(k) / float64(len(line)-1)
		if total > 0 {
			part = gone / total
		}
		out = append(out, s.from.Add(time.Duration(part*float64(s.to.Sub(s.from)))))
	}
	return out
}

// samplesOf returns the positions of a line and places between them, with their times if there are times.
func samplesOf(line []orb.Point, times []time.Time) []sample {
	step := max(trajectoryStep, geo.Length(orb.LineString(line))/maxSamples)
	at := func(k int) (t time.Time) {
		if times != nil {
			t = times[k]
		}
		return t
	}
	out := []sample{{line[0], at(0)}}
	for k := 1; k < len(line); k++ {
		from, to := line[k-1], line[k]
		took := at(k).Sub(at(k - 1))
		n := max(1, int(math.Ceil(geo.Distance(from, to)/step)), int(math.Ceil(took.Hours()/trajectoryTime.Hours())))
		for i := 1; i <= n; i++ {
			part := float64(i) / float64(n)
			s := sample{point: orb.Point{from[0] + part*(to[0]-from[0]), from[1] + part*(to[1]-from[1])}}
			if times != nil {
				s.time = at(k - 1).Add(time.Duration(part * float64(took)))
			}
			out = append(out, s)
		}
	}
	return out
}
