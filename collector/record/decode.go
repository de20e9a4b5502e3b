package record

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

// errUnreadable reports a record that is not an encoded outcome. The journal verifies checksums, so the record was
// written by a newer version or by a faulty build.
var errUnreadable = errors.New("invalid or unknown format of a journal record")

// fieldValue is one encoded field of a record.
type fieldValue struct {
	n     protowire.Number
	bytes []byte
	num   uint64
}

func (v fieldValue) int() int64     { return protowire.DecodeZigZag(v.num) }
func (v fieldValue) float() float64 { return math.Float64frombits(v.num) }
func (v fieldValue) text() string   { return string(v.bytes) }
func (v fieldValue) time() time.Time {
	return time.UnixMilli(v.int()).UTC()
}

// eachField calls f for each field in b, in order.
func eachField(b []byte, f func(fieldValue) error) error {
	for len(b) > 0 {
		n, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return errUnreadable
		}
		b = b[size:]
		v := fieldValue{n: n}
		switch typ {
		case protowire.VarintType:
			v.num, size = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			v.num, size = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			v.bytes, size = protowire.ConsumeBytes(b)
		default:
			return errUnreadable
		}
		if size < 0 {
			return errUnreadable
		}
		b = b[size:]
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

// Read resets o and decodes b into it. Payload and PackedPositions share b's memory; strings are copies.
func Read(b []byte, o *Outcome) error {
	o.Reset()
	return eachField(b, func(v fieldValue) error {
		switch v.n {
		case fieldReceived:
			o.Received = v.time()
		case fieldPosition:
			o.Facts.Positions = append(o.Facts.Positions, nhip.Position{})
			o.PositionHashes = append(o.PositionHashes, xxhash.Sum64(v.bytes))
			o.PackedPositions = append(o.PackedPositions, v.bytes)
			return ReadPosition(v.bytes, &o.Facts.Positions[len(o.Facts.Positions)-1])
		case fieldReading:
			o.Facts.Readings = append(o.Facts.Readings, nhip.Reading{})
			o.ReadingHashes = append(o.ReadingHashes, xxhash.Sum64(v.bytes))
			return readReading(v.bytes, &o.Facts.Readings[len(o.Facts.Readings)-1])
		case fieldUserAction:
			o.UserActionHashes = append(o.UserActionHashes, xxhash.Sum64(v.bytes))
			o.Facts.UserActions = append(o.Facts.UserActions, nhip.UserAction{})
			return readUserAction(v.bytes, &o.Facts.UserActions[len(o.Facts.UserActions)-1])
		case fieldService:
			o.Facts.Service = new(nhip.ServiceReport)
			return readReport(v.bytes, o.Facts.Service)
		case fieldPayloadHash:
			o.Facts.Undated, o.PayloadHash = true, v.num
		case fieldRejection:
			o.Rejections = append(o.Rejections, Rejection{})
			return readRejection(v.bytes, &o.Rejections[len(o.Rejections)-1])
		case fieldTopic:
			o.Topic = v.text()
		case fieldPayload:
			o.Payload = v.bytes
		case fieldDecoder:
			o.Decoder = v.text()
		case fieldLetterDropped:
			o.LetterDropped = v.int() != 0
		case fieldDroppedBefore:
			o.DroppedBefore = int(v.int())
		case fieldReplayOf:
			o.ReplayOf = append(o.ReplayOf, v.text())
		case fieldResubmission:
			o.Resubmission = new(RejectedRow)
			return readRejectedRow(v.bytes, o.Resubmission)
		}
		return nil
	})
}

// ReadPosition decodes one element of Outcome.PackedPositions into p. It sets only the fields that b contains.
func ReadPosition(b []byte, p *nhip.Position) error {
	var point orb.Point
	return eachField(b, func(v fieldValue) error {
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
		case 28:
			p.Resolved = v.int() != 0
		}
		return nil
	})
}

func readReading(b []byte, r *nhip.Reading) error {
	var point orb.Point
	var channels [2]float64
	return eachField(b, func(v fieldValue) error {
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

func readUserAction(b []byte, s *nhip.UserAction) error {
	err := json.Unmarshal(b, s)
	document := s.Document != nil && s.Actor != nil
	if err != nil || s.Review == nil && s.Ack == nil && !document {
		return errUnreadable
	}
	return nil
}

func readReport(b []byte, r *nhip.ServiceReport) error {
	return eachField(b, func(v fieldValue) error {
		switch v.n {
		case 1:
			r.Feed = v.text()
		case 2:
			r.Agency = v.text()
		case 3:
			r.Time = v.time()
		case 4:
			r.Differential = v.int() != 0
		case 5:
			r.Deleted = append(r.Deleted, v.text())
		case 6:
			r.Trips = append(r.Trips, nhip.TripUpdate{Feed: r.Feed, Agency: r.Agency})
			return readTrip(v.bytes, &r.Trips[len(r.Trips)-1], r.Time)
		case 7:
			var a nhip.ServiceAlert
			if json.Unmarshal(v.bytes, &a) != nil {
				return errUnreadable
			}
			r.Alerts = append(r.Alerts, a)
		case 8:
			r.Predictions = nhip.Predictions(v.text())
		}
		return nil
	})
}

func readTrip(b []byte, u *nhip.TripUpdate, made time.Time) error {
	return eachField(b, func(v fieldValue) error {
		switch v.n {
		case 1:
			u.Entity = v.text()
		case 2:
			u.Time = time.UnixMilli(made.UnixMilli() + v.int()).UTC()
		case 3:
			u.Trip = v.text()
		case 4:
			u.Route = v.text()
		case 5:
			u.Direction = nhip.Some(int(v.int()))
		case 6:
			u.StartDate = v.text()
		case 7:
			u.StartTime = v.text()
		case 8:
			u.Relationship = nhip.TripRelationship(v.text())
		case 9:
			u.Vehicle = v.text()
		case 10:
			u.Headsign = v.text()
		case 11:
			u.Delay = nhip.Some(int(v.int()))
		case 12:
			u.NewTrip = v.text()
		case 13:
			u.NewDate = v.text()
		case 14:
			u.NewStart = v.text()
		case 15:
			u.Stops = append(u.Stops, nhip.StopUpdate{})
			return readStop(v.bytes, &u.Stops[len(u.Stops)-1], made)
		}
		return nil
	})
}

func readStop(b []byte, s *nhip.StopUpdate, made time.Time) error {
	return eachField(b, func(v fieldValue) error {
		switch v.n {
		case 1:
			s.Sequence = nhip.Some(int(v.int()))
		case 2:
			s.Stop = v.text()
		case 3:
			s.Assigned = v.text()
		case 4:
			s.Relationship = nhip.StopRelationship(v.text())
		case 5:
			s.Arrival = nhip.Some(made.Unix() + v.int())
		case 6:
			s.ArrivalDelay = nhip.Some(int(v.int()))
		case 7:
			s.Departure = nhip.Some(made.Unix() + v.int())
		case 8:
			s.DepartureDelay = nhip.Some(int(v.int()))
		}
		return nil
	})
}

func readRejection(b []byte, r *Rejection) error {
	return eachField(b, func(v fieldValue) error {
		switch v.n {
		case 1:
			r.Err.Code = nhip.Code(v.text())
		case 2:
			r.Err.Field = v.text()
		case 3:
			r.Err.Rule = v.text()
		case 4:
			r.Rows = int(v.int())
		case 5:
			r.Device = v.text()
		case 6:
			r.Time = v.time()
		}
		return nil
	})
}

func readRejectedRow(b []byte, r *RejectedRow) error {
	return eachField(b, func(v fieldValue) error {
		switch v.n {
		case 1:
			r.Line = v.text()
		case 2:
			r.Device = v.text()
		case 3:
			r.Hour = v.int()
		case 4:
			r.Revised = v.int() != 0
		}
		return nil
	})
}
