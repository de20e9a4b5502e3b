package staff

import (
	"context"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/rest"
)

// listAlerts answers GET /v1/alerts.
func (h *Handler) listAlerts(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	open, ended := h.Events.alerts.list()
	open, ended = h.seenAlerts(r.Context(), open), h.seenAlerts(r.Context(), ended)
	return h.JSON(w, rest.NoStore, struct {
		Open  []shownAlert `json:"open"`
		Ended []shownAlert `json:"ended"`
	}{h.shownAll(open), h.shownAll(ended)})
}

// streamAlerts answers GET /v1/alerts/live with the open alerts and then with every change.
func (h *Handler) streamAlerts(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	s := alertStream{rest.NewEventStream(w), h, func(all []nhip.Alert) []nhip.Alert {
		return h.seenAlerts(r.Context(), all)
	}}
	if r.Method == http.MethodHead {
		return nil
	}
	changes, stop := h.Events.alerts.listen()
	if changes == nil {
		return nhip.Errorf(nhip.CodeUnavailable, "", "there are too many streams of alerts; try again later")
	}
	defer stop()
	caller := rest.CallerOf(r)
	open, _ := h.Events.alerts.list()
	if s.alerts(open) != nil || s.Send("ready", struct{}{}) != nil {
		return nil
	}
	ticker := time.NewTicker(rest.Heartbeat)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-r.Context().Done():
			return nil
		case <-h.Events.closed:
			return nil
		case <-changes.wake:
			if caller.Ended() {
				return nil
			}
			err = s.alerts(changes.take())
		case <-ticker.C:
			if caller.Ended() {
				return nil
			}
			err = s.Send("time", struct{}{})
		}
		if err != nil {
			return nil // the client is gone
		}
	}
}

// alertStream sends alerts.
type alertStream struct {
	rest.EventStream
	of *Handler

	seen func([]nhip.Alert) []nhip.Alert // those that the caller sees
}

// seenAlerts returns the alerts of stations that the caller sees.
func (h *Handler) seenAlerts(ctx context.Context, all []nhip.Alert) []nhip.Alert {
	return slices.DeleteFunc(all, func(a nhip.Alert) bool { return !h.Stations.Sees(ctx, a.Station) })
}

// alerts sends alerts as events.
func (s alertStream) alerts(all []nhip.Alert) error {
	all = s.seen(all)
	for i := range all {
		if err := s.Send("alert", s.of.shown(&all[i])); err != nil {
			return err
		}
	}
	return nil
}

// ackAlert answers POST /v1/alerts/{id}/ack: with 201 and the acknowledgement if it is the first, otherwise with 200
// and the first one.
func (h *Handler) ackAlert(w http.ResponseWriter, r *http.Request) error {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return err
	}
	var body struct {
		By   string `json:"by"` // ignored: the name is that of the session
		Note string `json:"note"`
	}
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	ack := nhip.Ack{Alert: id, By: rest.CallerOf(r).Name, Note: body.Note, Time: h.Clock.Now().Truncate(time.Millisecond)}
	if err := ack.Validate(); err != nil {
		return rest.AsInvalid(err)
	}
	open, known := h.Events.alerts.find(id)
	switch {
	case !known || !h.Stations.Sees(r.Context(), open.Station):
		return nhip.Errorf(nhip.CodeNotFound, "id", "there is no open alert %q", id)
	case !open.AckTime.IsZero():
		return h.JSON(w, rest.NoStore, ackOf(&open))
	}
	if err := h.Events.actions.Ack(r.Context(), ack, rest.ActorOf(r)); err != nil {
		return err
	}
	// Another one may have been first, through this api or another.
	open, known = h.Events.alerts.awaitAck(r.Context(), id, ackShown)
	if known && !open.AckTime.IsZero() && !(open.AckBy == ack.By && open.AckTime.Equal(ack.Time)) {
		return h.JSON(w, rest.NoStore, ackOf(&open))
	}
	return h.Created(w, ack)
}

// ackShown is how long an answer waits for the acknowledgement of an alert to be published after it was stored.
const ackShown = 2 * time.Second

// ackOf returns the acknowledgement of an alert that has one.
func ackOf(a *nhip.Alert) nhip.Ack {
	return nhip.Ack{Alert: a.ID, By: a.AckBy, Note: a.AckNote, Time: a.AckTime}
}
