package broker

import (
	"time"

	"nhip/internal/mqtt/packet"
)

// attach gives a client its session. If another connection has the client id, attach ends it and waits for its end, so
// that the messages of one client id are handled in one order. If several wait, the last one gets the session.
func (s *Server) attach(c *Client, p *packet.Connect, grant *Grant, connack packet.Connack) error {
	timeout := time.NewTimer(s.options.TakeOver)
	defer timeout.Stop()
	var last *Client // that was ended
	for {
		holder, ended, err := s.tryAttach(c, p, grant, connack)
		if err != nil || holder == nil {
			s.unlink(ended)
			return err
		}
		if holder != last {
			last = holder
			s.observer.takeOver(holder, c)
		}
		holder.end(packet.SessionTakenOver)
		select {
		case <-holder.done:
		case <-c.endBegan:
			s.giveUp(c)
			return errDisconnected
		case <-timeout.C:
			s.giveUp(c)
			s.observer.limited(c, LimitedTakeOver)
			return packet.ServerBusy
		}
	}
}

// giveUp removes a client's claim.
func (s *Server) giveUp(c *Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claims[c.id] == c {
		delete(s.claims, c.id)
	}
}

// tryAttach attaches a client unless another connection holds the session. Then it returns that connection. It also
// returns a session that has ended and must be unlinked.
func (s *Server) tryAttach(
	c *Client, p *packet.Connect, grant *Grant, connack packet.Connack,
) (holder *Client, ended *session, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil, nil, packet.ServerShuttingDown
	}
	claim, known := s.claims[c.id], s.sessions[c.id]
	if c.claimed && claim != c {
		return nil, nil, errDisconnected // a later connection waits, or has the session already
	}
	if known != nil && known.client != nil {
		s.claims[c.id], c.claimed = c, true
		return known.client, nil, nil
	}
	delete(s.claims, c.id)
	if known != nil && (p.CleanStart || known.owner != grant.Owner) {
		ended, known = known, nil
		ended.finish()
	}
	connack.SessionPresent = known != nil
	if known == nil {
		known = s.newSession(c.id, grant.Owner)
		s.sessions[c.id] = known
	}
	s.expiry.remove(&known.deadline)
	known.connect(c, p, grant, connack)
	s.connected.Add(1)
	return nil, ended, nil
}

func (s *Server) newSession(id, owner string) *session {
	created := &session{server: s, id: id, owner: owner}
	created.deadline.expired = func() { s.expireSession(created) }
	return created
}

// connect makes c the session's client. The CONNACK comes before everything else that is sent.
func (s *session) connect(c *Client, p *packet.Connect, grant *Grant, connack packet.Connack) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits, s.identity = c.limits, grant.Identity
	s.setView(grant.View)
	s.expiry = sessionExpiry(p, c.limits)
	s.resend()
	c.session, s.client = s, c
	if !c.ending {
		c.control = packet.AppendConnack(c.control, c.version, connack)
		c.admitted.Store(true)
	}
	c.startWriting()
}

// sessionExpiry returns how long a client's session outlives the connection, in seconds. Clients before MQTT 5 can ask
// only for sessions without an end.
func sessionExpiry(p *packet.Connect, l *Limits) uint32 {
	if p.Version >= packet.V5 {
		return min(p.SessionExpiry, l.SessionExpiry)
	}
	if p.CleanStart {
		return 0
	}
	return l.SessionExpiry
}

// detach separates a client from its session, which ends now or later.
func (s *Server) detach(c *Client) {
	s.mu.Lock()
	delete(s.clients, c)
	known := c.session
	if known == nil || known.client != c {
		s.mu.Unlock()
		return
	}
	s.connected.Add(-1)
	ends := known.disconnect(s.stopping)
	if ends && s.sessions[known.id] == known {
		delete(s.sessions, known.id)
	}
	s.mu.Unlock()
	if ends {
		s.unlink(known)
	}
}

// disconnect removes the session's client. It reports whether the session ends with it.
func (s *session) disconnect(stopping bool) (ends bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client = nil
	if s.expiry == 0 || stopping {
		s.end()
		return true
	}
	s.server.expiry.set(&s.deadline, time.Now().Add(time.Duration(s.expiry)*time.Second))
	s.keepScans()
	return false
}

// finish ends a session that has no client.
func (s *session) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server.expiry.remove(&s.deadline)
	s.end()
}

// end releases the session's memory. The caller holds mu.
func (s *session) end() {
	s.gone = true
	s.queue, s.unacked, s.received, s.scans, s.queueBytes = deque[delivery]{}, nil, nil, nil, 0
}

// unlink removes the subscriptions of a session that has ended; nil is allowed.
func (s *Server) unlink(known *session) {
	if known == nil {
		return
	}
	known.mu.Lock()
	subs := known.subs
	known.subs = nil
	known.mu.Unlock()
	for filter, sub := range subs {
		s.subs.remove(filter, sub)
	}
}

// expireSession ends a session whose time has come, unless a client has taken it in the meantime.
func (s *Server) expireSession(known *session) {
	s.mu.Lock()
	if s.sessions[known.id] != known || known.client != nil || s.expiry.pending(&known.deadline) {
		s.mu.Unlock()
		return
	}
	delete(s.sessions, known.id)
	known.finish()
	s.mu.Unlock()
	s.unlink(known)
}
