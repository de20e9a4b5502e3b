package influx

import (
	"cmp"
	"context"
	"strings"
	"time"

	"nhip"
)

// AppendArrival appends a as one line of line protocol, including the newline, and returns the extended slice.
func AppendArrival(dst []byte, a *nhip.Arrival) []byte {
	dst = append(dst, ArrivalMeasurement...)
	dst = appendTag(dst, colAgency, a.Agency)
	dst = appendTag(dst, colRoute, a.Route)
	dst = appendTag(dst, colVehicle, a.Vehicle)
	dst = appendReceived(dst, a.Time)
	dst = appendOptInt(dst, colDelay, a.Delay)
	if !a.Departed.IsZero() {
		dst = appendInt(dst, colDeparted, a.Departed.UnixMilli())
	}
	dst = appendInt(dst, colIndex, int64(a.Index))
	if a.Inferred {
		dst = appendBool(dst, colInferred, true)
	}
	dst = appendText(dst, colOrigin, string(a.Origin))
	dst = appendText(dst, colPattern, a.Pattern)
	dst = appendText(dst, colStartDate, a.StartDate)
	dst = appendText(dst, colStartTime, a.StartTime)
	dst = appendText(dst, colStop, a.Stop)
	dst = appendText(dst, colTrip, a.Trip)
	return appendTime(dst, a.Time)
}

// The columns of an arrival, as arrivalOf expects them.
const (
	arrivalAgency = iota
	arrivalVehicle
	arrivalRoute
	arrivalPattern
	arrivalTrip
	arrivalStartDate
	arrivalStartTime
	arrivalStop
	arrivalOrigin
	arrivalDeparted
	arrivalIndex
	arrivalDelay
	arrivalInferred
)

var arrivalColumns = columnsOf(arrivalSchema(), colAgency, colVehicle, colRoute, colPattern, colTrip, colStartDate,
	colStartTime, colStop, colOrigin, colDeparted, colIndex, colDelay, colInferred)

// TravelQuery selects what happened in a span.
type TravelQuery struct {
	From, To time.Time // exclusive, inclusive
	Agencies []string  // none: all
}

// where returns the conditions of the agencies, and others.
func (q *TravelQuery) where(others ...TagCondition) []TagCondition {
	if len(q.Agencies) == 0 {
		return others
	}
	return append(others, where(colAgency, q.Agencies...))
}

// Arrivals calls yield for each arrival after from and up to to, inclusive, in order of time, then of agency, vehicle
// and index. Errors are those of Readings.
func (h History) Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error {
	return h.DayArrivals(ctx, TravelQuery{From: from, To: to}, yield)
}

// DayArrivals is Arrivals of some agencies.
func (h History) DayArrivals(ctx context.Context, q TravelQuery, yield func(nhip.Arrival) error) error {
	if err := checkInterval(q.From, q.To); err != nil {
		return err
	}
	s := &Selection{
		Measurement: ArrivalMeasurement, Columns: arrivalColumns, From: after(q.From), To: after(q.To), Where: q.where(),
	}
	group := timeGroup[nhip.Arrival]{compare: compareArrivals, yield: func(a *nhip.Arrival) error { return yield(*a) }}
	err := h.Source.Select(ctx, s, func(row *Row) error {
		a := arrivalOf(row)
		return group.add(row.Time, &a)
	})
	if err != nil {
		return err
	}
	return group.flush()
}

// CountTravels returns the number of arrivals, or of rows of positions, in a span. Errors are those of Readings.
func (h History) CountTravels(ctx context.Context, measurement string, q TravelQuery) (int, error) {
	if err := checkInterval(q.From, q.To); err != nil {
		return 0, err
	}
	return h.count(ctx, &Selection{
		Measurement: measurement, Columns: receivedColumn, From: after(q.From), To: after(q.To), Where: q.where(),
		Function: Count,
	})
}

func compareArrivals(a, b *nhip.Arrival) int {
	return cmp.Or(strings.Compare(a.Agency, b.Agency), strings.Compare(a.Vehicle, b.Vehicle),
		cmp.Compare(a.Index, b.Index))
}

// arrivalOf reads an arrival from a row. Missing columns give zero values.
func arrivalOf(row *Row) nhip.Arrival {
	a := nhip.Arrival{
		Agency: row.TagText(arrivalAgency), Vehicle: row.TagText(arrivalVehicle), Route: row.TagText(arrivalRoute),
		Time: row.At(), Pattern: row.Text(arrivalPattern), Trip: row.Text(arrivalTrip),
		StartDate: row.Text(arrivalStartDate), StartTime: row.Text(arrivalStartTime), Stop: row.Text(arrivalStop),
		Origin: nhip.Origin(row.Text(arrivalOrigin)), Index: intOf(row, arrivalIndex).Or(0),
		Delay: intOf(row, arrivalDelay), Inferred: row.Bool(arrivalInferred),
	}
	if ms, ok := row.Int(arrivalDeparted); ok {
		a.Departed = time.UnixMilli(ms).UTC()
	}
	return a
}
