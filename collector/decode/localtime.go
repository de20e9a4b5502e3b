package decode

import (
	"time"

	"nhip"
)

// LocalTime parses the local time of a device, "2026-02-16T15:58:02" or with a space instead of the T, as UTC
// truncated to milliseconds. The zone (nil: UTC) applies if the text has neither an offset nor Z. A time that the
// zone's clocks skip or show twice is an error, because it does not determine the instant.
func LocalTime(text string, zone *time.Location) (time.Time, error) {
	wall, hasOffset, err := parseStamp(text)
	if err != nil {
		return time.Time{}, err
	}
	t := wall
	if !hasOffset && zone != nil && zone != time.UTC {
		if t, err = inZone(text, wall, zone); err != nil {
			return time.Time{}, err
		}
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// parseStamp parses a date and time, as UTC if it has no offset, and reports whether it has one.
func parseStamp(text string) (t time.Time, hasOffset bool, err error) {
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
	return t, false, nhip.Errorf(nhip.CodeMalformed, "",
		`must be a date and time, as in "2026-02-16T15:58:02", got %q`, text)
}

// inZone returns the only instant at which the zone's clocks show the date and time of wall.
func inZone(text string, wall time.Time, zone *time.Location) (time.Time, error) {
	y, m, d := wall.Date()
	t := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	if !showsWall(t, wall) {
		return t, nhip.Errorf(nhip.CodeOutOfRange, "", "%s is skipped by the clocks of %s", text, zone)
	}
	start, end := t.ZoneBounds()
	if !start.IsZero() && repeats(t, wall, start.Add(-1)) || !end.IsZero() && repeats(t, wall, end) {
		return t, nhip.Errorf(nhip.CodeOutOfRange, "",
			"%s occurs twice on the clocks of %s; let the device send its offset", text, zone)
	}
	return t, nil
}

// showsWall reports whether a clock in t's zone shows wall at t.
func showsWall(t, wall time.Time) bool {
	_, offset := t.Zone()
	return t.Unix()+int64(offset) == wall.Unix()
}

// repeats reports whether wall is shown at a second instant, with the offset at beside, which is on the other side of
// a clock change.
func repeats(t, wall, beside time.Time) bool {
	_, offset := beside.Zone()
	again := time.Unix(wall.Unix()-int64(offset), 0).In(t.Location())
	return again.Unix() != t.Unix() && showsWall(again, wall)
}
