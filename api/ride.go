package api

import (
	"strconv"
	"time"

	"nhip"
	"nhip/geo/network"
)

// appendTrack appends how a bus is followed.
func appendTrack(b []byte, t *nhip.Track) []byte {
	if t == nil {
		return b
	}
	b = appendField(b, "status", t.Status)
	if t.Inferred {
		b = append(b, `,"inferred":true,"confidence":`...)
		b = appendFloat(b, t.Confidence)
	}
	for i, f := range t.Flags {
		if i == 0 {
			b = append(b, `,"flags":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendText(b, f)
	}
	if len(t.Flags) > 0 {
		b = append(b, ']')
	}
	return b
}

// appendRide appends what a bus is to who asks from a place: whether it comes or has gone by, and the
// stop at which to catch it.
func appendRide(b []byte, r *riding, from *network.Place, now time.Time) []byte {
	p := r.state.Pattern
	if p == nil {
		return b
	}
	if next := r.state.Next; next <= p.Last() {
		b = appendField(b, "next_stop_name", p.Stops[next].Name)
	}
	w, passed := r.walkTo(from)
	if passed {
		b = append(b, `,"relation":"passed"`...)
	} else {
		b = append(b, `,"relation":"approaching"`...)
	}
	if w.stop == nil {
		return b
	}
	b = append(b, `,"walk_to":{"id":`...)
	b = appendText(b, w.stop.ID)
	b = appendField(b, "name", w.stop.Name)
	b = append(b, `,"lat":`...)
	b = appendRounded(b, w.stop.Point.Lat(), degrees)
	b = append(b, `,"lon":`...)
	b = appendRounded(b, w.stop.Point.Lon(), degrees)
	b = append(b, `,"walk_m":`...)
	b = appendRounded(b, w.metres, 1)
	b = append(b, `,"walk_s":`...)
	b = appendRounded(b, w.seconds, 1)
	if s, known := r.at(w.index); known {
		b = append(b, `,"minutes":`...)
		b = appendFloat(b, minutesUntil(s.Expected, now))
		b = append(b, `,"catchable":`...)
		// Who walks now is there before one bus in ten is: the early end of the range.
		b = strconv.AppendBool(b, now.Add(time.Duration(w.seconds*float64(time.Second))).Before(s.P10) && r.bus.State(now) == nhip.Live)
	}
	return append(b, '}')
}
