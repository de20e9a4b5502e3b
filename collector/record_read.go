package collector

import (
	"encoding/json"
	"errors"
	"math"
	"time"

	"nhip"

	"github.com/cespare/xxhash/v2"
	"github.com/paulmach/orb"
	"google.golang.org/protobuf/encoding/protowire"
)

// errRecord is a journal record that is no outcome. The journal's checksums make it all but
// impossible; it would be a version that is newer than this program, or a fault of ours.
var errRecord = errors.New("the journal holds a record that this version can't read")

// value is one field of a record as it stands on the wire.
type value struct {
	n     protowire.Number
	bytes []byte
	num   uint64
}

func (v value) int() int64     { return protowire.DecodeZigZag(v.num) }
func (v value) float() float64 { return math.Float64frombits(v.num) }
func (v value) text() string   { return string(v.bytes) }
func (v value) time() time.Time {
	return time.UnixMilli(v.int()).UTC()
}

// eachField calls f for each field in b.
func eachField(b []byte, f func(value) error) error {
	for len(b) > 0 {
		n, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errRecord
		}
		b = b[size:]
		v := value{n: n}
		switch typ {
		case protowire.VarintType:
			v.num, size = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v.num, size = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.bytes, size = protowire.ConsumeBytes(b)
		default:
			return errRecord
		}
		if size < 0 {
			return errRecord
		}
		b = b[size:]
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

// reset empties o and keeps its memory.
func (o *outcome) reset() {
	o.facts.Reset()
	*o = outcome{
		facts: o.facts, rejections: o.rejections[:0],
		positionPrints: o.positionPrints[:0], readingPrints: o.readingPrints[:0], sayingPrints: o.sayingPrints[:0], packed: o.packed[:0],
	}
}

// readRecord decodes b into o, which is emptied first. The payload shares b's memory, texts do not.
func readRecord(b []byte, o *outcome) error {
	o.reset()
	return eachField(b, func(v value) error {
		switch v.n {
		case fieldReceived:
			o.received = v.time()
		case fieldPosition:
			o.facts.Positions = append(o.facts.Positions, nhip.Position{})
			o.positionPrints = append(o.positionPrints, xxhash.Sum64(v.bytes))
			o.packed = append(o.packed, v.bytes)
			return readPosition(v.bytes, &o.facts.Positions[len(o.facts.Positions)-1])
		case fieldReading:
			o.facts.Readings = append(o.facts.Readings, nhip.Reading{})
			o.readingPrints = append(o.readingPrints, xxhash.Sum64(v.bytes))
			return readReading(v.bytes, &o.facts.Readings[len(o.facts.Readings)-1])
		case fieldSaying:
			o.sayingPrints = append(o.sayingPrints, xxhash.Sum64(v.bytes))
			o.facts.Sayings = append(o.facts.Sayings, nhip.Saying{})
			return readSaying(v.bytes, &o.facts.Sayings[len(o.facts.Sayings)-1])
		case fieldSaidAs:
			o.facts.Undated, o.saidAs = true, v.num
		case fieldRejection:
			o.rejections = append(o.rejections, rejection{})
			return readRejection(v.bytes, &o.rejections[len(o.rejections)-1])
		case fieldTopic:
			o.topic = v.text()
		case fieldPayload:
			o.payload = v.bytes
		case fieldDecoder:
			o.decoder = v.text()
		case fieldUnkept:
			o.unkept = v.int() != 0
		case fieldSkipped:
			o.skipped = int(v.int())
		case fieldReplayOf:
			o.replayOf = append(o.replayOf, v.text())
		case fieldResubmit:
			o.resubmit = new(refusal)
			return readRefusal(v.bytes, o.resubmit)
		}
		return nil
	})
}

func readPosition(b []byte, p *nhip.Position) error {
	var point orb.Point
	return eachField(b, func(v value) error {
		switch v.n {
		case 1:
			p.Agency = v.text()
		case 2:
			p.Vehicle = v.text()
		case 3:
			p.Event = v.text()
		case 4:
			p.Time = v.time()
		case 5:
			point[0] = v.float()
		case 6:
			point[1] = v.float()
			p.Point = nhip.Some(point)
		case 7:
			p.Speed = nhip.Some(v.float())
		case 8:
			p.Bearing = nhip.Some(v.float())
		case 9:
			p.Route = v.text()
		case 10:
			p.Line = v.text()
		case 11:
			p.Trip = v.text()
		case 12:
			p.Headsign = v.text()
		case 13:
			p.Direction = nhip.Some(int(v.int()))
		case 14:
			p.StartDate = v.text()
		case 15:
			p.StartTime = v.text()
		case 16:
			p.NextStop = v.text()
		case 17:
			p.Occupancy = nhip.Occupancy(v.text())
		case 18:
			p.Delay = nhip.Some(int(v.int()))
		case 19:
			p.Odometer = nhip.Some(v.float())
		case 20:
			p.DoorsOpen = nhip.Some(v.int() != 0)
		case 21:
			p.Deadrun = v.int() != 0
		case 22:
			p.Origin = nhip.Origin(v.text())
		case 23:
			p.Stop = v.text()
		case 24:
			p.Estimated = v.int() != 0
		case 25:
			p.Passengers = nhip.Some(int(v.int()))
		case 26:
			p.Boarded = nhip.Some(int(v.int()))
		case 27:
			p.Alighted = nhip.Some(int(v.int()))
		}
		return nil
	})
}

func readReading(b []byte, r *nhip.Reading) error {
	var point orb.Point
	var channels [2]float64
	return eachField(b, func(v value) error {
		switch v.n {
		case 1:
			r.Station = v.text()
		case 2:
			r.Quantity = nhip.Quantity(v.text())
		case 3:
			r.Time = v.time()
		case 4:
			r.Period = time.Duration(v.int()) * time.Millisecond
		case 5:
			r.Value = v.float()
		case 6:
			r.Flag = nhip.Flag(v.int())
		case 7:
			point[0] = v.float()
		case 8:
			point[1] = v.float()
			r.Point = nhip.Some(point)
		case 9:
			r.Origin = nhip.Origin(v.text())
		case 10:
			channels[0] = v.float()
		case 11:
			channels[1] = v.float()
			r.Channels = nhip.Some(channels)
		}
		return nil
	})
}

func readSaying(b []byte, s *nhip.Saying) error {
	if err := json.Unmarshal(b, s); err != nil || s.Review == nil && s.Ack == nil {
		return errRecord
	}
	return nil
}

func readRejection(b []byte, r *rejection) error {
	return eachField(b, func(v value) error {
		switch v.n {
		case 1:
			r.err.Code = nhip.Code(v.text())
		case 2:
			r.err.Field = v.text()
		case 3:
			r.err.Rule = v.text()
		case 4:
			r.rows = int(v.int())
		case 5:
			r.device = v.text()
		case 6:
			r.time = v.time()
		}
		return nil
	})
}

func readRefusal(b []byte, r *refusal) error {
	return eachField(b, func(v value) error {
		switch v.n {
		case 1:
			r.line = v.text()
		case 2:
			r.device = v.text()
		case 3:
			r.hour = v.int()
		case 4:
			r.revised = v.int() != 0
		}
		return nil
	})
}
