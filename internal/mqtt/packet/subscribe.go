package packet

import "encoding/binary"

// Filter is one filter of a SUBSCRIBE with its options.
type Filter struct {
	Filter            string
	QoS               byte
	NoLocal           bool // MQTT 5
	RetainAsPublished bool // MQTT 5
	RetainHandling    byte // MQTT 5: 0, 1 or 2 (§3.8.3.1)
}

// Values of RetainHandling.
const (
	RetainAlways byte = 0 // send the retained messages
	RetainNew    byte = 1 // only if the subscription did not exist
	RetainNever  byte = 2
)

// Subscribe is a decoded SUBSCRIBE.
type Subscribe struct {
	ID             uint16
	SubscriptionID int // MQTT 5; 0: none
	Filters        []Filter
}

// Bits of the options of a filter.
const (
	optionQoS         = 0x03
	optionNoLocal     = 0x04
	optionAsPublished = 0x08
	optionHandling    = 0x30
	optionReserved5   = 0xc0
	optionReserved311 = 0xfc
)

// DecodeSubscribe decodes a SUBSCRIBE without its fixed header. A packet with more than maxFilters filters fails with
// QuotaExceeded before they are all decoded.
func DecodeSubscribe(body []byte, version byte, maxFilters int) (s Subscribe, err error) {
	c := cursor{b: body}
	s.ID = c.id()
	if version >= V5 {
		s.SubscriptionID = c.properties(subscribeProperties).subscriptionID
	}
	for len(c.b) > 0 && c.err == nil {
		if len(s.Filters) == maxFilters {
			return s, QuotaExceeded
		}
		f := Filter{Filter: string(c.text())}
		if f.Filter == "" && c.err == nil {
			c.fail(ProtocolError)
		}
		if f.setOptions(c.byte(), version); f.QoS > 2 {
			c.fail(Malformed)
		}
		s.Filters = append(s.Filters, f)
	}
	if len(s.Filters) == 0 && c.err == nil {
		return s, ProtocolError
	}
	return s, c.err
}

// setOptions sets a QoS that is not valid if the options are not.
func (f *Filter) setOptions(o, version byte) {
	f.QoS = o & optionQoS
	if version < V5 {
		if o&optionReserved311 != 0 {
			f.QoS = optionQoS
		}
		return
	}
	f.NoLocal, f.RetainAsPublished = o&optionNoLocal != 0, o&optionAsPublished != 0
	f.RetainHandling = o & optionHandling >> 4
	if o&optionReserved5 != 0 || f.RetainHandling > RetainNever {
		f.QoS = optionQoS
	}
}

// DecodeUnsubscribe decodes an UNSUBSCRIBE without its fixed header. A packet with more than maxFilters filters fails
// with QuotaExceeded.
func DecodeUnsubscribe(body []byte, version byte, maxFilters int) (id uint16, filters []string, err error) {
	c := cursor{b: body}
	id = c.id()
	if version >= V5 {
		c.properties(unsubscribeProps)
	}
	for len(c.b) > 0 && c.err == nil {
		if len(filters) == maxFilters {
			return id, filters, QuotaExceeded
		}
		f := string(c.text())
		if f == "" && c.err == nil {
			c.fail(ProtocolError)
		}
		filters = append(filters, f)
	}
	if len(filters) == 0 && c.err == nil {
		return id, nil, ProtocolError
	}
	return id, filters, c.err
}

// AppendSuback appends a SUBACK with a code for each filter.
func AppendSuback(b []byte, version byte, id uint16, codes []byte) []byte {
	return appendCodes(b, TypeSuback, version, id, codes)
}

// AppendUnsuback appends an UNSUBACK. Only MQTT 5 has codes in it.
func AppendUnsuback(b []byte, version byte, id uint16, codes []byte) []byte {
	if version < V5 {
		codes = nil
	}
	return appendCodes(b, TypeUnsuback, version, id, codes)
}

func appendCodes(b []byte, t Type, version byte, id uint16, codes []byte) []byte {
	n := 2 + len(codes)
	if version >= V5 {
		n++
	}
	b = appendUvarint(append(b, byte(t)<<4), n)
	b = binary.BigEndian.AppendUint16(b, id)
	if version >= V5 {
		b = append(b, 0) // no properties
	}
	return append(b, codes...)
}
