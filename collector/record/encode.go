package record

import (
	"encoding/json"
	"math"
	"time"

	"nhip"

	"github.com/paulmach/orb"
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of a record in the protocol buffers wire format, which lets a newer version read an old journal.
// A number must never be reused for another field.
const (
	fieldReceived      = 1
	fieldPosition      = 2
	fieldReading       = 3
	fieldRejection     = 4
	fieldTopic         = 5
	fieldPayload       = 6
	fieldDecoder       = 7
	fieldPayloadHash   = 8
	fieldLetterDropped = 9
	fieldDroppedBefore = 10
	fieldReplayOf      = 11
	fieldResubmission  = 12
	fieldUserAction    = 13
	fieldService       = 14
)

// encoder appends fields to b. Empty and absent values are omitted.
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

// message writes a nested message and returns the length of its content. The length is not known in advance but
// nearly always fits in one byte: one byte is reserved for it, and longer content is moved.
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

// Append appends the encoded outcome to dst. It sets o.PackedPositions.
func Append(dst []byte, o *Outcome) []byte {
	e := encoder{dst}
	e.varint(fieldReceived, o.Received.UnixMilli())
	o.PackedPositions = o.PackedPositions[:0]
	for i := range o.Facts.Positions {
		size := e.message(fieldPosition, func() { e.position(&o.Facts.Positions[i]) })
		o.PackedPositions = append(o.PackedPositions, e.b[len(e.b)-size:]) // remains valid if append reallocates e.b
	}
	for i := range o.Facts.Readings {
		e.message(fieldReading, func() { e.reading(&o.Facts.Readings[i]) })
	}
	for i := range o.Facts.UserActions {
		e.userAction(&o.Facts.UserActions[i])
	}
	if r := o.Facts.Service; r != nil {
		e.message(fieldService, func() { e.report(r) })
	}
	if o.Facts.Undated {
		e.fixed(fieldPayloadHash, o.PayloadHash)
	}
	if len(o.Rejections) > 0 {
		e.rejections(o)
	}
	for _, id := range o.ReplayOf {
		e.text(fieldReplayOf, id)
	}
	if o.Resubmission != nil {
		e.message(fieldResubmission, func() { e.rejectedRow(o.Resubmission) })
	}
	return e.b
}

func (e *encoder) rejections(o *Outcome) {
	for i := range o.Rejections {
		e.message(fieldRejection, func() { e.rejection(&o.Rejections[i]) })
	}
	e.text(fieldTopic, o.Topic)
	e.text(fieldDecoder, o.Decoder)
	e.flag(fieldLetterDropped, o.LetterDropped)
	if o.LetterDropped {
		return
	}
	e.bytes(fieldPayload, o.Payload)
	if o.DroppedBefore > 0 {
		e.varint(fieldDroppedBefore, int64(o.DroppedBefore))
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
	e.flag(28, p.Resolved)
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

func (e *encoder) userAction(a *nhip.UserAction) {
	raw, err := json.Marshal(a)
	if err != nil {
		panic("a user action can't be encoded: " + err.Error()) // validated actions hold only valid JSON values
	}
	e.bytes(fieldUserAction, raw)
}

// report encodes a service report. Its times are relative to it, which takes a third of the bytes.
func (e *encoder) report(r *nhip.ServiceReport) {
	e.text(1, r.Feed)
	e.text(2, r.Agency)
	e.varint(3, r.Time.UnixMilli())
	e.flag(4, r.Differential)
	for _, id := range r.Deleted {
		e.text(5, id)
	}
	for i := range r.Trips {
		e.message(6, func() { e.trip(&r.Trips[i], r.Time) })
	}
	for i := range r.Alerts {
		raw, err := json.Marshal(&r.Alerts[i])
		if err != nil {
			panic("a service alert can't be encoded: " + err.Error()) // it holds only texts, times and numbers
		}
		e.bytes(7, raw)
	}
	e.text(8, string(r.Predictions))
}

// AppendTrip appends an update as it is in a record of the time 0, without its feed.
func AppendTrip(dst []byte, u *nhip.TripUpdate) []byte {
	e := encoder{dst}
	e.trip(u, time.Unix(0, 0))
	return e.b
}

func (e *encoder) trip(u *nhip.TripUpdate, made time.Time) {
	e.text(1, u.Entity)
	if !u.Time.IsZero() {
		e.varint(2, u.Time.UnixMilli()-made.UnixMilli())
	}
	e.text(3, u.Trip)
	e.text(4, u.Route)
	e.optInt(5, u.Direction)
	e.text(6, u.StartDate)
	e.text(7, u.StartTime)
	e.text(8, string(u.Relationship))
	e.text(9, u.Vehicle)
	e.text(10, u.Headsign)
	e.optInt(11, u.Delay)
	e.text(12, u.NewTrip)
	e.text(13, u.NewDate)
	e.text(14, u.NewStart)
	for i := range u.Stops {
		e.message(15, func() { e.stop(&u.Stops[i], made) })
	}
}

func (e *encoder) stop(s *nhip.StopUpdate, made time.Time) {
	e.optInt(1, s.Sequence)
	e.text(2, s.Stop)
	e.text(3, s.Assigned)
	e.text(4, string(s.Relationship))
	if at, ok := s.Arrival.Get(); ok {
		e.varint(5, at-made.Unix())
	}
	e.optInt(6, s.ArrivalDelay)
	if at, ok := s.Departure.Get(); ok {
		e.varint(7, at-made.Unix())
	}
	e.optInt(8, s.DepartureDelay)
}

func (e *encoder) rejection(r *Rejection) {
	e.text(1, string(r.Err.Code))
	e.text(2, r.Err.Field)
	e.text(3, r.Err.Rule)
	e.varint(4, int64(r.Rows))
	e.text(5, r.Device)
	if !r.Time.IsZero() {
		e.varint(6, r.Time.UnixMilli())
	}
}

func (e *encoder) rejectedRow(r *RejectedRow) {
	e.text(1, r.Line)
	e.text(2, r.Device)
	e.varint(3, r.Hour)
	e.flag(4, r.Revised)
}
