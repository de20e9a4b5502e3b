package influx

import (
	"context"
	"fmt"
	"strings"
	"time"

	"nhip"
	"nhip/internal/mqtt"

	"github.com/influxdata/influxdb-client-go/v2/api/query"
)

// TallyKey is a device, as the ledger calls it, and an hour of its time.
type TallyKey struct {
	Device string
	Hour   time.Time
}

// Tally is how many rows there are.
type Tally struct {
	Stored  int64 `json:"stored"`
	Revised int64 `json:"revised"` // said again with another content
}

// Tallies counts the rows of each device and hour from an hour's begin, inclusive, to another,
// exclusive. device names one; "" counts all, bounded in span by whoever asks. The errors are an
// *nhip.Error.
func (db *DB) Tallies(ctx context.Context, device string, from, to time.Time) (map[TallyKey]Tally, error) {
	if err := checkInterval(from, to); err != nil {
		return nil, err
	}
	tallies := make(map[TallyKey]Tally)
	err := db.query(ctx, "tallies", tallyFlux(db.dialect.bucket(), device, from, to), func(rec *query.FluxRecord) error {
		n, isCount := rec.Value().(int64)
		key := TallyKey{deviceOf(rec), rec.Time().UTC()}
		if !isCount || key.Device == "" {
			return nhip.Errorf(nhip.Internal, "", "a count in InfluxDB is not of the schema: %v", rec.Values())
		}
		t := tallies[key]
		switch rec.Measurement() {
		case PositionRevision, ReadingRevision:
			t.Revised += n
		default:
			t.Stored += n
		}
		tallies[key] = t
		return nil
	})
	return tallies, err
}

// tallyFlux counts by hour in InfluxDB, so that an answer has a row for each series and hour, and not
// for each fact.
func tallyFlux(bucket, device string, from, to time.Time) string {
	const beginsHour = -time.Millisecond // fluxRange begins behind a time
	var b strings.Builder
	fmt.Fprintf(&b, "from(bucket: %s)\n|> %s\n", quoteFlux(bucket), fluxRange(from.Add(beginsHour), to.Add(beginsHour)))
	fmt.Fprintf(&b, "|> filter(fn: (r) => r._field == %s and %s)\n", quoteFlux(colReceived), deviceFilter(device))
	b.WriteString(`|> aggregateWindow(every: 1h, fn: count, timeSrc: "_start", createEmpty: false)`)
	return b.String()
}

// deviceFilter picks the rows of a device of the ledger. One that can have none matches nothing.
func deviceFilter(device string) string {
	measured := func(names ...string) string {
		for i, name := range names {
			names[i] = "r._measurement == " + quoteFlux(name)
		}
		return "(" + strings.Join(names, " or ") + ")"
	}
	if device == "" {
		return measured(PositionMeasurement, PositionRevision, ReadingMeasurement, ReadingRevision)
	}
	if agency, vehicle, ok := mqtt.ParseBusDevice(device); ok {
		return fmt.Sprintf("%s and r.%s == %s and r.%s == %s", measured(PositionMeasurement, PositionRevision),
			colAgency, quoteFlux(tagValue(agency)), colVehicle, quoteFlux(tagValue(vehicle)))
	}
	station, _ := mqtt.ParseAirDevice(device)
	return fmt.Sprintf("%s and r.%s == %s", measured(ReadingMeasurement, ReadingRevision), colStation, quoteFlux(tagValue(station)))
}

// deviceOf returns whose rows were counted, as the ledger calls it; "" for a row of no schema of ours.
func deviceOf(rec *query.FluxRecord) string {
	tag := func(name string) string {
		text, _ := rec.ValueByKey(name).(string)
		return tagText(text)
	}
	switch rec.Measurement() {
	case PositionMeasurement, PositionRevision:
		return mqtt.BusDevice(tag(colAgency), tag(colVehicle))
	case ReadingMeasurement, ReadingRevision:
		return mqtt.AirDevice(tag(colStation))
	}
	return ""
}
