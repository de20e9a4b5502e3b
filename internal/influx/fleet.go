package influx

import (
	"context"
	"time"

	"nhip"
)

// The columns of a position, as positionOf expects them.
const (
	positionLat = iota
	positionLon
	positionRoute
	positionLine
	positionTrip
	positionHeadsign
	positionStartDate
	positionStartTime
	positionNextStop
	positionStop
	positionOccupancy
	positionOrigin
	positionEstimated
	positionSpeed
	positionBearing
	positionDirection
	positionPassengers
	positionDelay
	positionReportedRoute
)

var positionColumns = columnsOf(positionSchema(), colLat, colLon, colRoute, colLine, colTrip, colHeadsign, colStartDate,
	colStartTime, colNextStop, colStop, colOccupancy, colOrigin, colEstimated, colSpeed, colBearing, colDirection,
	colPassengers, colDelay, colReportedRoute)

// Fleet calls yield with the last position of each vehicle that reported its location after from and up to to,
// inclusive. Only that report's columns are set: values of earlier reports are not carried over. Errors are those of
// Readings.
func (h History) Fleet(ctx context.Context, from, to time.Time, yield func(nhip.Position) error) error {
	if err := checkInterval(from, to); err != nil {
		return err
	}
	return h.Source.Select(ctx, fleetSelection(from, to), func(row *Row) error { return yield(positionOf(row)) })
}

func fleetSelection(from, to time.Time) *Selection {
	return &Selection{
		Measurement: PositionMeasurement, Columns: positionColumns, From: after(from), To: after(to),
		Where:    []TagCondition{where(colEvent, nhip.EventPosition)},
		Function: Last, GroupBy: []string{colAgency, colVehicle},
	}
}

// positionOf reads a position from a row that is grouped by agency and vehicle. Missing columns give unknown values.
func positionOf(row *Row) nhip.Position {
	route := row.TagText(positionRoute)
	if route == "" {
		route = row.Text(positionReportedRoute)
	}
	return nhip.Position{
		Agency: tagText(row.Tags[0]), Vehicle: tagText(row.Tags[1]), Event: nhip.EventPosition, Time: row.At(),
		Point: pointOf(row, positionLat, positionLon), Route: route, Line: row.Text(positionLine),
		Trip: row.Text(positionTrip), Headsign: row.Text(positionHeadsign), StartDate: row.Text(positionStartDate),
		StartTime: row.Text(positionStartTime), NextStop: row.Text(positionNextStop), Stop: row.Text(positionStop),
		Occupancy: nhip.Occupancy(row.Text(positionOccupancy)), Origin: nhip.Origin(row.Text(positionOrigin)),
		Estimated: row.Bool(positionEstimated), Speed: floatOf(row, positionSpeed), Bearing: floatOf(row, positionBearing),
		Direction: intOf(row, positionDirection), Passengers: intOf(row, positionPassengers),
		Delay: intOf(row, positionDelay),
	}
}

func floatOf(row *Row, i int) (v nhip.Opt[float64]) {
	if f, ok := row.Float(i); ok {
		v = nhip.Some(f)
	}
	return v
}

func intOf(row *Row, i int) (v nhip.Opt[int]) {
	if n, ok := row.Int(i); ok {
		v = nhip.Some(int(n))
	}
	return v
}
