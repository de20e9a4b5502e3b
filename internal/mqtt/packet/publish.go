package packet

import "encoding/binary"

// Publish is a PUBLISH. The Topic is empty if a topic alias stands for it.
type Publish struct {
	Topic   []byte
	Payload []byte
	ID      uint16 // 0 with QoS 0
	QoS     byte
	Retain  bool
	Dup     bool

	// Of MQTT 5 only.
	TopicAlias      uint16 // 0: none
	Expiry          uint32 // s
	HasExpiry       bool
	Properties      []byte // encoded properties that go to the subscribers unaltered
	SubscriptionIDs []int  // of the subscriptions that a server sends the message for
}

// Flags of a PUBLISH (§3.3.1).
const (
	publishRetain   = 0x01
	publishQoSShift = 1
	publishDup      = 0x08
)

// DecodePublish decodes a PUBLISH without its fixed header, whose flags ParseHeader has checked.
func DecodePublish(flags byte, body []byte, version byte) (p Publish, err error) {
	p.Retain, p.QoS, p.Dup = flags&publishRetain != 0, flags>>publishQoSShift&3, flags&publishDup != 0
	c := cursor{b: body}
	p.Topic = c.text()
	if p.QoS > 0 {
		p.ID = c.id()
	}
	if version >= V5 {
		props := c.properties(publishProperties)
		p.TopicAlias, p.Properties = props.topicAlias, props.forwarded
		p.Expiry, p.HasExpiry = props.messageExpiry, props.has(propMessageExpiry)
	}
	switch {
	case c.err != nil:
		return p, c.err
	case len(p.Topic) == 0 && p.TopicAlias == 0:
		return p, ProtocolError
	case hasWildcard(p.Topic):
		return p, TopicInvalid
	}
	p.Payload = c.b
	return p, nil
}

// AppendPublishHead appends a PUBLISH without its payload, which must follow. Its Topic may be of any string type, so
// that no copy of it is made.
func AppendPublishHead(b []byte, version byte, topic string, p *Publish) []byte {
	flags := p.QoS << publishQoSShift
	if p.Retain {
		flags |= publishRetain
	}
	if p.Dup {
		flags |= publishDup
	}
	b = append(b, byte(TypePublish)<<4|flags)
	b = appendUvarint(b, publishRemaining(version, topic, p))
	b = appendText(b, topic)
	if p.QoS > 0 {
		b = binary.BigEndian.AppendUint16(b, p.ID)
	}
	if version < V5 {
		return b
	}
	b = appendUvarint(b, p.propertiesSize())
	if p.HasExpiry {
		b = binary.BigEndian.AppendUint32(append(b, propMessageExpiry), p.Expiry)
	}
	for _, id := range p.SubscriptionIDs {
		b = appendUvarint(append(b, propSubscriptionID), id)
	}
	return append(b, p.Properties...)
}

// PublishSize returns the size of a whole PUBLISH, in bytes.
func PublishSize(version byte, topic string, p *Publish) int {
	n := publishRemaining(version, topic, p)
	return 1 + uvarintSize(n) + n
}

func publishRemaining(version byte, topic string, p *Publish) int {
	n := 2 + len(topic) + len(p.Payload)
	if p.QoS > 0 {
		n += 2
	}
	if version >= V5 {
		size := p.propertiesSize()
		n += uvarintSize(size) + size
	}
	return n
}

func (p *Publish) propertiesSize() int {
	n := len(p.Properties)
	if p.HasExpiry {
		n += 5
	}
	for _, id := range p.SubscriptionIDs {
		n += 1 + uvarintSize(id)
	}
	return n
}
