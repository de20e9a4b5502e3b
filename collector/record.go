package collector

import (
	"math"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"google.golang.org/protobuf/encoding/protowire"
)

// outcome is what became of one message: the facts that passed and what was turned away. It is the
// journal's record, so whatever a later step needs must be in it; once it is on disk, the message
// itself may be forgotten.
type outcome struct {
	received   time.Time
	facts      nhip.Facts
	rejections []rejection

	// saidAs is the fingerprint of the payload where facts.Undated: nothing else tells the same
	// message sent twice.
	saidAs uint64

	// Only with rejections, to show and to decode again after a cure.
	topic   string
	payload []byte
	decoder string // "format/version"
	unkept  bool   // the device said too much that is wrong: counted, and no dead letter
	skipped int    // how many such came before this one

	replayOf []string // the dead letters that this is the replay of
	resubmit *refusal // instead of all above but received: a row that goes to the database again

	// Only when read from a record: the fingerprints of the rows as they stand there.
	positionPrints, readingPrints, sayingPrints []uint64

	// The positions as they stand in the record that was written or read last, good as long as its memory.
	packed [][]byte
}

// rejection is why some rows of a message were turned away. A message that can't be decoded counts
// as one row.
type rejection struct {
	err    nhip.Error
	rows   int
	device string    // whose rows, as in the ledger
	time   time.Time // the device's own, of the first of them; zero when it is not known or can't be
}

// refusal is a row that the database refused, as its dead letter keeps it.
type refusal struct {
	line    string
	device  string
	hour    int64 // Unix hours
	revised bool
}

// Field numbers of the record's encoding (protocol buffers wire format, so that an old journal
// opens under a new version). A number is never used again for something else.
const (
	fieldReceived  = 1
	fieldPosition  = 2
	fieldReading   = 3
	fieldRejection = 4
	fieldTopic     = 5
	fieldPayload   = 6
	fieldDecoder   = 7
	fieldSaidAs    = 8
	fieldUnkept    = 9
	fieldSkipped   = 10
	fieldReplayOf  = 11
	fieldResubmit  = 12
	fieldSaying    = 13
)

// encoder writes fields; values that are not said are left out.
type encoder struct{ b []byte }

func (e *encoder) text(n protowire.Number, s string) {
	if s != "" {
		e.b = protowire.AppendString(protowire.AppendTag(e.b, n, protowire.BytesType), s)
	}
}

func (e *encoder) bytes(n protowire.Number, b []byte) {
	if len(b) > 0 {
		e.b = protowire.AppendBytes(protowire.AppendTag(e.b, n, protowire.BytesType), b)
	}
}

func (e *encoder) fixed(n protowire.Number, v uint64) {
	e.b = protowire.AppendFixed64(protowire.AppendTag(e.b, n, protowire.Fixed64Type), v)
}

func (e *encoder) varint(n protowire.Number, v int64) {
	e.b = protowire.AppendVarint(protowire.AppendTag(e.b, n, protowire.VarintType), protowire.EncodeZigZag(v))
}

func (e *encoder) float(n protowire.Number, f float64) { e.fixed(n, math.Float64bits(f)) }

func (e *encoder) optFloat(n protowire.Number, f nhip.Opt[float64]) {
	if v, ok := f.Get(); ok {
		e.float(n, v)
	}
}

func (e *encoder) optInt(n protowire.Number, i nhip.Opt[int]) {
	if v, ok := i.Get(); ok {
		e.varint(n, int64(v))
	}
}

func (e *encoder) flag(n protowire.Number, b bool) {
	if b {
		e.varint(n, 1)
	}
}

func (e *encoder) optFlag(n protowire.Number, b nhip.Opt[bool]) {
	if v, ok := b.Get(); ok && v {
		e.varint(n, 1)
	} else if ok {
		e.varint(n, 0)
	}
}

func (e *encoder) point(lon, lat protowire.Number, p nhip.Opt[orb.Point]) {
	if v, ok := p.Get(); ok {
		e.float(lon, v.Lon())
		e.float(lat, v.Lat())
	}
}

// message writes a nested message and returns the length of its content. That is not known beforehand and
// nearly always fits one byte, so one is left free and the content is moved in the rare other case.
func (e *encoder) message(n protowire.Number, content func()) (size int) {
	e.b = protowire.AppendTag(e.b, n, protowire.BytesType)
	start := len(e.b)
	e.b = append(e.b, 0)
	content()
	size = len(e.b) - start - 1
	if size < 0x80 {
		e.b[start] = byte(size)
		return size
	}
	extra := protowire.SizeVarint(uint64(size)) - 1
	e.b = append(e.b, make([]byte, extra)...)
	copy(e.b[start+1+extra:], e.b[start+1:start+1+size])
	protowire.AppendVarint(e.b[start:start], uint64(size))
	return size
}

// appendRecord encodes an outcome.
func appendRecord(dst []byte, o *outcome) []byte {
	e := encoder{dst}
	e.varint(fieldReceived, o.received.UnixMilli())
	o.packed = o.packed[:0]
	for i := range o.facts.Positions {
		size := e.message(fieldPosition, func() { e.position(&o.facts.Positions[i]) })
		o.packed = append(o.packed, e.b[len(e.b)-size:]) // stays what it is, also where the record moves on
	}
	for i := range o.facts.Readings {
		e.message(fieldReading, func() { e.reading(&o.facts.Readings[i]) })
	}
	for i := range o.facts.Sayings {
		e.bytes(fieldSaying, encodeState(&o.facts.Sayings[i]))
	}
	if o.facts.Undated {
		e.fixed(fieldSaidAs, o.saidAs)
	}
	if len(o.rejections) > 0 {
		e.turnedAway(o)
	}
	for _, id := range o.replayOf {
		e.text(fieldReplayOf, id)
	}
	if o.resubmit != nil {
		e.message(fieldResubmit, func() { e.refusal(o.resubmit) })
	}
	return e.b
}

func (e *encoder) turnedAway(o *outcome) {
	for i := range o.rejections {
		e.message(fieldRejection, func() { e.rejection(&o.rejections[i]) })
	}
	e.text(fieldTopic, o.topic)
	e.text(fieldDecoder, o.decoder)
	e.flag(fieldUnkept, o.unkept)
	if o.unkept {
		return
	}
	e.bytes(fieldPayload, o.payload)
	if o.skipped > 0 {
		e.varint(fieldSkipped, int64(o.skipped))
	}
}

func (e *encoder) position(p *nhip.Position) {
	e.text(1, p.Agency)
	e.text(2, p.Vehicle)
	e.text(3, p.Event)
	e.varint(4, p.Time.UnixMilli())
	e.point(5, 6, p.Point)
	e.optFloat(7, p.Speed)
	e.optFloat(8, p.Bearing)
	e.text(9, p.Route)
	e.text(10, p.Line)
	e.text(11, p.Trip)
	e.text(12, p.Headsign)
	e.optInt(13, p.Direction)
	e.text(14, p.StartDate)
	e.text(15, p.StartTime)
	e.text(16, p.NextStop)
	e.text(17, string(p.Occupancy))
	e.optInt(18, p.Delay)
	e.optFloat(19, p.Odometer)
	e.optFlag(20, p.DoorsOpen)
	e.flag(21, p.Deadrun)
	e.text(22, string(p.Origin))
	e.text(23, p.Stop)
	e.flag(24, p.Estimated)
	e.optInt(25, p.Passengers)
	e.optInt(26, p.Boarded)
	e.optInt(27, p.Alighted)
}

func (e *encoder) reading(r *nhip.Reading) {
	e.text(1, r.Station)
	e.text(2, string(r.Quantity))
	e.varint(3, r.Time.UnixMilli())
	e.varint(4, int64(r.Period/time.Millisecond))
	e.float(5, r.Value)
	e.varint(6, int64(r.Flag))
	e.point(7, 8, r.Point)
	e.text(9, string(r.Origin))
	if both, ok := r.Channels.Get(); ok {
		e.float(10, both[0])
		e.float(11, both[1])
	}
}

func (e *encoder) rejection(r *rejection) {
	e.text(1, string(r.err.Code))
	e.text(2, r.err.Field)
	e.text(3, r.err.Rule)
	e.varint(4, int64(r.rows))
	e.text(5, r.device)
	if !r.time.IsZero() {
		e.varint(6, r.time.UnixMilli())
	}
}

func (e *encoder) refusal(r *refusal) {
	e.text(1, r.line)
	e.text(2, r.device)
	e.varint(3, r.hour)
	e.flag(4, r.revised)
}
