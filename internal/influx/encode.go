package influx

import (
	"time"

	"nhip"
)

// AppendPosition appends p as one line of line protocol, including the newline, and returns the extended slice. The
// timetable knows the route of p. received is the time when p reached the platform. NaN and infinite numbers are left
// out, because InfluxDB would reject the whole row.
func AppendPosition(dst []byte, p *nhip.Position, received time.Time) []byte {
	return AppendPositionRow(dst, p, received, PositionRow{})
}

// AppendPositionRevision appends p as revision n of a position: the device has sent another content with the same time
// before. n is 1 for the first revision. Revisions are in a measurement of their own.
func AppendPositionRevision(dst []byte, p *nhip.Position, received time.Time, n int) []byte {
	return AppendPositionRow(dst, p, received, PositionRow{Revision: n})
}

// PositionRow states how a position is stored.
type PositionRow struct {
	Revision int // 0: the first content of the time
	// no timetable confirms the route: it is stored as a field, because a tag makes a series of each value
	UnknownRoute bool
}

// AppendPositionRow appends p as AppendPosition and AppendPositionRevision do.
func AppendPositionRow(dst []byte, p *nhip.Position, received time.Time, row PositionRow) []byte {
	measurement, revision := PositionMeasurement, row.Revision
	if revision > 0 {
		measurement = PositionRevision
	}
	known, reported := p.Route, ""
	if row.UnknownRoute {
		known, reported = "", p.Route
	}
	dst = append(dst, measurement...)
	// Tags are in alphabetical order, so that InfluxDB need not sort them.
	dst = appendTag(dst, colAgency, p.Agency)
	dst = appendTag(dst, colEvent, p.Event)
	dst = appendRevision(dst, revision)
	dst = appendTag(dst, colRoute, known)
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
	dst = appendText(dst, colReportedRoute, reported)
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

// AppendReading appends r as one line of line protocol, including the newline, and returns the extended slice. received
// is the time when r reached the platform.
func AppendReading(dst []byte, r *nhip.Reading, received time.Time) []byte {
	return appendReading(append(dst, ReadingMeasurement...), r, received, 0)
}

// AppendReadingRevision appends r as revision n of a reading, as AppendPositionRevision does for a position.
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
