package broker

import (
	"crypto/rand"
	"errors"
	"time"

	"nhip/internal/mqtt/packet"
)

// connect handles the first packet of a connection.
func (c *Client) connect(body []byte) error {
	p, err := packet.DecodeConnect(body)
	c.version, c.bridge = p.Version, p.Bridge
	if err != nil {
		return c.refuse(err)
	}
	if p.AuthMethod {
		return c.refuse(packet.BadAuthMethod)
	}
	c.id = p.ClientID
	if p.ClientID == "" && !p.CleanStart && p.Version < packet.V5 {
		return c.refuse(packet.ClientIDInvalid) // MQTT 3.1.1 §3.1.3.1
	}
	grant, err := c.server.rules.Connect(c, &p)
	if err != nil {
		return c.refuse(asReason(err))
	}
	c.granted = true
	connack := c.apply(&p, &grant)
	if err := c.server.attach(c, &p, &grant, connack); err != nil {
		return c.refuse(err)
	}
	c.refreshDeadline()
	return nil
}

func asReason(err error) error {
	var reason packet.Reason
	if errors.As(err, &reason) {
		return reason
	}
	return packet.NotAuthorized
}

// refuse answers a CONNECT with the reason. It returns an error that ends the connection.
func (c *Client) refuse(err error) error {
	var reason packet.Reason
	if !errors.As(err, &reason) {
		return err
	}
	version := c.version
	if version != packet.V5 {
		version = packet.V311 // an unknown version is refused in the form that all clients know
	}
	if reason == packet.Malformed || reason == packet.ProtocolError {
		return reason // what sends it may not be an MQTT client
	}
	if answer := packet.AppendConnack(nil, version, packet.Connack{Reason: reason}); len(answer) > 0 {
		_ = c.conn.SetWriteDeadline(time.Now().Add(closeTimeout))
		_, _ = c.conn.Write(answer) // the connection ends in any case
	}
	return reason
}

// apply sets the client's bounds and returns the CONNACK that tells them.
func (c *Client) apply(p *packet.Connect, grant *Grant) (ack packet.Connack) {
	if grant.ClientID != "" {
		c.id = grant.ClientID
	}
	if c.id == "" {
		c.id = "auto-" + rand.Text()
	}
	if c.id != p.ClientID {
		ack.AssignedClientID = c.id
	}
	c.limits = defaultLimits
	if grant.Limits != nil {
		c.limits = grant.Limits.withDefaults()
	}
	c.identity = grant.Identity
	c.maxPacket, c.maxSend = c.limits.MaxPacket, int(min(p.MaximumPacketSize, packet.MaxRemaining))
	c.unacked = min(int(p.ReceiveMaximum), c.limits.Unacked)
	c.keepAlive = time.Duration(grant.KeepAlive) * time.Second
	if grant.KeepAlive != p.KeepAlive {
		ack.ServerKeepAlive = &grant.KeepAlive
	}
	if expiry := sessionExpiry(p, c.limits); expiry != p.SessionExpiry {
		ack.SessionExpiry = &expiry
	}
	ack.ReceiveMaximum, ack.MaximumPacketSize = uint16(c.limits.Window), uint32(c.limits.MaxPacket)
	ack.TopicAliasMaximum, ack.NoShared = c.limits.TopicAliases, true
	return ack
}
