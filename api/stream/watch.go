package stream

import (
	"bytes"
	"context"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/wait"
)

// check returns an error if a stop or a zone of a view does not exist.
func (w *Watch) check(v *view) error {
	for _, l := range []struct {
		name string
		ids  []string
		from Source
	}{{"stops", v.stops, w.Stops}, {"zones", v.zones, w.Zones}} {
		for _, id := range l.ids {
			if l.from == nil {
				return nhip.Errorf(nhip.CodeUnavailable, l.name, "can't be watched here")
			}
			if err := l.from.Check(id); err != nil {
				return rest.InField(err, l.name)
			}
		}
	}
	return nil
}

var errWatched = nhip.Errorf(nhip.CodeUnavailable, "", "too many stops and zones are watched; try again later")

// watchTopic returns what stands for the live topic of a watched object. No live topic contains a zero byte.
func watchTopic(kind, audience, id string) string { return kind + "\x00" + audience + "\x00" + id }

// watchedOf calls f for each watched object of a view.
func watchedOf(v *view, f func(kind, id string)) {
	for _, id := range v.stops {
		f(kindStop, id)
	}
	for _, id := range v.zones {
		f(kindZone, id)
	}
}

// watch makes the hub compute what a view watches. h.mu is held.
func (h *Hub) watch(v *view) error {
	if len(v.stops)+len(v.zones) == 0 {
		h.ask() // for the tiles
		return nil
	}
	audience, fresh := audienceOf(v.sees), 0
	watchedOf(v, func(kind, id string) {
		if h.watched[watchTopic(kind, audience, id)] == nil {
			fresh++
		}
	})
	if len(h.watched)+fresh > h.o.maxWatched {
		h.metrics.refused.WithLabelValues("watched").Inc()
		return errWatched
	}
	watchedOf(v, func(kind, id string) {
		topic := watchTopic(kind, audience, id)
		o := h.object(topic, kind, "", id)
		if o.watched == nil {
			o.watched = &watched{from: h.o.Watch.Stops, sees: v.sees, audience: audience}
			if kind == kindZone {
				o.watched.from = h.o.Watch.Zones
			}
		}
		h.watched[topic] = o
		o.watched.clients++
	})
	h.metrics.watched.Set(float64(len(h.watched)))
	h.ask()
	return nil
}

// unwatch undoes watch. h.mu is held.
func (h *Hub) unwatch(v *view) {
	audience := audienceOf(v.sees)
	watchedOf(v, func(kind, id string) {
		o := h.watched[watchTopic(kind, audience, id)]
		if o == nil {
			return
		}
		if o.watched.clients--; o.watched.clients == 0 {
			delete(h.watched, o.topic)
			w := o.watched
			w.data, w.state, w.absent = nil, nil, false // they would not be current when a client watches it again
			if o.changed == 0 {
				h.remove(o) // it is not in the log, so compact would not find it
			}
		}
	})
	h.metrics.watched.Set(float64(len(h.watched)))
}

// ask wakes watchLoop.
func (h *Hub) ask() {
	select {
	case h.asked <- struct{}{}:
	default:
	}
}

// watchLoop computes what clients watch until ctx ends: what is new at once, and all regularly.
func (h *Hub) watchLoop(ctx context.Context) error {
	timer := time.NewTimer(h.o.watchEvery)
	defer timer.Stop()
	for {
		fresh := false
		select {
		case <-ctx.Done():
			return nil
		case <-h.asked:
			fresh = true
		case <-timer.C:
		}
		began := h.elapsed()
		h.watchTiles()
		for _, o := range h.watchedNow(fresh) {
			if ctx.Err() != nil {
				return nil
			}
			h.refresh(o)
		}
		took := h.elapsed() - began
		h.metrics.watching.Add(took.Seconds())
		if !fresh {
			timer.Reset(h.o.watchEvery)
		}
		if wait.Sleep(ctx, watchRest*took) != nil {
			return nil
		}
	}
}

// watchedNow returns what is watched; with fresh only what has not been computed.
func (h *Hub) watchedNow(fresh bool) []*object {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*object, 0, len(h.watched))
	for _, o := range h.watched {
		if !fresh || o.pending() {
			out = append(out, o)
		}
	}
	return out
}

// refresh computes the content of an object.
func (h *Hub) refresh(o *object) {
	defer h.o.Guard.Recover(part, func() {}) // the others need theirs
	h.mu.Lock()
	w, last := o.watched, o.watched.state
	h.mu.Unlock()
	data, state, found := w.from.Content(o.id, w.sees, last)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case w.clients == 0:
	case !found:
		if w.absent = true; w.data != nil {
			w.data, w.state = nil, nil
			h.touch(o, o.place, true)
		}
	case data != nil:
		w.data, w.state, w.absent = data, state, false
		h.touch(o, o.place, true)
	}
}

// watchTiles notes whether a tile set has changed, if there are clients.
func (h *Hub) watchTiles() {
	if h.o.Watch.Tiles == nil || h.Streams() == 0 {
		return
	}
	defer h.o.Guard.Recover(part, func() {})
	versions := h.o.Watch.Tiles()
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.object(watchTopic(kindTiles, "", ""), kindTiles, "", "")
	if o.watched == nil {
		o.watched = new(watched)
	}
	if !bytes.Equal(o.watched.data, versions) {
		o.watched.data = versions
		h.touch(o, o.place, true)
	}
}
