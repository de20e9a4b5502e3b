package stream

import (
	"context"
	"time"
)

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
