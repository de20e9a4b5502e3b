package influx

import (
	"slices"
	"strings"
)

// The measurements. A measurement's rows are told apart by their tags and their time, which is the
// device's own in whole milliseconds, so the same fact written again changes nothing.
const (
	PositionMeasurement = "position"
	ReadingMeasurement  = "reading"
	ArrivalMeasurement  = "arrival"

	// What was said again of the same moment with another content, beside the first.
	PositionRevision = "position_revision"
	ReadingRevision  = "reading_revision"
)

// The names of tags and fields. None may be called "time": InfluxDB drops such a field in silence.
const (
	colAgency     = "agency"
	colAlighted   = "alighted"
	colBearing    = "bearing"
	colBoarded    = "boarded"
	colDeadrun    = "deadrun"
	colDelay      = "delay"
	colDeparted   = "departed"
	colDirection  = "direction"
	colDoorsOpen  = "doors_open"
	colEstimated  = "estimated"
	colEvent      = "event"
	colFlag       = "flag"
	colHeadsign   = "headsign"
	colIndex      = "index"
	colInferred   = "inferred"
	colLat        = "lat"
	colLine       = "line"
	colLon        = "lon"
	colNextStop   = "next_stop"
	colOccupancy  = "occupancy"
	colOdometer   = "odometer"
	colOrigin     = "origin"
	colPassengers = "passengers"
	colPattern    = "pattern"
	colPeriod     = "period"
	colQuantity   = "quantity"
	colReceived   = "received"
	colRevision   = "revision"
	colRoute      = "route"
	colSpeed      = "speed"
	colStartDate  = "start_date"
	colStartTime  = "start_time"
	colStation    = "station"
	colStop       = "stop"
	colTrip       = "trip"
	colValue      = "value"
	colVehicle    = "vehicle"
)

// ColumnType says how InfluxDB keeps a column. A field's type is settled by the first row of a
// shard and never changes: a row with another is turned away. There are no unsigned integers,
// which 1.8 does not read.
type ColumnType string

// The types of columns.
const (
	Tag    ColumnType = "tag" // text, indexed: only what is queried by and bounded in number
	Float  ColumnType = "float"
	Int    ColumnType = "int"
	String ColumnType = "string"
	Bool   ColumnType = "bool"
)

// Column is a tag or a field of a measurement.
type Column struct {
	Name string
	Type ColumnType
	Doc  string
}

// Measurement is one kind of row.
type Measurement struct {
	Name    string
	Doc     string
	Columns []Column // tags first, each part in alphabetical order
}

// Schema lists everything that is written to InfluxDB. What a device did not say is left out of
// its row, empty tags too; a row always has the field received.
func Schema() []Measurement {
	position, reading := positionSchema(), readingSchema()
	return []Measurement{
		position, revisionOf(position, PositionRevision),
		reading, revisionOf(reading, ReadingRevision),
		arrivalSchema(),
	}
}

// revisionOf is a measurement of what was said again.
func revisionOf(m Measurement, name string) Measurement {
	column := Column{colRevision, Tag, "1 for what was said second of one moment, up to 99"}
	at, _ := slices.BinarySearchFunc(m.Columns, column, func(a, b Column) int {
		if a.Type != Tag {
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return Measurement{name, m.Doc + ", said again with another content", slices.Insert(m.Columns, at, column)}
}

// arrivalSchema is of what is made of positions: it can be made again, and is in no ledger.
func arrivalSchema() Measurement {
	return Measurement{ArrivalMeasurement, "a bus at a stop, interpolated between its fixes; its time is the arrival, at the first stop the departure", []Column{
		{colAgency, Tag, "whose vehicle it is"},
		{colRoute, Tag, "GTFS route_id"},
		{colVehicle, Tag, "the vehicle, unique within its agency"},

		{colDelay, Int, "seconds behind the timetable, negative when ahead; left out where the trip is unknown or keeps no times"},
		{colDeparted, Int, "when it left the stop, in ms since 1970; left out where it was not seen"},
		{colIndex, Int, "of the stop in the pattern, from 0"},
		{colInferred, Bool, "true when the bus did not say its trip; never false"},
		{colOrigin, String, `"simulated" for what the simulator said`},
		{colPattern, String, "id of the pattern: route, direction, way and stops"},
		{colReceived, Int, "the arrival's time, in ms since 1970"},
		{colStartDate, String, "GTFS service day, YYYYMMDD"},
		{colStartTime, String, "the trip's start, HH:MM:SS, may pass 24:00"},
		{colStop, String, "GTFS stop_id"},
		{colTrip, String, "GTFS trip_id; left out where it is unknown"},
	}}
}

func positionSchema() Measurement {
	return Measurement{PositionMeasurement, "what a vehicle said of itself at one moment", []Column{
		{colAgency, Tag, "whose vehicle it is"},
		{colEvent, Tag, `"vp" for a plain position, else the name of the HFP event`},
		{colRoute, Tag, "GTFS route_id"},
		{colVehicle, Tag, "the vehicle, unique within its agency"},

		{colAlighted, Int, "people who got off at the stop, as counted"},
		{colBearing, Float, "degrees clockwise from north, [0, 360)"},
		{colBoarded, Int, "people who got on at the stop, as counted"},
		{colDeadrun, Bool, "true when not in service; never false"},
		{colDelay, Int, "seconds behind the timetable, negative when ahead"},
		{colDirection, Int, "GTFS direction_id, 0 or 1"},
		{colDoorsOpen, Bool, "whether any door is open"},
		{colEstimated, Bool, "true when lat and lon are reckoned, not received; never false"},
		{colHeadsign, String, "where it says it goes"},
		{colLat, Float, "WGS84 degrees; both or neither of lat and lon"},
		{colLine, String, "the number shown to riders"},
		{colLon, Float, "WGS84 degrees"},
		{colNextStop, String, "GTFS stop_id"},
		{colOccupancy, String, "a GTFS-realtime occupancy status"},
		{colOdometer, Float, "metres since the trip began"},
		{colOrigin, String, `"simulated" for what the simulator said; left out for a device in the street`},
		{colPassengers, Int, "people on board, as counted"},
		{colReceived, Int, "when it reached the first hop of ours, in ms since 1970"},
		{colSpeed, Float, "m/s"},
		{colStartDate, String, "GTFS service day, YYYYMMDD"},
		{colStartTime, String, "the trip's start, HH:MM or HH:MM:SS, may pass 24:00"},
		{colStop, String, "GTFS stop_id of where it stands, or of where the event was"},
		{colTrip, String, "GTFS trip_id"},
	}}
}

func readingSchema() Measurement {
	return Measurement{ReadingMeasurement, "one measured value; its time is the END of the averaging period", []Column{
		{colPeriod, Tag, `averaging period as nhip.FormatPeriod writes it: "1h", "5m", "30s"`},
		{colQuantity, Tag, "what is measured: pm25, no2, temperature …"},
		{colStation, Tag, "the monitor"},

		{colFlag, Int, "QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing"},
		{colLat, Float, "WGS84 degrees, when the device says where; both or neither of lat and lon"},
		{colLon, Float, "WGS84 degrees"},
		{colOrigin, String, `"simulated" for what the simulator said; left out for a device in the street`},
		{colReceived, Int, "when it reached the first hop of ours, in ms since 1970"},
		{colValue, Float, "in the quantity's unit: µg/m³ at 25 °C and 1 atm, °C, %, Pa"},
	}}
}
