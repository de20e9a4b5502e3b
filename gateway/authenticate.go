package gateway

import (
	"bytes"
	"crypto/rand"
	"time"

	"nhip"
	"nhip/internal/mqtt/broker"
	"nhip/internal/mqtt/packet"
)

// Connect logs a client in. Its will is not kept: refusing the client would be too much, because many devices set a
// will that nothing needs.
func (h *hook) Connect(c *broker.Client, p *packet.Connect) (broker.Grant, error) {
	grant := broker.Grant{ClientID: p.ClientID, KeepAlive: h.boundKeepAlive(p.KeepAlive)}
	if p.Will {
		h.metrics.denied.WithLabelValues("will").Inc()
	}
	s, reason := h.authenticate(c, p)
	if s == nil {
		h.refuse(c, p, reason)
		return grant, refusal(reason, p.Version)
	}
	if h.isClosed() && s.kind != Role {
		return grant, packet.ServerShuttingDown
	}
	if s.kind == Guest {
		grant.ClientID, grant.View = guestID(), guestView{h}
	}
	if s.kind == Device && !s.device.Load().mayUseClientID(p.ClientID) {
		grant.ClientID = s.device.Load().id
	}
	grant.Identity, grant.Limits, grant.Owner = s, s.limits(grant.ClientID), s.owner()
	h.sessions.Store(c, s)
	if !s.refresh(*h.directory.Load()) { // a fleet that came into force just now has not seen this session
		h.sessions.Delete(c)
		return grant, packet.NotAuthorized
	}
	s.state.connect(h.now())
	return grant, nil
}

// boundKeepAlive bounds a client's keep-alive. Without one a connection would stay open for ever after its network path
// is gone.
func (h *hook) boundKeepAlive(k uint16) uint16 {
	bounded := min(max(k, minKeepAlive), maxKeepAlive)
	if k == 0 {
		bounded = maxKeepAlive
	}
	if bounded != k {
		h.metrics.limited.WithLabelValues(classKeepAlive).Inc()
	}
	return bounded
}

// guestID returns a random client id. Guests may not choose one, so that none can take over another client's session.
func guestID() string { return "guest-" + rand.Text() }

// refusal returns the code that tells a client why it is refused.
func refusal(reason string, version byte) packet.Reason {
	switch {
	case reason == nhip.RefusedClientID:
		return packet.ClientIDInvalid
	case version < packet.V5:
		return packet.NotAuthorized
	}
	return packet.BadCredentials
}

// refuse counts and logs a failed log-in. If an address has failed too often, refuse also delays the answer, so that
// guessing a secret would take years.
func (h *hook) refuse(c *broker.Client, p *packet.Connect, reason string) {
	id, remote := claimedID(c, p), c.Conn().RemoteAddr()
	if h.states.Load().disabled(id) {
		reason = nhip.RefusedDisabled
	}
	h.metrics.refused.WithLabelValues(reason).Inc()
	if c.Listener() == guestListenerID {
		id = "" // what guests do says nothing of a device
	}
	if h.noteRefused(id, reason, remote.String()) {
		attrs := []any{"reason", reason, "client", c.ID(), "remote", remote.String()}
		if h.states.Load().of(id) != nil {
			attrs = append(attrs, "device", id)
		}
		h.log.Warn("client refused", attrs...)
	}
	if h.addresses.loginFailed(addressKey(remote), time.Now()) {
		h.metrics.limited.WithLabelValues(classLogin).Inc()
		sleep(c, failedPause)
	}
}

// claimedID returns which device a client claims to be.
func claimedID(c *broker.Client, p *packet.Connect) string {
	if len(p.Username) == 0 {
		if name, ok := certificateName(c.Conn()); ok {
			return name
		}
	}
	return string(p.Username)
}

// authenticate returns the session of a client, or the reason why it is refused. No client may use the client id of
// another device or of a client of a higher kind, so that none can take over another's session on the broker. A device
// with any other client id gets its device id, because some firmware has no setting for it (AirGradient).
func (h *hook) authenticate(c *broker.Client, p *packet.Connect) (s *session, reason string) {
	if c.Listener() == guestListenerID {
		return h.authenticateGuest(c, p)
	}
	known := *h.directory.Load()
	kind := h.accounts.Kind(p.Password)
	if kind == Unauthenticated {
		d, secret := h.deviceOf(c, p)
		if d == nil {
			return nil, nhip.RefusedCredentials
		}
		other := known[p.ClientID]
		if other != nil && other.id != d.id || h.usedByHigherKind(p.ClientID, Device) || h.usedByHigherKind(d.id, Device) {
			return nil, nhip.RefusedClientID
		}
		s := &session{
			kind: Device, secret: secret, quota: h.quotas.of(d, h.limits), control: newControlLimiter(),
			state: h.states.Load().of(d.id),
		}
		s.device.Store(d)
		return s, ""
	}
	if _, isDevice := known[p.ClientID]; isDevice || h.usedByHigherKind(p.ClientID, kind) {
		return nil, nhip.RefusedClientID
	}
	return &session{kind: kind, own: same(p.Password, h.accounts.Own)}, ""
}

// authenticateGuest returns the session of a client of the public listener.
func (h *hook) authenticateGuest(c *broker.Client, p *packet.Connect) (s *session, reason string) {
	if !h.anonymous && h.accounts.Kind(p.Password) == Unauthenticated {
		if d, _ := h.deviceOf(c, p); d == nil {
			return nil, nhip.RefusedCredentials
		}
	}
	return &session{kind: Guest, control: newControlLimiter()}, ""
}

// deviceOf returns the device that a CONNECT authenticates, and the secret in it. The secret is nil if the device
// presented a certificate instead.
func (h *hook) deviceOf(c *broker.Client, p *packet.Connect) (*device, []byte) {
	user := string(p.Username)
	known := *h.directory.Load()
	if len(p.Password) > 0 {
		secret := bytes.Clone(p.Password)
		return known.withSecret(user, secret), secret
	}
	name, ok := certificateName(c.Conn())
	if !ok || user != "" && user != name {
		return nil, nil
	}
	return known[name], nil
}

// usedByHigherKind reports whether a client of a higher kind uses a client id.
func (h *hook) usedByHigherKind(id string, kind PrincipalKind) bool {
	other, known := h.identityOf(id)
	return known && other.(*session).kind > kind
}
