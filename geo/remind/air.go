package remind

import (
	"cmp"

	"nhip"
	"nhip/geo/aqi"

	"github.com/paulmach/orb"
)

// decideAir fires when the air is worse than the rider wants. What is suspect or stale does not count.
func (c *City) decideAir(r *nhip.Reminder) Decision {
	d := Decision{State: nhip.ReminderWaiting}
	d.Notification.Above, d.Notification.Stop = nhip.Some(r.Above), r.Stop
	value, known := c.airOf(r, &d.Notification)
	if !known {
		return d
	}
	d.Notification.Value = nhip.Some(value)
	if value > r.Above {
		d.fireAt(c.Now, c.Now)
	}
	return d
}

func (c *City) airOf(r *nhip.Reminder, n *nhip.ReminderNotification) (float64, bool) {
	switch {
	case r.Station != "":
		if c.Station == nil {
			return 0, false
		}
		s := c.Station(r.Station)
		if s == nil {
			return 0, false
		}
		n.StopName = cmp.Or(s.Name.In(r.Lang), s.ID)
		return c.stationAir(r, s)
	case r.Place != nil:
		return c.airAt(r.Scale, placeOf(r.Place))
	case c.Network == nil:
		return 0, false
	}
	stop := c.Network.Feed.Stop(r.Stop)
	if stop == nil {
		return 0, false
	}
	n.StopName = stop.Name
	return c.airAt(r.Scale, stop.Point)
}

func (c *City) stationAir(r *nhip.Reminder, s *nhip.Station) (float64, bool) {
	h := s.Hours
	switch {
	case h == nil || c.Now.Sub(h.End) > aqi.StationIndexStaleAfter:
		return 0, false
	case r.Scale != "":
		index, _, ok := aqi.StationIndex(s, r.Scale, c.Now)
		return index.Value, ok && !h.SuspectOf(index.Dominant)
	case h.SuspectOf(r.Quantity) || len(h.Means[r.Quantity]) == 0:
		return 0, false
	}
	return h.Means[r.Quantity][0].Get()
}

func (c *City) airAt(scale nhip.Scale, at orb.Point) (float64, bool) {
	if c.Field == nil {
		return 0, false
	}
	f := c.Field(scale)
	if f == nil || c.Now.Sub(f.End) > aqi.StationIndexStaleAfter {
		return 0, false
	}
	here, blank := f.At(at)
	return here.Index.Value, blank == ""
}
