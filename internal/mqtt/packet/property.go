package packet

// Identifiers of properties (MQTT 5 §2.2.2.2).
const (
	propPayloadFormat     = 0x01
	propMessageExpiry     = 0x02
	propContentType       = 0x03
	propResponseTopic     = 0x08
	propCorrelationData   = 0x09
	propSubscriptionID    = 0x0b
	propSessionExpiry     = 0x11
	propAssignedClientID  = 0x12
	propServerKeepAlive   = 0x13
	propAuthMethod        = 0x15
	propAuthData          = 0x16
	propRequestProblem    = 0x17
	propWillDelay         = 0x18
	propRequestResponse   = 0x19
	propReasonString      = 0x1f
	propReceiveMaximum    = 0x21
	propTopicAliasMaximum = 0x22
	propTopicAlias        = 0x23
	propUser              = 0x26
	propMaximumPacketSize = 0x27
	propSharedAvailable   = 0x2a
)

// properties are the decoded properties of a packet that a client sends.
type properties struct {
	seen              uint64 // a bit for each identifier
	messageExpiry     uint32
	sessionExpiry     uint32
	maximumPacketSize uint32
	receiveMaximum    uint16
	topicAlias        uint16
	subscriptionID    int
	authMethod        bool
	forwarded         []byte // encoded properties that a server forwards unaltered with a message
	forwardedEnd      int    // of forwarded in the packet's memory; -1: forwarded has its own
}

func (p *properties) has(id byte) bool { return p.seen&(1<<id) != 0 }

// allow is a set of identifiers.
func allow(ids ...byte) (set uint64) {
	for _, id := range ids {
		set |= 1 << id
	}
	return set
}

// Properties that clients may send, by packet.
var (
	connectProperties = allow(propSessionExpiry, propReceiveMaximum, propMaximumPacketSize, propTopicAliasMaximum,
		propRequestResponse, propRequestProblem, propUser, propAuthMethod, propAuthData)
	willProperties = allow(propWillDelay, propPayloadFormat, propMessageExpiry, propContentType, propResponseTopic,
		propCorrelationData, propUser)
	publishProperties = allow(propPayloadFormat, propMessageExpiry, propTopicAlias, propResponseTopic,
		propCorrelationData, propUser, propContentType)
	forwardedProperties = allow(propPayloadFormat, propResponseTopic, propCorrelationData, propUser, propContentType)
	ackProperties       = allow(propReasonString, propUser)
	subscribeProperties = allow(propSubscriptionID, propUser)
	unsubscribeProps    = allow(propUser)
	disconnectProps     = allow(propSessionExpiry, propReasonString, propUser)
)

// properties decodes the properties of a packet, of which only some are allowed.
func (c *cursor) properties(allowed uint64) (p properties) {
	in := cursor{b: c.take(c.uvarint())}
	if c.err != nil {
		return p
	}
	all := in.b
	for len(in.b) > 0 && in.err == nil {
		before := len(all) - len(in.b)
		id := in.byte()
		if id >= 64 || allowed&(1<<id) == 0 {
			in.fail(Malformed)
			break
		}
		if p.has(id) && id != propUser { // a subscription id may occur once in what clients send
			in.fail(ProtocolError)
			break
		}
		p.seen |= 1 << id
		p.read(&in, id)
		if forwardedProperties&(1<<id) != 0 && allowed == publishProperties && in.err == nil {
			p.forward(all, before, len(all)-len(in.b))
		}
	}
	if in.err != nil {
		c.err, c.b = in.err, nil
	}
	return p
}

// forward appends all[from:to] to forwarded. It copies only if another property is in between, and each byte once: a
// packet may have 13,000 properties.
func (p *properties) forward(all []byte, from, to int) {
	switch {
	case p.forwarded == nil:
		p.forwarded, p.forwardedEnd = all[from:to:to], to
	case p.forwardedEnd == from:
		p.forwarded, p.forwardedEnd = all[from-len(p.forwarded):to:to], to
	case p.forwardedEnd >= 0:
		p.forwarded, p.forwardedEnd = append(make([]byte, 0, len(all)), p.forwarded...), -1
		fallthrough
	default:
		p.forwarded = append(p.forwarded, all[from:to]...)
	}
}

// read decodes the value of one property and checks its range.
func (p *properties) read(c *cursor, id byte) {
	switch id {
	case propPayloadFormat, propRequestProblem, propRequestResponse:
		if c.byte() > 1 {
			c.fail(ProtocolError)
		}
	case propMessageExpiry:
		p.messageExpiry = c.uint32()
	case propSessionExpiry:
		p.sessionExpiry = c.uint32()
	case propWillDelay:
		c.uint32()
	case propContentType, propReasonString:
		c.text()
	case propResponseTopic:
		if hasWildcard(c.text()) {
			c.fail(ProtocolError)
		}
	case propAuthMethod:
		c.text()
		p.authMethod = true
	case propCorrelationData, propAuthData:
		c.binary()
	case propSubscriptionID:
		if p.subscriptionID = c.uvarint(); p.subscriptionID == 0 {
			c.fail(ProtocolError)
		}
	case propReceiveMaximum:
		if p.receiveMaximum = c.uint16(); p.receiveMaximum == 0 {
			c.fail(ProtocolError)
		}
	case propTopicAliasMaximum:
		c.uint16()
	case propTopicAlias:
		if p.topicAlias = c.uint16(); p.topicAlias == 0 && c.err == nil {
			c.fail(TopicAliasInvalid)
		}
	case propUser:
		c.text()
		c.text()
	case propMaximumPacketSize:
		if p.maximumPacketSize = c.uint32(); p.maximumPacketSize == 0 {
			c.fail(ProtocolError)
		}
	}
}
