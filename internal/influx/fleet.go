package influx

import (
	"context"
	"fmt"
	"time"

	"nhip"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
	"github.com/paulmach/orb"
)

// Fleet calls yield for each vehicle that said where it is after from and up to to, both included by the
// millisecond, with what it said last. A column that it did not say then is not told, whatever it said before.
// Errors are those of Readings.
func (db *DB) Fleet(ctx context.Context, from, to time.Time, yield func(nhip.Position) error) error {
	if err := checkInterval(from, to); err != nil {
		return err
	}
	// The last of each column comes out of the index at once; those that belong to one moment are one row, and of a
	// vehicle's rows the newest is what it said last. The rest are columns that it said earlier and not again.
	flux := fmt.Sprintf("from(bucket: %s)\n|> %s\n|> filter(fn: (r) => r._measurement == %s and r.%s == %s and r._field != %s)\n"+
		"|> last()\n|> drop(columns: [\"_start\", \"_stop\", \"_measurement\"])\n"+
		"|> pivot(rowKey: [\"_time\"], columnKey: [\"_field\"], valueColumn: \"_value\")\n"+
		"|> group()\n|> sort(columns: [%q, %q, \"_time\"])",
		quoteFlux(db.dialect.bucket()), fluxRange(millis(from), millis(to)), quoteFlux(PositionMeasurement), colEvent, quoteFlux(nhip.Fix),
		quoteFlux(colReceived), colAgency, colVehicle)
	var newest nhip.Position
	release := func() error {
		if !newest.Point.Known() {
			return nil
		}
		return yield(newest)
	}
	err := db.query(ctx, "fleet", flux, func(rec *query.FluxRecord) error {
		p := positionOf(rec)
		if p.Agency != newest.Agency || p.Vehicle != newest.Vehicle {
			if err := release(); err != nil {
				return err
			}
			newest = nhip.Position{}
		}
		if p.Point.Known() {
			newest = p
		}
		return nil
	})
	if err != nil {
		return err
	}
	return release()
}

// positionOf reads a row; what is missing is not said.
func positionOf(rec *query.FluxRecord) nhip.Position {
	row := rec.Values()
	text := func(name string) string { s, _ := row[name].(string); return s }
	at, _ := row["_time"].(time.Time)
	p := nhip.Position{
		Agency: tagText(text(colAgency)), Vehicle: tagText(text(colVehicle)), Route: tagText(text(colRoute)), Event: nhip.Fix, Time: at.UTC(),
		Line: text(colLine), Trip: text(colTrip), Headsign: text(colHeadsign), StartDate: text(colStartDate), StartTime: text(colStartTime),
		NextStop: text(colNextStop), Stop: text(colStop), Occupancy: nhip.Occupancy(text(colOccupancy)), Origin: nhip.Origin(text(colOrigin)),
	}
	p.Estimated, _ = row[colEstimated].(bool)
	lat, ok1 := row[colLat].(float64)
	lon, ok2 := row[colLon].(float64)
	if ok1 && ok2 {
		p.Point = nhip.Some(orb.Point{lon, lat})
	}
	p.Speed, p.Bearing = floatOf(row, colSpeed), floatOf(row, colBearing)
	p.Direction, p.Passengers, p.Delay = intOf(row, colDirection), intOf(row, colPassengers), intOf(row, colDelay)
	return p
}

func floatOf(row map[string]any, name string) (v nhip.Opt[float64]) {
	if f, ok := row[name].(float64); ok {
		v = nhip.Some(f)
	}
	return v
}

func intOf(row map[string]any, name string) (v nhip.Opt[int]) {
	if n, ok := row[name].(int64); ok {
		v = nhip.Some(int(n))
	}
	return v
}
