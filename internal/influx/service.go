package influx

import "time"

// ServiceRow is a change of the service that a realtime feed announces: a trip that differs from the timetable in more
// than its delay, or a service alert.
type ServiceRow struct {
	Agency string
	Feed   string
	Time   time.Time
	Kind   string // "trip" or "alert"
	ID     string // unique within feed and kind

	Route, Trip, StartDate, Relationship string // of a trip

	Effect  string // of an alert
	Content string // JSON
}

// AppendService appends r as one line of line protocol, including the newline, and returns the extended slice. received
// is the time when r reached the platform.
func AppendService(dst []byte, r *ServiceRow, received time.Time) []byte {
	dst = append(dst, ServiceMeasurement...)
	dst = appendTag(dst, colAgency, r.Agency)
	dst = appendTag(dst, colFeed, r.Feed)
	dst = appendReceived(dst, received)
	dst = appendText(dst, colContent, r.Content)
	dst = appendText(dst, colEffect, r.Effect)
	dst = appendText(dst, colID, r.ID)
	dst = appendText(dst, colKind, r.Kind)
	dst = appendText(dst, colRelationship, r.Relationship)
	dst = appendText(dst, colReportedRoute, r.Route)
	dst = appendText(dst, colStartDate, r.StartDate)
	dst = appendText(dst, colTrip, r.Trip)
	return appendTime(dst, r.Time)
}

// serviceSchema returns the measurement of changes of the service.
func serviceSchema() Measurement {
	doc := "a change of the service that a realtime feed announces: a trip that is canceled, added, or skips stops, or " +
		"a service alert; again when its content changes. Its time is that of the message, in which each row has its own ms"
	return Measurement{ServiceMeasurement, doc, []Column{
		{colAgency, Tag, "the agency of the feed"},
		{colFeed, Tag, "name of the feed: its topic, or the part behind nhip/in/gtfs-rt/"},

		{colContent, String, "the trip or the alert as JSON, in the form of the live messages"},
		{colEffect, String, "of an alert: GTFS-realtime's Alert.Effect"},
		{colID, String, "of the alert in the feed; of a trip: its id, day and start time"},
		{colKind, String, `"trip" or "alert"`},
		{colReceived, Int, "when it reached the platform, in ms since 1970"},
		{colRelationship, String, "of a trip: GTFS-realtime's schedule relationship, as in CANCELED"},
		{colReportedRoute, String, "route_id of a trip, if the feed has it"},
		{colStartDate, String, "GTFS service day of a trip, YYYYMMDD"},
		{colTrip, String, "GTFS trip_id"},
	}}
}
