package influx

import (
	"context"
	"time"

	"nhip"
	"nhip/internal/topics"
)

// RowCountKey is a device, by its name in the ledger, and the begin of an hour.
type RowCountKey struct {
	Device string
	Hour   time.Time
}

// RowCount is the number of rows of a device in an hour.
type RowCount struct {
	Stored  int64 `json:"stored"`
	Revised int64 `json:"revised"` // revisions: the same time with another content
}

// RowCountQuery selects the rows that RowCounts counts.
type RowCountQuery struct {
	Device   string    // "" for all devices
	From, To time.Time // From inclusive, To exclusive; both full hours
	Now      time.Time // before which the retention of the bucket counts
	Max      int       // of devices and hours in the result, which bounds its memory
}

// RowCounts are the numbers of rows of each device and hour.
type RowCounts struct {
	Counts map[RowCountKey]RowCount

	deleted map[string]time.Time // by measurement: its rows up to here may be deleted, inclusive
}

// MayLack reports whether the hour of a device may lack rows that were stored: because of the retention policy of nhip
// or that of the database.
func (c *RowCounts) MayLack(key RowCountKey) bool {
	until, ok := c.deleted[measurementOf(key.Device)]
	return ok && !key.Hour.After(until)
}

// countedMeasurement is a measurement whose rows the ledger counts.
type countedMeasurement struct {
	name    string
	revised bool
	groupBy []string
	device  func(tags []string) string
}

// countedMeasurements returns all of them.
func countedMeasurements() []countedMeasurement {
	bus := func(tags []string) string { return topics.BusDevice(tagText(tags[0]), tagText(tags[1])) }
	station := func(tags []string) string { return topics.AirDevice(tagText(tags[0])) }
	feed := func(tags []string) string { return topics.ServiceDevice(tagText(tags[0])) }
	return []countedMeasurement{
		{PositionMeasurement, false, []string{colAgency, colVehicle}, bus},
		{PositionRevision, true, []string{colAgency, colVehicle}, bus},
		{ReadingMeasurement, false, []string{colStation}, station},
		{ReadingRevision, true, []string{colStation}, station},
		{ReviewMeasurement, false, nil, func([]string) string { return reviewDevice }},
		{AckMeasurement, false, nil, func([]string) string { return ackDevice }},
		{AuditMeasurement, false, []string{colKind}, func(tags []string) string { return auditDevice(tagText(tags[0])) }},
		{ServiceMeasurement, false, []string{colFeed}, feed},
	}
}

// The devices of user actions in the ledger.
var (
	reviewDevice = topics.UserActionDevice(nhip.ActionKindReview)
	ackDevice    = topics.UserActionDevice(nhip.ActionKindAck)
)

// auditDevice returns the device on which the ledger counts rows of the audit log: reviews and acknowledgements have
// other rows of their own.
func auditDevice(kind string) string {
	if kind == nhip.ActionKindReview || kind == nhip.ActionKindAck {
		return topics.AuditDevice(kind)
	}
	return topics.UserActionDevice(kind)
}

// auditKindOf returns the kind of the rows of the audit log that count on a device.
func auditKindOf(device string) (kind string, ok bool) {
	if kind, ok = topics.ParseAuditDevice(device); ok {
		return kind, true
	}
	kind, ok = topics.ParseUserActionDevice(device)
	return kind, ok && device != reviewDevice && device != ackDevice
}

// measurementOf returns the measurement of a device's rows, and "" if the device has none.
func measurementOf(device string) string {
	if _, _, isBus := topics.ParseBusDevice(device); isBus {
		return PositionMeasurement
	}
	if _, isStation := topics.ParseAirDevice(device); isStation {
		return ReadingMeasurement
	}
	if _, isFeed := topics.ParseServiceDevice(device); isFeed {
		return ServiceMeasurement
	}
	switch device {
	case reviewDevice:
		return ReviewMeasurement
	case ackDevice:
		return AckMeasurement
	}
	if _, audited := auditKindOf(device); audited {
		return AuditMeasurement
	}
	return ""
}

// conditions returns the condition that a device's rows meet in a measurement; false if the measurement does not have
// rows of the device.
func (m *countedMeasurement) conditions(device string) ([]TagCondition, bool) {
	if device == "" {
		return nil, true
	}
	of := measurementOf(device)
	if m.name != of && m.name != of+revisionSuffix {
		return nil, false
	}
	if agency, vehicle, ok := topics.ParseBusDevice(device); ok {
		return []TagCondition{where(colAgency, agency), where(colVehicle, vehicle)}, true
	}
	if station, ok := topics.ParseAirDevice(device); ok {
		return []TagCondition{where(colStation, station)}, true
	}
	if feed, ok := topics.ParseServiceDevice(device); ok {
		return []TagCondition{where(colFeed, feed)}, true
	}
	if kind, ok := auditKindOf(device); ok {
		return []TagCondition{where(colKind, kind)}, true
	}
	return nil, true
}

// RowCounts counts the rows that the ledger counts as stored, by device and hour. One query for each measurement lets
// InfluxDB count, so that its response has a row for each device and hour. If there are more than q.Max, the error has
// the code TooLarge. Other errors are those of Readings.
func (h History) RowCounts(ctx context.Context, q RowCountQuery) (*RowCounts, error) {
	if err := checkInterval(q.From, q.To); err != nil {
		return nil, err
	}
	result := &RowCounts{Counts: make(map[RowCountKey]RowCount)}
	for _, m := range countedMeasurements() {
		conditions, ok := m.conditions(q.Device)
		if !ok {
			continue
		}
		s := &Selection{
			Measurement: m.name, Columns: receivedColumn, Where: conditions, From: q.From, To: q.To, Function: Count,
			Every: time.Hour, GroupBy: m.groupBy,
		}
		err := h.Source.Select(ctx, s, func(row *Row) error { return result.add(&m, row, q.Max) })
		if err != nil {
			return nil, err
		}
	}
	var err error
	result.deleted, err = h.deletedUntil(ctx, q.Now)
	return result, err
}

// add adds a row of the result.
func (c *RowCounts) add(m *countedMeasurement, row *Row, limit int) error {
	n, _ := row.Int(0)
	key := RowCountKey{m.device(row.Tags), row.At()}
	count := c.Counts[key]
	if m.revised {
		count.Revised += n
	} else {
		count.Stored += n
	}
	c.Counts[key] = count
	if len(c.Counts) > limit {
		return nhip.Errorf(nhip.CodeTooLarge, "", "the database has rows in more than %d hours of devices; ask for a "+
			"shorter time or for one device", limit)
	}
	return nil
}

// deletedUntil returns up to which time, inclusive, rows of each measurement may be deleted, by the deletions of nhip
// and the retention of the bucket.
func (h History) deletedUntil(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	deleted, err := h.deletions(ctx)
	if err != nil {
		return nil, err
	}
	keep, err := h.Source.Expiry(ctx)
	if err != nil {
		return nil, err
	}
	if keep == 0 {
		return deleted, nil
	}
	for _, m := range countedMeasurements() {
		if expired := now.Add(-keep); expired.After(deleted[m.name]) {
			deleted[m.name] = expired
		}
	}
	return deleted, nil
}
