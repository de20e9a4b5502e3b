package packet

import "encoding/binary"

// DecodeAck decodes a PUBACK, PUBREC, PUBREL or PUBCOMP without its fixed header.
func DecodeAck(body []byte, version byte) (id uint16, reason Reason, err error) {
	c := cursor{b: body}
	id = c.id()
	if version >= V5 && len(c.b) > 0 {
		reason = Reason(c.byte())
		if len(c.b) > 0 {
			c.properties(ackProperties)
		}
	}
	return id, reason, c.end()
}

// AppendAck appends a PUBACK, PUBREC, PUBREL or PUBCOMP. Only MQTT 5 has a reason.
func AppendAck(b []byte, t Type, version byte, id uint16, reason Reason) []byte {
	first := byte(t) << 4
	if t == TypePubrel {
		first |= 0x02
	}
	if version < V5 || reason == Success {
		return binary.BigEndian.AppendUint16(append(b, first, 2), id)
	}
	return append(binary.BigEndian.AppendUint16(append(b, first, 3), id), byte(reason))
}

// AppendPingresp appends a PINGRESP.
func AppendPingresp(b []byte) []byte { return append(b, byte(TypePingresp)<<4, 0) }

// Disconnect is a decoded DISCONNECT.
type Disconnect struct {
	Reason           Reason
	SessionExpiry    uint32 // s
	HasSessionExpiry bool
}

// DecodeDisconnect decodes a DISCONNECT without its fixed header.
func DecodeDisconnect(body []byte, version byte) (d Disconnect, err error) {
	c := cursor{b: body}
	if version >= V5 && len(c.b) > 0 {
		d.Reason = Reason(c.byte())
		if len(c.b) > 0 {
			p := c.properties(disconnectProps)
			d.SessionExpiry, d.HasSessionExpiry = p.sessionExpiry, p.has(propSessionExpiry)
		}
	}
	return d, c.end()
}

// AppendDisconnect appends a DISCONNECT. A server sends it to clients of MQTT 5 only.
func AppendDisconnect(b []byte, reason Reason) []byte {
	return append(b, byte(TypeDisconnect)<<4, 2, byte(reason), 0)
}
