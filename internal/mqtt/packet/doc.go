// Package packet encodes and decodes the packets of MQTT 3.1, 3.1.1 and 5 as a server needs them: it decodes what
// clients send, and encodes what a server sends.
//
// A decoder never allocates more than the bytes that it is given, and never panics. Each error is a Reason: the code by
// which MQTT 5 names it. Decoded byte slices share the memory of the input; strings do not.
package packet

// Versions of the protocol, as CONNECT names them.
const (
	V31  = 3
	V311 = 4
	V5   = 5
)

// Type is the type of a packet.
type Type byte

// The types of packets (MQTT 5 §2.1.2).
const (
	TypeConnect     Type = 1
	TypeConnack     Type = 2
	TypePublish     Type = 3
	TypePuback      Type = 4
	TypePubrec      Type = 5
	TypePubrel      Type = 6
	TypePubcomp     Type = 7
	TypeSubscribe   Type = 8
	TypeSuback      Type = 9
	TypeUnsubscribe Type = 10
	TypeUnsuback    Type = 11
	TypePingreq     Type = 12
	TypePingresp    Type = 13
	TypeDisconnect  Type = 14
	TypeAuth        Type = 15
)

var typeNames = [...]string{
	"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE", "SUBACK",
	"UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown"
}
