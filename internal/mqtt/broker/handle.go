package broker

import (
	"strings"
	"time"

	"nhip/internal/mqtt/packet"
)

// handle handles one packet. The body is valid until it returns.
func (c *Client) handle(h packet.Header, body []byte) error {
	if c.ended.Load() {
		return errDisconnected
	}
	if c.session == nil {
		if h.Type != packet.TypeConnect {
			return packet.ProtocolError
		}
		return c.connect(body)
	}
	if h.Type == packet.TypePublish {
		return c.publish(h.Flags, body)
	}
	switch h.Type {
	case packet.TypeSubscribe:
		return c.subscribe(body)
	case packet.TypeUnsubscribe:
		return c.unsubscribe(body)
	}
	if err := c.permit(h.Type, 0); err != nil {
		return err
	}
	switch h.Type {
	case packet.TypePuback, packet.TypePubrec, packet.TypePubrel, packet.TypePubcomp:
		return c.ack(h.Type, body)
	case packet.TypePingreq:
		if len(body) > 0 {
			return packet.Malformed
		}
		c.send(packet.AppendPingresp)
		return nil
	case packet.TypeDisconnect:
		return c.disconnect(body)
	}
	return packet.ProtocolError // a second CONNECT, AUTH without a method, or what only servers send
}

// permit asks the rules whether a packet may be handled.
func (c *Client) permit(t packet.Type, filters int) error {
	if err := c.server.rules.Control(c, t, filters); err != nil {
		return asReason(err)
	}
	return nil
}

// ack handles the acknowledgement of a message that the client received, or the second step of one that it sent with
// QoS 2. Nothing is sent to clients with QoS 2.
func (c *Client) ack(t packet.Type, body []byte) error {
	id, _, err := packet.DecodeAck(body, c.version)
	if err != nil {
		return err
	}
	switch t {
	case packet.TypePuback:
		c.session.acked(id)
		c.wake()
	case packet.TypePubrel:
		reason := packet.Success
		if !c.session.release(id) {
			reason = packet.IDNotFound
		}
		c.send(func(b []byte) []byte { return packet.AppendAck(b, packet.TypePubcomp, c.version, id, reason) })
	}
	return nil
}

func (c *Client) disconnect(body []byte) error {
	d, err := packet.DecodeDisconnect(body, c.version)
	if err != nil {
		return err
	}
	if d.HasSessionExpiry {
		if !c.session.changeExpiry(d.SessionExpiry) {
			return packet.ProtocolError // MQTT 5 §3.14.2.2.2
		}
	}
	return errDisconnected
}

// publish handles a message of the client.
func (c *Client) publish(flags byte, body []byte) error {
	p, err := packet.DecodePublish(flags, body, c.version)
	if err != nil {
		return err
	}
	topic, err := c.topic(&p)
	if err != nil {
		return err
	}
	if p.QoS == 2 {
		if c.isPending(p.ID) {
			return nil // sent again: the PUBREC of the first one follows, and answers both
		}
		switch known, all := c.session.hasReceived(p.ID); {
		case known: // sent again
			c.send(func(b []byte) []byte { return packet.AppendAck(b, packet.TypePubrec, c.version, p.ID, packet.Success) })
			return nil
		case all >= c.limits.Window && c.version >= packet.V5:
			// Older clients don't know the window. They can't be made to wait either, because their PUBRELs come behind.
			// So packet ids are the bound: 65,535.
			return packet.ReceiveMaximumExceeded
		}
	}
	m := &Message{Topic: topic, QoS: min(p.QoS, 1), Retain: p.Retain, from: c.id}
	m.Payload, m.Properties = clonePair(p.Payload, p.Properties)
	if p.HasExpiry {
		m.Expires = time.Now().Add(time.Duration(p.Expiry) * time.Second)
	}
	return c.decide(m, &p)
}

// clonePair copies two slices into one piece of memory.
func clonePair(a, b []byte) (a2, b2 []byte) {
	all := make([]byte, len(a)+len(b))
	n := copy(all, a)
	copy(all[n:], b)
	if len(b) > 0 {
		b2 = all[n:]
	}
	return all[:n:n], b2
}

// decide asks the rules what becomes of a message and does it.
func (c *Client) decide(m *Message, p *packet.Publish) error {
	number, err := c.reserve(p.ID, p.QoS, m.size())
	if err != nil {
		return err
	}
	c.server.received.Add(1)
	qos := p.QoS
	decision := c.server.rules.Publish(c, m, func(err error) {
		if err != nil && qos > 0 {
			c.fail()
		} else {
			c.complete(number, packet.Success, false)
		}
	})
	switch decision {
	case Take:
	case Route:
		c.server.routed.Add(1)
		c.server.route(m, c.session)
		c.complete(number, packet.Success, false)
	case Discard:
		c.complete(number, packet.Success, false)
	case Ignore:
		c.complete(number, packet.Success, true)
	default:
		if qos > 0 && c.version < packet.V5 {
			return packet.NotAuthorized
		}
		c.complete(number, packet.NotAuthorized, false)
	}
	return nil
}

// keptTopic is the size of the longest topic that an idle connection keeps, in bytes.
const keptTopic = 512

// topic returns the topic of a message, which an alias may stand for.
func (c *Client) topic(p *packet.Publish) (string, error) {
	if p.TopicAlias > c.limits.TopicAliases {
		return "", packet.TopicAliasInvalid
	}
	if len(p.Topic) == 0 {
		topic, ok := c.aliases[p.TopicAlias]
		if !ok {
			return "", packet.ProtocolError
		}
		return topic, nil
	}
	topic := c.lastTopic
	if string(p.Topic) != topic {
		topic = string(p.Topic)
	}
	if strings.Count(topic, "/") >= MaxLevels {
		return "", packet.TopicInvalid
	}
	if len(topic) <= keptTopic {
		c.lastTopic = topic
	}
	if p.TopicAlias > 0 {
		if c.aliases == nil {
			c.aliases = make(map[uint16]string)
		}
		c.aliases[p.TopicAlias] = topic
	}
	return topic, nil
}
