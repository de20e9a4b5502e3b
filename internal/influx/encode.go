package influx

import (
	"time"

	"nhip"
)

// AppendPosition appends p as one line of line protocol, newline included, and returns the longer
// slice. received is when p reached the first hop of ours. Numbers that are none (NaN, infinite)
// are left out, since they would cost the whole row.
func AppendPosition(dst []byte, p *nhip.Position, received time.Time) []byte {
	return appendPosition(append(dst, PositionMeasurement...), p, received, 0)
}

// AppendPositionRevision appends p as what was said second, third … of one moment: n is 1 for the
// second. It stands beside the first, in a measurement of its own.
func AppendPositionRevision(dst []byte, p *nhip.Position, received time.Time, n int) []byte {
	return appendPosition(append(dst, PositionRevision...), p, received, n)
}

// appendPosition appends all but the measurement.
func appendPosition(dst []byte, p *nhip.Position, received time.Time, revision int) []byte {
	// Tags in the order of their names, which spares InfluxDB the sorting.
	dst = appendTag(dst, colAgency, p.Agency)
	dst = appendTag(dst, colEvent, p.Event)
	dst = appendRevision(dst, revision)
	dst = appendTag(dst, colRoute, p.Route)
	dst = appendTag(dst, colVehicle, p.Vehicle)
	dst = appendReceived(dst, received)
	if pt, ok := p.Point.Get(); ok {
		dst = appendFloat(dst, colLat, pt.Lat())
		dst = appendFloat(dst, colLon, pt.Lon())
	}
	dst = appendOptFloat(dst, colSpeed, p.Speed)
	dst = appendOptFloat(dst, colBearing, p.Bearing)
	dst = appendOptFloat(dst, colOdometer, p.Odometer)
	dst = appendOptInt(dst, colDirection, p.Direction)
	dst = appendOptInt(dst, colDelay, p.Delay)
	dst = appendOptInt(dst, colPassengers, p.Passengers)
	dst = appendOptInt(dst, colBoarded, p.Boarded)
	dst = appendOptInt(dst, colAlighted, p.Alighted)
	dst = appendText(dst, colLine, p.Line)
	dst = appendText(dst, colTrip, p.Trip)
	dst = appendText(dst, colHeadsign, p.Headsign)
	dst = appendText(dst, colStartDate, p.StartDate)
	dst = appendText(dst, colStartTime, p.StartTime)
	dst = appendText(dst, colNextStop, p.NextStop)
	dst = appendText(dst, colStop, p.Stop)
	dst = appendText(dst, colOccupancy, string(p.Occupancy))
	dst = appendText(dst, colOrigin, string(p.Origin))
	if open, ok := p.DoorsOpen.Get(); ok {
		dst = appendBool(dst, colDoorsOpen, open)
	}
	if p.Estimated {
		dst = appendBool(dst, colEstimated, true)
	}
	if p.Deadrun {
		dst = appendBool(dst, colDeadrun, true)
	}
	return appendTime(dst, p.Time)
}

// AppendReading appends r as one line of line protocol, newline included, and returns the longer
// slice. received is when r reached the first hop of ours.
func AppendReading(dst []byte, r *nhip.Reading, received time.Time) []byte {
	return appendReading(append(dst, ReadingMeasurement...), r, received, 0)
}

// AppendReadingRevision is to AppendReading what AppendPositionRevision is to AppendPosition.
func AppendReadingRevision(dst []byte, r *nhip.Reading, received time.Time, n int) []byte {
	return appendReading(append(dst, ReadingRevision...), r, received, n)
}

func appendReading(dst []byte, r *nhip.Reading, received time.Time, revision int) []byte {
	dst = appendPeriod(dst, r.Period)
	dst = appendTag(dst, colQuantity, string(r.Quantity))
	dst = appendRevision(dst, revision)
	dst = appendTag(dst, colStation, r.Station)
	dst = appendReceived(dst, received)
	dst = appendFloat(dst, colValue, r.Value)
	dst = appendInt(dst, colFlag, int64(r.Flag))
	if both, ok := r.Channels.Get(); ok {
		dst = appendFloat(dst, colChannelA, both[0])
		dst = appendFloat(dst, colChannelB, both[1])
	}
	if pt, ok := r.Point.Get(); ok {
		dst = appendFloat(dst, colLat, pt.Lat())
		dst = appendFloat(dst, colLon, pt.Lon())
	}
	dst = appendText(dst, colOrigin, string(r.Origin))
	return appendTime(dst, r.Time)
}
