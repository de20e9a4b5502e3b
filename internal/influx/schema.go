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
	RollupMeasurement   = "rollup"
	ReviewMeasurement   = "review"
	AckMeasurement      = "ack"

	// What was said again of the same moment with another content, beside the first.
	PositionRevision = "position_revision"
	ReadingRevision  = "reading_revision"
)

// The names of tags and fields. None may be called "time": InfluxDB drops such a field in silence.
const (
	colAction     = "action"
	colAlert      = "alert"
	colAgency     = "agency"
	colAlighted   = "alighted"
	colAuto       = "auto"
	colBearing    = "bearing"
	colBoarded    = "boarded"
	colBy         = "by"
	colCapture    = "capture"
	colChannelA   = "channel_a"
	colChannelB   = "channel_b"
	colCorrected  = "corrected"
	colCount      = "count"
	colDeadrun    = "deadrun"
	colDelay      = "delay"
	colDeparted   = "departed"
	colDirection  = "direction"
	colDoorsOpen  = "doors_open"
	colEstimated  = "estimated"
	colEvent      = "event"
	colFlag       = "flag"
	colFrom       = "from"
	colHeadsign   = "headsign"
	colID         = "id"
	colIndex      = "index"
	colInferred   = "inferred"
	colLat        = "lat"
	colLevel      = "level"
	colLine       = "line"
	colLon        = "lon"
	colMax        = "max"
	colMax1h      = "max_1h"
	colMax8h      = "max_8h"
	colMean       = "mean"
	colMedian     = "median"
	colMin        = "min"
	colNear       = "neighbours"
	colNextStop   = "next_stop"
	colNote       = "note"
	colOccupancy  = "occupancy"
	colOdometer   = "odometer"
	colOrigin     = "origin"
	colP98        = "p98"
	colPassengers = "passengers"
	colPattern    = "pattern"
	colPeriod     = "period"
	colQuantity   = "quantity"
	colReceived   = "received"
	colRevision   = "revision"
	colRoute      = "route"
	colRule       = "rule"
	colSpeed      = "speed"
	colStartDate  = "start_date"
	colStartTime  = "start_time"
	colStation    = "station"
	colStop       = "stop"
	colTests      = "tests"
	colTo         = "to"
	colTrip       = "trip"
	colValue      = "value"
	colVehicle    = "vehicle"
	colWhy        = "why"
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
		withVerdict(reading), revisionOf(reading, ReadingRevision),
		arrivalSchema(), rollupSchema(), reviewSchema(), ackSchema(),
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

		{colChannelA, Float, "value of the first of a monitor's two sensors; both or neither"},
		{colChannelB, Float, "value of the second"},
		{colFlag, Int, "what the device says of it. QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing"},
		{colLat, Float, "WGS84 degrees, when the device says where; both or neither of lat and lon"},
		{colLon, Float, "WGS84 degrees"},
		{colOrigin, String, `"simulated" for what the simulator said; left out for a device in the street`},
		{colReceived, Int, "when it reached the first hop of ours, in ms since 1970"},
		{colValue, Float, "in the quantity's unit: µg/m³ at 25 °C and 1 atm, °C, %, Pa"},
	}}
}

// withVerdict adds what the platform makes of a reading, which stands in its row when it has been judged.
func withVerdict(m Measurement) Measurement {
	m.Columns = append(m.Columns[:len(m.Columns):len(m.Columns)], []Column{
		{colAuto, Int, "what the platform's own checks say of it, as flag; written beside the value when they have been made"},
		{colCorrected, Float, "what it should have said, where a correction applies; written as auto is"},
		{colRule, String, "the correction's name; empty where none applies"},
		{colTests, String, `the checks that it did not pass, "spike=4,humidity=3"; empty where there are none`},
	}...)
	return m
}

// rollupSchema is of what is made of readings: it can be made again, and is in no ledger.
func rollupSchema() Measurement {
	return Measurement{RollupMeasurement, "an hour, a local day or a local month of readings, summed up; its time is the END", []Column{
		{colLevel, Tag, `"raw", "automatic" or, where people have decided anything about it, "reviewed"`},
		{colPeriod, Tag, `"1h", "1d" or "1mo"`},
		{colQuantity, Tag, "what is measured: pm25, no2, temperature …"},
		{colStation, Tag, "the monitor"},

		{colCapture, Float, "percent of the values, or of the hours, that there could be"},
		{colCount, Int, "values of an hour; complete hours of a day or a month"},
		{colFlag, Int, "1 good, 2 too little captured to stand for the whole, 3 suspect, 4 nothing is any good"},
		{colMax, Float, "the greatest value"},
		{colMax1h, Float, "of a day: the highest hour, where three quarters of them are complete"},
		{colMax8h, Float, "of a day: the highest mean of 8 hours that ends in it"},
		{colMean, Float, "of the values, or of the complete hours' means"},
		{colMedian, Float, "as mean"},
		{colMin, Float, "the least value"},
		{colNear, Int, "of an hour of a cheap monitor: what the neighbourhood makes of it, as flag"},
		{colP98, Float, "as mean"},
		{colReceived, Int, "when it was made, in ms since 1970"},
	}}
}

// reviewSchema is of what people decide: in the ledger as what devices say.
func reviewSchema() Measurement {
	return Measurement{ReviewMeasurement, "what somebody decided about readings; its time is when. Never written again", []Column{
		{colID, Tag, "the review, unique"},
		{colStation, Tag, "the monitor"},

		{colAction, String, `"strike", "restore" or "annotate"`},
		{colBy, String, "who"},
		{colFrom, Int, "of which readings: after this, in ms since 1970"},
		{colQuantity, String, "of which quantity; left out for all"},
		{colReceived, Int, "when it reached the first hop of ours, in ms since 1970"},
		{colTo, Int, "up to this, in ms since 1970"},
		{colWhy, String, "why"},
	}}
}

// ackSchema is of who has seen which alert.
func ackSchema() Measurement {
	return Measurement{AckMeasurement, "that somebody has seen an alert; its time is when. Never written again", []Column{
		{colAlert, Tag, "the alert: rule, station and when it began"},

		{colBy, String, "who"},
		{colNote, String, "what they remarked; left out for nothing"},
		{colReceived, Int, "when it reached the first hop of ours, in ms since 1970"},
	}}
}
