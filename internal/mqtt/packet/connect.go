package packet

import (
	"bytes"
	"encoding/binary"
)

// Connect is a decoded CONNECT.
type Connect struct {
	Version    byte
	CleanStart bool
	KeepAlive  uint16 // s; 0: none
	ClientID   string
	Username   []byte // nil: none
	Password   []byte // nil: none
	Will       bool   // the client set a will, which is not kept
	Bridge     bool   // before MQTT 5: the client says that it is a bridge

	// Of MQTT 5 only; the others have the defaults.
	SessionExpiry     uint32 // s
	ReceiveMaximum    uint16 // never 0
	MaximumPacketSize uint32 // bytes; 0: no limit
	AuthMethod        bool   // the client asks for an enhanced authentication
}

// Flags of a CONNECT (§3.1.2.3).
const (
	connectReserved   = 0x01
	connectClean      = 0x02
	connectWill       = 0x04
	connectWillQoS    = 0x18
	connectWillRetain = 0x20
	connectPassword   = 0x40
	connectUsername   = 0x80
)

// connectBridge is set in the version by bridges of Mosquitto before MQTT 5, which has options of subscriptions for
// what they want: messages as they were published, and none of their own.
const connectBridge = 0x80

// DecodeConnect decodes a CONNECT without its fixed header. The error UnsupportedVersion comes with the version.
func DecodeConnect(body []byte) (p Connect, err error) {
	c := cursor{b: body}
	name := string(c.binary())
	p.Version = c.byte()
	if old := p.Version &^ connectBridge; old == V31 || old == V311 {
		p.Bridge, p.Version = old != p.Version, old
	}
	if c.err != nil {
		return p, c.err
	}
	if err := checkProtocol(name, p.Version); err != nil {
		return p, err
	}
	flags := c.byte()
	if err := checkConnectFlags(flags, p.Version); err != nil && c.err == nil {
		return p, err
	}
	p.CleanStart, p.Will, p.ReceiveMaximum = flags&connectClean != 0, flags&connectWill != 0, 0xffff
	p.KeepAlive = c.uint16()
	if p.Version >= V5 {
		p.setProperties(c.properties(connectProperties))
	}
	p.ClientID = string(c.text())
	if p.Will {
		c.will(p.Version)
	}
	if flags&connectUsername != 0 {
		p.Username = present(c.text())
	}
	if flags&connectPassword != 0 {
		p.Password = present(c.binary())
	}
	return p, c.end()
}

// present makes an empty field differ from one that is missing.
func present(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func checkProtocol(name string, version byte) error {
	switch {
	case name == "MQTT" && (version == V311 || version == V5), name == "MQIsdp" && version == V31:
		return nil
	case name == "MQTT" || name == "MQIsdp":
		return UnsupportedVersion
	}
	return ProtocolError
}

func checkConnectFlags(flags, version byte) error {
	will := flags&connectWill != 0
	switch {
	case flags&connectReserved != 0, flags&connectWillQoS == connectWillQoS:
		return Malformed
	case !will && flags&(connectWillQoS|connectWillRetain) != 0:
		return Malformed
	case version < V5 && flags&(connectUsername|connectPassword) == connectPassword:
		return BadCredentials // a password without a user
	}
	return nil
}

func (p *Connect) setProperties(props properties) {
	p.SessionExpiry, p.MaximumPacketSize = props.sessionExpiry, props.maximumPacketSize
	p.AuthMethod = props.authMethod
	if props.has(propReceiveMaximum) {
		p.ReceiveMaximum = props.receiveMaximum
	}
}

// will checks a will and skips it.
func (c *cursor) will(version byte) {
	if version >= V5 {
		c.properties(willProperties)
	}
	if topic := c.text(); c.err == nil && (len(topic) == 0 || hasWildcard(topic)) {
		c.fail(TopicInvalid)
	}
	c.binary()
}

func hasWildcard(topic []byte) bool { return bytes.ContainsAny(topic, "+#") }

// Connack is a CONNACK. All but SessionPresent and Code are sent to clients of MQTT 5 only.
type Connack struct {
	SessionPresent    bool
	Reason            Reason
	SessionExpiry     *uint32 // s; nil: as the client asked
	ReceiveMaximum    uint16  // 0: not sent
	MaximumPacketSize uint32  // bytes; 0: not sent
	AssignedClientID  string  // empty: not sent
	TopicAliasMaximum uint16  // 0: not sent
	ServerKeepAlive   *uint16 // s; nil: as the client asked
	NoShared          bool    // shared subscriptions are not available
}

// AppendConnack appends a CONNACK for a version of the protocol. It appends nothing if the version has no code for the
// reason.
func AppendConnack(b []byte, version byte, p Connack) []byte {
	code, ok := p.Reason.ConnackCode(version)
	if !ok {
		return b
	}
	var flags byte
	if p.SessionPresent {
		flags = 1
	}
	if version < V5 {
		return append(b, byte(TypeConnack)<<4, 2, flags, code)
	}
	props := p.properties()
	b = append(b, byte(TypeConnack)<<4)
	b = appendUvarint(b, 2+uvarintSize(len(props))+len(props))
	b = append(b, flags, code)
	return append(appendUvarint(b, len(props)), props...)
}

func (p *Connack) properties() (b []byte) {
	if p.SessionExpiry != nil {
		b = binary.BigEndian.AppendUint32(append(b, propSessionExpiry), *p.SessionExpiry)
	}
	if p.ReceiveMaximum > 0 {
		b = binary.BigEndian.AppendUint16(append(b, propReceiveMaximum), p.ReceiveMaximum)
	}
	if p.MaximumPacketSize > 0 {
		b = binary.BigEndian.AppendUint32(append(b, propMaximumPacketSize), p.MaximumPacketSize)
	}
	if p.AssignedClientID != "" {
		b = appendText(append(b, propAssignedClientID), p.AssignedClientID)
	}
	if p.TopicAliasMaximum > 0 {
		b = binary.BigEndian.AppendUint16(append(b, propTopicAliasMaximum), p.TopicAliasMaximum)
	}
	if p.ServerKeepAlive != nil {
		b = binary.BigEndian.AppendUint16(append(b, propServerKeepAlive), *p.ServerKeepAlive)
	}
	if p.NoShared {
		b = append(b, propSharedAvailable, 0)
	}
	return b
}
