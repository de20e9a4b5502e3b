package influx

import (
	"cmp"
	"context"
	"slices"
	"strings"
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
	positionAgency // only of rows that are not grouped
	positionVehicle
)

var positionColumns = columnsOf(positionSchema(), colLat, colLon, colRoute, colLine, colTrip, colHeadsign, colStartDate,
	colStartTime, colNextStop, colStop, colOccupancy, colOrigin, colEstimated, colSpeed, colBearing, colDirection,
	colPassengers, colDelay, colReportedRoute)

var ungroupedPositionColumns = append(slices.Clip(positionColumns),
	columnsOf(positionSchema(), colAgency, colVehicle)...)

// DayPositions calls yield for each location that a vehicle of some agencies reported, in order of time, then of agency
// and vehicle. Errors are those of Readings.
func (h History) DayPositions(ctx context.Context, q TravelQuery, yield func(nhip.Position) error) error {
	if err := checkInterval(q.From, q.To); err != nil {
		return err
	}
	s := &Selection{
		Measurement: PositionMeasurement, Columns: ungroupedPositionColumns, From: after(q.From), To: after(q.To),
		Where: q.where(where(colEvent, nhip.EventPosition)),
	}
	group := timeGroup[nhip.Position]{
		compare: func(a, b *nhip.Position) int {
			return cmp.Or(strings.Compare(a.Agency, b.Agency), strings.Compare(a.Vehicle, b.Vehicle))
		},
		yield: func(p *nhip.Position) error { return yield(*p) },
	}
	err := h.Source.Select(ctx, s, func(row *Row) error {
		p := positionOf(row)
		p.Agency, p.Vehicle = row.TagText(positionAgency), row.TagText(positionVehicle)
		return group.add(row.Time, &p)
	})
	if err != nil {
		return err
	}
	return group.flush()
}

// Fleet calls yield with the last position of each vehicle that reported its location after from and up to to,
// inclusive. Only that report's columns are set: values of earlier reports are not carried over. Errors are those of
// Readings.
func (h History) Fleet(ctx context.Context, from, to time.Time, yield func(nhip.Position) error) error {
	if err := checkInterval(from, to); err != nil {
		return err
	}
	return h.Source.Select(ctx, fleetSelection(from, to), func(row *Row) error {
		p := positionOf(row)
		p.Agency, p.Vehicle = tagText(row.Tags[0]), tagText(row.Tags[1])
		return yield(p)
	})
}

func fleetSelection(from, to time.Time) *Selection {
	return &Selection{
		Measurement: PositionMeasurement, Columns: positionColumns, From: after(from), To: after(to),
		Where:    []TagCondition{where(colEvent, nhip.EventPosition)},
		Function: Last, GroupBy: []string{colAgency, colVehicle},
	}
}

// positionOf reads a position, but its agency and vehicle, from a row. Missing columns give unknown values.
func positionOf(row *Row) nhip.Position {
	route := row.TagText(positionRoute)
	if route == "" {
		route = row.Text(positionReportedRoute)
	}
	return nhip.Position{
		Event: nhip.EventPosition, Time: row.At(),
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
