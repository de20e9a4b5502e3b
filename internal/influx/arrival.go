package influx

import (
	"context"
	"fmt"
	"time"

	"nhip"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

// AppendArrival appends a as one line of line protocol, newline included, and returns the longer slice.
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

// arrivalWindow is how much time one question for arrivals covers: a city makes 50,000 in an hour.
const arrivalWindow = 30 * time.Minute

// Arrivals calls yield for each arrival from one time, exclusive, to another, inclusive, in the order of
// their times. Errors are those of Readings.
func (db *DB) Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error {
	if err := checkInterval(from, to); err != nil {
		return err
	}
	end := millis(to)
	for from := millis(from); from.Before(end); from = from.Add(arrivalWindow) {
		until := from.Add(arrivalWindow)
		if until.After(end) {
			until = end
		}
		flux := fmt.Sprintf("from(bucket: %s)\n|> %s\n|> filter(fn: (r) => r._measurement == %s)\n|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n|> group()\n|> sort(columns: [\"_time\"])",
			quoteFlux(db.dialect.bucket()), fluxRange(from, until), quoteFlux(ArrivalMeasurement))
		if err := db.query(ctx, "arrivals", flux, func(rec *query.FluxRecord) error { return yield(arrivalOf(rec)) }); err != nil {
			return err
		}
	}
	return nil
}

// arrivalOf reads a row; what is missing is not said.
func arrivalOf(rec *query.FluxRecord) nhip.Arrival {
	row := rec.Values()
	text := func(name string) string { s, _ := row[name].(string); return s }
	tag := func(name string) string { return tagText(text(name)) }
	at, _ := row["_time"].(time.Time)
	a := nhip.Arrival{
		Agency: tag(colAgency), Vehicle: tag(colVehicle), Route: tag(colRoute), Time: at.UTC(), Pattern: text(colPattern),
		Trip: text(colTrip), StartDate: text(colStartDate), StartTime: text(colStartTime), Stop: text(colStop), Origin: nhip.Origin(text(colOrigin)),
	}
	if ms, ok := row[colDeparted].(int64); ok {
		a.Departed = time.UnixMilli(ms).UTC()
	}
	a.Index, a.Delay = intOf(row, colIndex).Or(0), intOf(row, colDelay)
	a.Inferred, _ = row[colInferred].(bool)
	return a
}
