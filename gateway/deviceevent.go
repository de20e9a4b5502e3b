package gateway

import (
	"time"

	"nhip"
	"nhip/internal/mqtt/broker"
)

// device returns the state of the device of a session; nil for others.
func (h *hook) deviceState(s *session) *deviceState {
	if s == nil || s.kind != Device {
		return nil
	}
	return h.states.Load().of(s.account())
}

// now returns the time for states of devices, in UTC with milliseconds.
func (h *hook) now() time.Time { return h.clock.Now().UTC().Truncate(time.Millisecond) }

// event returns an event of now.
func (h *hook) event(reason, detail string) nhip.DeviceEvent {
	return nhip.DeviceEvent{Time: h.now(), Reason: reason, Detail: detail}
}

// noteRefused keeps that a device was refused, and reports whether it should be logged. id is what the client claims to
// be; it need not be a device.
func (h *hook) noteRefused(id, reason, detail string) (log bool) {
	return h.states.Load().of(id).note(refusedOf, h.event(reason, detail)) && h.logLimiter.Allow()
}

// limit counts that a client has reached a limit. A device is named in the log.
func (h *hook) limit(c *broker.Client, class string) {
	h.metrics.limited.WithLabelValues(class).Inc()
	s, _ := c.Identity().(*session)
	one := h.deviceState(s)
	remote := c.Conn().RemoteAddr().String()
	if one != nil && one.note(limitedOf, h.event(class, remote)) && h.logLimiter.Allow() {
		h.log.Warn("device limited", "device", s.account(), "class", class, "client", c.ID(), "remote", remote)
	}
}

// takenOver counts and logs that a connection ends because another one has its client id.
func (h *hook) takenOver(previous, next *broker.Client) {
	h.metrics.takeovers.Inc()
	s, _ := next.Identity().(*session)
	if s == nil {
		return
	}
	remote := next.Conn().RemoteAddr().String()
	if h.deviceState(s).note(takenOverOf, h.event("take_over", remote)) && h.logLimiter.Allow() {
		h.log.Warn("connection taken over by another with its client id", "device", s.account(), "client", next.ID(),
			"remote", remote, "previous", previous.Conn().RemoteAddr().String())
	}
}
