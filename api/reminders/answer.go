package reminders

import (
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/remind"
	"nhip/internal/outbound"
)

// reminder is a reminder as its owner sees it.
type reminder struct {
	ID       string                     `json:"id"`
	Token    string                     `json:"token,omitempty"`
	Kind     nhip.ReminderKind          `json:"kind"`
	State    nhip.ReminderState         `json:"state"`
	Created  time.Time                  `json:"created"`
	Expires  time.Time                  `json:"expires"`
	FiresBy  time.Time                  `json:"fires_by,omitzero"`
	Fired    *nhip.ReminderNotification `json:"fired,omitempty"`
	Topic    string                     `json:"topic"`
	Stop     string                     `json:"stop,omitempty"`
	Line     string                     `json:"line,omitempty"`
	Direct   nhip.Opt[int]              `json:"direction,omitzero"`
	Headsign string                     `json:"headsign,omitempty"`
	Agency   string                     `json:"agency,omitempty"`
	Vehicle  string                     `json:"vehicle,omitempty"`
	Trip     string                     `json:"trip,omitempty"`
	Minutes  int                        `json:"minutes,omitempty"`
	Stops    int                        `json:"stops,omitempty"`
	Walk     nhip.Opt[int]              `json:"walk_s,omitzero"`
	Station  string                     `json:"station,omitempty"`
	Place    *nhip.ReminderPlace        `json:"place,omitempty"`
	Index    nhip.Scale                 `json:"index,omitempty"`
	Quantity nhip.Quantity              `json:"quantity,omitempty"`
	Above    nhip.Opt[float64]          `json:"above,omitzero"`
	Lang     string                     `json:"lang"`
	Updates  bool                       `json:"updates,omitempty"`
	Webhook  *nhip.ReminderWebhook      `json:"webhook,omitempty"`
}

// show returns a reminder without what is secret, and with when it will fire.
func (h *Handler) show(id string, r *nhip.Reminder) *reminder {
	out := &reminder{
		ID: id, Kind: r.Kind, State: r.State, Created: r.Created, Expires: r.Expires, Fired: r.Outcome,
		Topic: topicOf(id), Stop: r.Stop, Line: r.Route, Direct: r.Direction, Headsign: r.Headsign, Agency: r.Agency,
		Vehicle: r.Vehicle, Trip: r.Trip, Minutes: r.Minutes, Stops: r.Stops, Station: r.Station, Place: r.Place,
		Index: r.Scale, Quantity: r.Quantity, Lang: r.Lang, Updates: r.Updates,
	}
	if r.Kind == nhip.ReminderLeave {
		out.Walk = nhip.Some(r.Walk)
	}
	if r.Kind == nhip.ReminderAir {
		out.Above = nhip.Some(r.Above)
	}
	if r.Webhook != nil {
		out.Webhook = &nhip.ReminderWebhook{URL: outbound.Name(r.Webhook.URL)}
	}
	if r.State == nhip.ReminderWaiting {
		out.FiresBy = h.decide(r).Fires.UTC().Truncate(time.Second)
	}
	return out
}

// decide returns what becomes of a reminder now, by what this api knows. A collector decides when it fires.
func (h *Handler) decide(r *nhip.Reminder) remind.Decision {
	c := remind.City{Now: h.Clock.Now(), Zone: h.Zone}
	if r.Kind == nhip.ReminderAir {
		now := h.Air.Current()
		c.Station = func(id string) *nhip.Station {
			s, known := h.Stations.Known(id)
			if !known {
				return nil
			}
			return s
		}
		c.Field = func(scale nhip.Scale) *air.AQIField { return now.Field(scale) }
	}
	return h.Transit.Remind(r, c)
}

// present returns the notification of a reminder's present state, for those who begin to listen.
func (h *Handler) present(id string, r *nhip.Reminder) nhip.ReminderNotification {
	if r.Outcome != nil {
		return *r.Outcome
	}
	d := h.decide(r)
	n := d.Notification
	n.ID, n.Event, n.State = id, id+"."+string(nhip.ReminderWaiting), nhip.ReminderWaiting
	return n
}
