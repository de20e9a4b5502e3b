package staff

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"nhip"
	"nhip/internal/topics"
)

// Events exchanges messages with the collectors: it publishes user actions, and receives alerts and the confirmations
// of user actions. It is safe for concurrent use.
type Events struct {
	publish func(topic string, payload []byte) error
	log     *slog.Logger
	alerts  alertStore
	acks    pendingAcks
	closed  chan struct{}
	close   sync.Once
}

// NewEvents returns Events that call publish to send a message to the broker; publish returns an error while the broker
// is away.
func NewEvents(publish func(topic string, payload []byte) error, log *slog.Logger) *Events {
	return &Events{publish: publish, log: log, closed: make(chan struct{})}
}

// Close ends the streams of alerts. It may be called more than once.
func (e *Events) Close() { e.close.Do(func() { close(e.closed) }) }

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
		e.acks.confirm(topic)
	}
	return true
}

// ackTimeout is the maximum time for a collector to store and confirm a user action.
const ackTimeout = 10 * time.Second

// publishAndWait publishes a user action and waits until a collector confirms that it is on disk. It returns an error
// with nhip.CodeUnavailable if there is no confirmation within ackTimeout.
func (e *Events) publishAndWait(ctx context.Context, kind, id string, body any) error {
	if size := topics.UserActionTopicSize(kind, id); size > topics.MaxTopic {
		return nhip.Errorf(nhip.CodeInvalid, "id", "makes a topic of %d bytes; the maximum is %d", size, topics.MaxTopic)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	event := topics.EventTopic(kind, id)
	confirmed := e.acks.expect(event)
	defer e.acks.forget(event)
	if err := e.publish(topics.UserActionTopic(kind, id), raw); err != nil {
		return err
	}
	timeout := time.NewTimer(ackTimeout)
	defer timeout.Stop()
	select {
	case <-confirmed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return nhip.Errorf(nhip.CodeUnavailable, "",
			"no collector confirmed the action in time; repeat the request with the same id, %q", id)
	}
}

// pendingAcks are the user actions that wait for their confirmation.
type pendingAcks struct {
	mu      sync.Mutex
	waiting map[string]chan struct{} // by event topic
}

// expect returns a channel that is closed when the event on topic is received.
func (p *pendingAcks) expect(topic string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		p.waiting = make(map[string]chan struct{})
	}
	if p.waiting[topic] == nil {
		p.waiting[topic] = make(chan struct{})
	}
	return p.waiting[topic]
}

// forget removes an action whose caller no longer waits.
func (p *pendingAcks) forget(topic string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, topic)
}

// confirm closes the channel of an action, if a caller waits for it.
func (p *pendingAcks) confirm(topic string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if confirmed := p.waiting[topic]; confirmed != nil {
		close(confirmed)
		delete(p.waiting, topic)
	}
}
