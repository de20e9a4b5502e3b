package gateway

import (
	"errors"
	"strings"
	"time"

	"nhip"
	"nhip/internal/mqtt/broker"
	"nhip/internal/topics"

	"golang.org/x/time/rate"
)

// brokerTopics begins topics that belong to the broker: what clients publish there has no effect. It is acknowledged,
// because bridges of Mosquitto publish their state there with QoS 1 and send it again until it is.
const brokerTopics = "$SYS"

// Publish hands a device's message to the acceptor. The broker sends the PUBACK when the message is on disk. Meanwhile
// it reads on, so that one sync covers many messages of a connection. Messages of roles, and commands to devices, go to
// the subscribers.
func (h *hook) Publish(c *broker.Client, m *broker.Message, done func(error)) broker.Decision {
	s := sessionOf(c)
	switch {
	case strings.HasPrefix(m.Topic, brokerTopics):
		h.metrics.denied.WithLabelValues("publish").Inc()
		return broker.Discard
	case !h.mayPublish(c, s, m.Topic):
		return broker.Deny
	case s.kind == Role:
		if m.Retain {
			h.livePrivate.note(m.Topic, m.Payload)
		}
		return broker.Route
	case strings.HasPrefix(m.Topic, topics.Command):
		return broker.Route
	case s.kind == Device && !h.throttle(c, s, len(m.Topic)+len(m.Payload)), !h.beginAccept():
		return broker.Ignore
	}
	h.metrics.messages.Inc()
	now := h.clock.Now().UTC()
	s.state.hear(now)
	h.hand(
		nhip.Message{
			Client: c.ID(), Topic: m.Topic, Payload: m.Payload, Received: now,
			Account: s.account(), Trusted: s.kind == Operator,
		},
		func(err error) {
			h.reportUnsaved(c.ID(), err)
			done(err) // an error disconnects the client, which sends the message again after it has reconnected
			h.inFlight.Done()
		})
	return broker.Take
}

// accept hands a message to the acceptor and waits until it is on disk.
func (h *hook) accept(m nhip.Message) error {
	if !h.beginAccept() {
		return nhip.Errorf(nhip.CodeUnavailable, "", "the gateway is stopping")
	}
	h.metrics.messages.Inc()
	outcome := make(chan error, 1)
	h.hand(m, func(err error) { outcome <- err; h.inFlight.Done() })
	err := <-outcome
	if err == nil {
		return nil
	}
	var known *nhip.Error
	if errors.As(err, &known) {
		return known
	}
	h.reportUnsaved(m.Client, err)
	return nhip.Errorf(nhip.CodeUnavailable, "", "the message could not be written to disk; send it again")
}

// throttle waits while a device is beyond its quota. The gateway reads nothing from the connection in the meantime, so
// TCP slows the device down. It returns false if the connection ended first.
func (h *hook) throttle(c *broker.Client, s *session, size int) bool {
	return h.waitLimit(c, s.quota.messages, 1, classMessageRate) && h.waitLimit(c, s.quota.bytes, size, classByteRate)
}

func (h *hook) waitLimit(c *broker.Client, l *rate.Limiter, n int, class string) bool {
	if l == nil || l.AllowN(time.Now(), n) {
		return true
	}
	h.limit(c, class)
	r := l.ReserveN(time.Now(), n)
	if r.OK() && sleep(c, r.Delay()) {
		return true
	}
	r.Cancel() // what is not sent does not count
	return false
}

// sleep waits. It returns false if the connection ends first.
func sleep(c *broker.Client, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.Ending():
		return false
	}
}

// reportUnsaved counts and logs the error of a message; nil is no error.
func (h *hook) reportUnsaved(client string, err error) {
	if err == nil {
		return
	}
	h.metrics.unsaved.Inc()
	if h.logLimiter.Allow() {
		h.log.Error("message not written to disk and not acknowledged", "client", client, "error", err)
	}
}
