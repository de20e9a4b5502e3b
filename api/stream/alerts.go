package stream

import (
	"context"
	"time"
)

// ServiceAlert is a service alert that is active now.
type ServiceAlert struct {
	Feed, ID string
	// Version differs once the alert or what it concerns differs. It must be comparable.
	Version any
	// Content returns the JSON of the alert and what it concerns.
	Content func() ([]byte, AlertReach)
}

// AlertReach is which lines, by public number or id of the route, and stops an alert concerns.
type AlertReach interface {
	ConcernsLine(id string) bool
	ConcernsStop(id string) bool
}

// alert is what an object has that is a service alert.
type alert struct {
	version any
	reach   AlertReach
}

// alertsEvery is how often the hub looks which alerts are active: they begin and end by the clock.
const alertsEvery = time.Second

// maxAlerts is the number of alerts that streams show, the first ones of Watch.Alerts.
const maxAlerts = 500

// alertLoop keeps the service alerts until ctx ends.
func (h *Hub) alertLoop(ctx context.Context) error {
	ticker := time.NewTicker(h.o.alertsEvery)
	defer ticker.Stop()
	for {
		h.refreshAlerts()
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// refreshAlerts makes the service alerts those that are active now. One goroutine at a time calls it.
func (h *Hub) refreshAlerts() {
	defer h.o.Guard.Recover(part, func() {})
	active := h.o.Watch.Alerts()
	h.metrics.alerts.Set(float64(len(active)))
	active = active[:min(len(active), h.o.maxAlerts)]
	changed := make(map[string]alertChange)
	seen := make(map[string]bool, len(active))
	for i := range active {
		a := &active[i]
		topic := watchTopic(kindAlert, a.Feed, a.ID)
		seen[topic] = true
		if o := h.alerts[topic]; o == nil || o.alert.version != a.Version {
			c := alertChange{ServiceAlert: a}
			c.data, c.reach = a.Content()
			changed[topic] = c
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for topic, c := range changed {
		h.setAlert(topic, &c)
	}
	for topic, o := range h.alerts {
		if !seen[topic] {
			delete(h.alerts, topic)
			o.watched.data, o.watched.absent = nil, true
			h.touch(o, o.place, true)
		}
	}
}

// alertChange is an alert that has begun or has changed.
type alertChange struct {
	*ServiceAlert
	data  []byte
	reach AlertReach
}

// setAlert makes an active alert an object, or changes the one that it is. h.mu is held.
func (h *Hub) setAlert(topic string, c *alertChange) {
	o := h.object(topic, kindAlert, "", c.ID)
	h.alerts[topic] = o
	o.feed, o.watched, o.alert = c.Feed, &watched{data: c.data}, &alert{c.Version, c.reach}
	h.touch(o, o.place, true)
}

// concernedBy reports whether a service alert is in a subscription: all are for who asks for everything or for all
// alerts, else those about a line or a stop that it names.
func (s *subscription) concernedBy(a *alert) bool {
	if s.everything() || s.alerts {
		return true
	}
	for _, id := range s.lines {
		if a.reach.ConcernsLine(id) {
			return true
		}
	}
	for _, id := range s.stops {
		if a.reach.ConcernsStop(id) {
			return true
		}
	}
	return false
}
