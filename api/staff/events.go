package staff

import (
	"log/slog"
	"sync"

	"nhip"
	"nhip/api/actions"
	"nhip/internal/topics"
)

// Events receives alerts, and passes on the outcomes of user actions. It is safe for concurrent use.
type Events struct {
	actions *actions.Client
	log     *slog.Logger
	alerts  alertStore
	closed  chan struct{}
	close   sync.Once
}

// NewEvents returns Events that send user actions by a client.
func NewEvents(client *actions.Client, log *slog.Logger) *Events {
	return &Events{actions: client, log: log, closed: make(chan struct{})}
}

// Close ends the streams of alerts. It may be called more than once.
func (e *Events) Close() { e.close.Do(func() { close(e.closed) }) }

// Alerts returns the open alerts, highest grade first, and those that ended since the start, newest first.
func (e *Events) Alerts() (open, ended []nhip.Alert) { return e.alerts.list() }

// Alert returns an alert that is open or has ended since the start.
func (e *Events) Alert(id string) (nhip.Alert, bool) { return e.alerts.get(id) }

// Receive applies a message. It returns false if the topic is not that of an event.
func (e *Events) Receive(topic string, payload []byte) bool {
	kind, id, ok := topics.ParseEvent(topic)
	switch {
	case !ok:
		return false
	case kind == topics.Alert:
		if err := e.alerts.receive(id, payload); err != nil {
			e.log.Error("undecodable alert", "topic", topic, "error", err)
		}
	default:
		e.actions.Receive(topic, payload)
	}
	return true
}
