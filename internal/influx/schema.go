package influx

import (
	"slices"
	"strings"
)

// The measurements. A row is identified by its measurement, its tags and its time, which is the device's time in
// milliseconds. Writing the same row again changes nothing.
const (
	PositionMeasurement = "position"
	ReadingMeasurement  = "reading"
	ArrivalMeasurement  = "arrival"
	RollupMeasurement   = "rollup"
	ReviewMeasurement   = "review"
	AckMeasurement      = "ack"
	AuditMeasurement    = "audit"
	MarkerMeasurement   = "collector"
	DeletionMeasurement = "deletion"
	ServiceMeasurement  = "service"

	// Further contents for the same device and time, beside the first.
	PositionRevision = PositionMeasurement + revisionSuffix
	ReadingRevision  = ReadingMeasurement + revisionSuffix

	revisionSuffix = "_revision"
)

// The names of tags and fields. No field may be named "time": InfluxDB silently drops it.
const (
	colAction        = "action"
	colAfter         = "after"
	colAlert         = "alert"
	colAgency        = "agency"
	colAlighted      = "alighted"
	colAuto          = "auto"
	colBearing       = "bearing"
	colBefore        = "before"
	colBoarded       = "boarded"
	colBy            = "by"
	colCapture       = "capture"
	colCapture8h     = "capture_8h"
	colChannelA      = "channel_a"
	colChannelB      = "channel_b"
	colCollector     = "collector"
	colContent       = "content"
	colCorrected     = "corrected"
	colCount         = "count"
	colDeadrun       = "deadrun"
	colDelay         = "delay"
	colDeparted      = "departed"
	colDirection     = "direction"
	colDoorsOpen     = "doors_open"
	colEffect        = "effect"
	colEstimated     = "estimated"
	colEvent         = "event"
	colFeed          = "feed"
	colFlag          = "flag"
	colFrom          = "from"
	colHeadsign      = "headsign"
	colHours         = "hours"
	colID            = "id"
	colIndex         = "index"
	colInferred      = "inferred"
	colKey           = "key"
	colKind          = "kind"
	colLat           = "lat"
	colLevel         = "level"
	colLine          = "line"
	colLon           = "lon"
	colMax           = "max"
	colMax1h         = "max_1h"
	colMax8h         = "max_8h"
	colMean          = "mean"
	colMeasurement   = "measurement"
	colMedian        = "median"
	colMin           = "min"
	colNetwork       = "network"
	colNextStop      = "next_stop"
	colNote          = "note"
	colObject        = "object"
	colOccupancy     = "occupancy"
	colOdometer      = "odometer"
	colOrigin        = "origin"
	colP98           = "p98"
	colPassengers    = "passengers"
	colPattern       = "pattern"
	colPeriod        = "period"
	colQuantity      = "quantity"
	colReceived      = "received"
	colRelationship  = "relationship"
	colReportedRoute = "reported_route"
	colRevision      = "revision"
	colRole          = "role"
	colRoughness     = "roughness"
	colRoute         = "route"
	colRule          = "rule"
	colSpeed         = "speed"
	colStartDate     = "start_date"
	colStartTime     = "start_time"
	colStation       = "station"
	colOf            = "of"
	colStop          = "stop"
	colTests         = "tests"
	colTo            = "to"
	colTrip          = "trip"
	colTypical       = "typical"
	colUntil         = "until"
	colValue         = "value"
	colVehicle       = "vehicle"
	colWhy           = "why"
)

// ColumnType is the type of a column in InfluxDB. The first row of a shard determines a field's type; InfluxDB rejects
// rows with another. Unsigned integers are not used, because 1.8 can't parse them.
type ColumnType string

// The types of columns.
const (
	Tag    ColumnType = "tag" // indexed text: only for query filters with a bounded number of values
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

// Schema returns all measurements that are written to InfluxDB. A row leaves out what the device did not send,
// including empty tags. Every row has the field received, except that an assessment may be stored before its reading.
func Schema() []Measurement {
	position, reading := positionSchema(), readingSchema()
	return []Measurement{
		position, revisionOf(position, PositionRevision),
		withAssessment(reading), revisionOf(reading, ReadingRevision),
		arrivalSchema(), rollupSchema(), reviewSchema(), ackSchema(), auditSchema(), serviceSchema(), markerSchema(),
		deletionSchema(),
	}
}

// revisionOf returns the measurement for the revisions of m's rows.
func revisionOf(m Measurement, name string) Measurement {
	column := Column{colRevision, Tag, "number of the revision, from 1 to 99"}
	at, _ := slices.BinarySearchFunc(m.Columns, column, func(a, b Column) int {
		if a.Type != Tag {
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return Measurement{name, m.Doc + "; a later content for the same time", slices.Insert(m.Columns, at, column)}
}

// arrivalSchema returns the measurement of arrivals. They are computed from positions, can be recomputed, and are not
// in the ledger.
func arrivalSchema() Measurement {
	doc := "an arrival of a bus at a stop, interpolated between its positions; its time is the arrival, at the first " +
		"stop the departure"
	return Measurement{ArrivalMeasurement, doc, []Column{
		{colAgency, Tag, "the agency that operates the vehicle"},
		{colRoute, Tag, "GTFS route_id"},
		{colVehicle, Tag, "the vehicle, unique within its agency"},

		{colDelay, Int, "seconds behind the timetable, negative when ahead; missing if the trip is unknown or has no times"},
		{colDeparted, Int, "when the bus left the stop, in ms since 1970; missing if unobserved"},
		{colIndex, Int, "of the stop in the pattern, from 0"},
		{colInferred, Bool, "true if the bus did not report its trip; never false"},
		{colOrigin, String, `"simulated" for data of the simulator`},
		{colPattern, String, "id of the pattern: route, direction, shape and stops"},
		{colReceived, Int, "the arrival's time, in ms since 1970"},
		{colStartDate, String, "GTFS service day, YYYYMMDD"},
		{colStartTime, String, "the trip's start, HH:MM:SS, may pass 24:00"},
		{colStop, String, "GTFS stop_id"},
		{colTrip, String, "GTFS trip_id; missing if unknown"},
	}}
}

func positionSchema() Measurement {
	return Measurement{PositionMeasurement, "a report of a vehicle", []Column{
		{colAgency, Tag, "the agency that operates the vehicle"},
		{colEvent, Tag, `"vp" for a plain position, otherwise the name of the HFP event`},
		{colRoute, Tag, "GTFS route_id, if the timetable knows it"},
		{colVehicle, Tag, "the vehicle, unique within its agency"},

		{colAlighted, Int, "passengers who alighted at the stop, as counted"},
		{colBearing, Float, "degrees clockwise from north, [0, 360)"},
		{colBoarded, Int, "passengers who boarded at the stop, as counted"},
		{colDeadrun, Bool, "true if not in service; never false"},
		{colDelay, Int, "seconds behind the timetable, negative when ahead"},
		{colDirection, Int, "GTFS direction_id, 0 or 1"},
		{colDoorsOpen, Bool, "whether any door is open"},
		{colEstimated, Bool, "true if lat and lon are dead-reckoned, not received; never false"},
		{colHeadsign, String, "destination shown to passengers"},
		{colLat, Float, "WGS84 degrees; both or neither of lat and lon"},
		{colLine, String, "line number shown to passengers"},
		{colLon, Float, "WGS84 degrees"},
		{colNextStop, String, "GTFS stop_id"},
		{colOccupancy, String, "a GTFS-realtime occupancy status"},
		{colOdometer, Float, "metres since the begin of the trip"},
		{colOrigin, String, `"simulated" for data of the simulator; missing for a real device`},
		{colPassengers, Int, "passengers on board, as counted"},
		{colReceived, Int, "when it reached the platform, in ms since 1970"},
		{colReportedRoute, String, "route_id as the vehicle sent it, if no timetable knows it"},
		{colSpeed, Float, "m/s"},
		{colStartDate, String, "GTFS service day, YYYYMMDD"},
		{colStartTime, String, "the trip's start, HH:MM or HH:MM:SS, may pass 24:00"},
		{colStop, String, "GTFS stop_id of the stop where the vehicle stands or the event occurred"},
		{colTrip, String, "GTFS trip_id"},
	}}
}

func readingSchema() Measurement {
	return Measurement{ReadingMeasurement, "a measured value; its time is the END of the averaging period", []Column{
		{colPeriod, Tag, `averaging period in the format of nhip.FormatPeriod: "1h", "5m", "30s"`},
		{colQuantity, Tag, "measured quantity: pm25, no2, temperature …"},
		{colStation, Tag, "station id"},

		{colChannelA, Float, "value of the first of the station's two sensors; both or neither"},
		{colChannelB, Float, "value of the second sensor"},
		{colFlag, Int, "QARTOD flag of the device: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing"},
		{colLat, Float, "WGS84 degrees, if the device sends its location; both or neither of lat and lon"},
		{colLon, Float, "WGS84 degrees"},
		{colOrigin, String, `"simulated" for data of the simulator; missing for a real device`},
		{colReceived, Int, "when it reached the platform, in ms since 1970"},
		{colValue, Float, "in the quantity's unit: µg/m³ at 25 °C and 1 atm, °C, %, Pa"},
	}}
}

// withAssessment returns the reading measurement m with the columns of the assessment, which is stored in the reading's
// row.
func withAssessment(m Measurement) Measurement {
	m.Columns = append(m.Columns[:len(m.Columns):len(m.Columns)], []Column{
		{colAuto, Int, "flag of the automatic checks; written after the value, when they have been made"},
		{colCorrected, Float, "corrected value, or the value if no correction applies; written with auto"},
		{colRule, String, "name of the correction; empty if none applies"},
		{colTests, String, `checks that did not pass, "spike=4,humidity=3"; empty if all passed`},
	}...)
	return m
}

// rollupSchema returns the measurement of roll-ups. They are computed from readings, can be recomputed, and are not in
// the ledger.
func rollupSchema() Measurement {
	doc := "statistics of the readings of an hour, a local day or a local month; its time is the END"
	return Measurement{RollupMeasurement, doc, []Column{
		{colLevel, Tag, `"raw", "automatic" or, if any review applies, "reviewed"`},
		{colPeriod, Tag, `"1h", "1d" or "1mo"`},
		{colQuantity, Tag, "measured quantity: pm25, no2, temperature …"},
		{colStation, Tag, "station id"},

		{colCapture, Float, "data capture: percent of the possible values of an hour, or of the hours of a day or month"},
		{colCapture8h, Float, "of a day: percent of the 8-hour means that end in it and exist; written with max_8h"},
		{colCount, Int, "number of values of an hour, or of complete hours of a day or month"},
		{colFlag, Int, "1 good, 2 data capture too low, 3 suspect, 4 no valid value"},
		{colHours, String, "of a day, if the quantity has limits of hours: means of its hours, oldest first, NaN for those " +
			"that are not complete; little-endian 64-bit floats in base64"},
		{colMax, Float, "maximum"},
		{colMax1h, Float, "of a day: highest hourly mean, if three quarters of the hours are complete"},
		{colMax8h, Float, "of a day: highest 8-hour mean that ends in it"},
		{colMean, Float, "mean of the values, or of the means of the complete hours"},
		{colMedian, Float, "median of the values, or of the means of the complete hours"},
		{colMin, Float, "minimum"},
		{colNetwork, String, "of a raw hour: checks against other monitors that did not pass, \"network_gain=3\""},
		{colP98, Float, "98th percentile of the values, or of the means of the complete hours"},
		{colReceived, Int, "when it was computed, in ms since 1970"},
		{colRoughness, Float, "of a raw hour: median absolute difference of successive values, if it has enough"},
		{colTypical, Float, "of a raw hour: median of the corrected values that passed the checks of the monitor alone"},
	}}
}

// reviewSchema returns the measurement of reviews, which are in the ledger as data of devices are.
func reviewSchema() Measurement {
	return Measurement{ReviewMeasurement, "a review of readings; its time is the decision. Never changed", []Column{
		{colID, Tag, "unique id of the review"},
		{colStation, Tag, "station id"},

		{colAction, String, `"strike", "restore", "annotate", "baseline" or "undo"`},
		{colBy, String, "reviewer"},
		{colFrom, Int, "begin of the reviewed span, exclusive, in ms since 1970"},
		{colOf, String, "id of the review that is undone; missing for other actions"},
		{colQuantity, String, "reviewed quantity; missing for all"},
		{colReceived, Int, "when it reached the platform, in ms since 1970"},
		{colTo, Int, "end of the reviewed span, inclusive, in ms since 1970"},
		{colWhy, String, "reason"},
	}}
}

// ackSchema returns the measurement of acknowledged alerts.
func ackSchema() Measurement {
	return Measurement{
		AckMeasurement, "an acknowledgement of an alert; its time is the acknowledgement. Never changed",
		[]Column{
			{colAlert, Tag, "alert id: rule, station and begin"},

			{colBy, String, "who acknowledged it"},
			{colNote, String, "remark; missing if empty"},
			{colReceived, Int, "when it reached the platform, in ms since 1970"},
		},
	}
}

// markerSchema returns the measurement of markers.
func markerSchema() Measurement {
	doc := "a marker that a collector leaves every hour, to notice when the database was made anew"
	return Measurement{MarkerMeasurement, doc, []Column{
		{colCollector, Tag, "id of the collector"},

		{colID, String, "random id of the marker"},
		{colReceived, Int, "the marker's time, in ms since 1970"},
	}}
}

// deletionSchema returns the measurement of deletions.
func deletionSchema() Measurement {
	doc := "a deletion by the retention policy, written before it is made, so that rows that are deleted are not missed"
	return Measurement{DeletionMeasurement, doc, []Column{
		{colMeasurement, Tag, "measurement that rows are deleted from"},

		{colReceived, Int, "the deletion's time, in ms since 1970"},
		{colUntil, Int, "time of the last rows that are deleted, in ms since 1970"},
	}}
}

// auditSchema returns the measurement of the audit log.
func auditSchema() Measurement {
	return Measurement{
		AuditMeasurement, "what somebody did; its time is the decision. Never changed or deleted",
		[]Column{
			{colID, Tag, "id of the review, the alert or the document"},
			{colKind, Tag, "kind of the user action, as in nhip/say/<kind>/<id>"},

			{colAfter, String, "the state after it, as JSON; missing if it was removed"},
			{colBefore, String, "the state before it, as JSON; missing if there was none"},
			{colBy, String, "name of who did it"},
			{colKey, String, "id of the key or of the account; missing without one"},
			{colObject, String, `what it is about, as in "station/hn-01"`},
			{colReceived, Int, "when it reached the platform, in ms since 1970"},
			{colRole, String, "role of who did it"},
		},
	}
}
