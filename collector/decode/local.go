package decode

import (
	"time"

	"nhip"
)

// LocalTime reads a stamp of a device's own clock, "2026-02-16T15:58:02" or with a space for the T,
// as UTC cut to the millisecond. The zone (nil: UTC) says where that clock hangs; a stamp that
// carries an offset or Z is taken at its word. An hour that the zone's clocks skip or show twice is
// an error, because which of two instants is meant would be a guess.
func LocalTime(text string, zone *time.Location) (time.Time, error) {
	wall, dated, err := parseStamp(text)
	if err != nil {
		return time.Time{}, err
	}
	t := wall
	if !dated && zone != nil && zone != time.UTC {
		if t, err = inZone(text, wall, zone); err != nil {
			return time.Time{}, err
		}
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// parseStamp reads a stamp as it stands, as if in UTC, and says whether it carries an offset.
func parseStamp(text string) (t time.Time, dated bool, err error) {
	layout := "2006-01-02T15:04:05"
	if len(text) > 10 && text[10] == ' ' {
		layout = time.DateTime
	}
	if t, err = time.Parse(layout, text); err == nil {
		return t, false, nil
	}
	if t, err = time.Parse(layout+"Z07:00", text); err == nil {
		return t, true, nil
	}
	return t, false, nhip.Errorf(nhip.Malformed, "", `must be a date and time, as in "2026-02-16T15:58:02", got %q`, text)
}

// inZone finds the one instant at which the zone's clocks show what wall shows.
func inZone(text string, wall time.Time, zone *time.Location) (time.Time, error) {
	y, m, d := wall.Date()
	t := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	if !shows(t, wall) {
		return t, nhip.Errorf(nhip.OutOfRange, "", "%s is skipped by the clocks of %s", text, zone)
	}
	start, end := t.ZoneBounds()
	if !start.IsZero() && repeats(t, wall, start.Add(-1)) || !end.IsZero() && repeats(t, wall, end) {
		return t, nhip.Errorf(nhip.OutOfRange, "", "%s comes twice on the clocks of %s; let the device send its offset", text, zone)
	}
	return t, nil
}

// shows reports whether a clock at t's place shows wall.
func shows(t, wall time.Time) bool {
	_, offset := t.Zone()
	return t.Unix()+int64(offset) == wall.Unix()
}

// repeats reports whether wall is shown at a second instant, under the offset that holds at beside,
// on the other side of a change of clocks.
func repeats(t, wall, beside time.Time) bool {
	_, offset := beside.Zone()
	again := time.Unix(wall.Unix()-int64(offset), 0).In(t.Location())
	return again.Unix() != t.Unix() && shows(again, wall)
}
