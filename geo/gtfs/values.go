package gtfs

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"nhip"

	"github.com/paulmach/orb"
)

// text returns a value without surrounding spaces. It is valid until the next row only.
func (t *table) text(c column) string {
	if c == absent {
		return ""
	}
	return strings.TrimSpace(t.record[c])
}

// keep returns a copy of a value that may be kept.
func (t *table) keep(c column) string { return t.clone(t.text(c)) }

// share is like keep, for a text that many rows have.
func (t *table) share(c column) string { return t.intern(t.text(c)) }

// requireText is like keep, for a value without which the row is of no use.
func (t *table) requireText(c column) string {
	s := t.keep(c)
	if s == "" {
		t.leaveOut(codeMissingField, c, "is required")
	}
	return s
}

// requireShared is like share, for a value without which the row is of no use.
func (t *table) requireShared(c column) string {
	s := t.share(c)
	if s == "" {
		t.leaveOut(codeMissingField, c, "is required")
	}
	return s
}

// ref returns an id. One that is too long for topics and tags is shortened, the same one in all files alike.
func (t *table) ref(c column) string { return ShortID(t.text(c)) }

// id is like ref, for the id of the row, of which it returns a copy.
func (t *table) id(c column) string {
	t.checkID(c)
	if t.rowFailed {
		return ""
	}
	if len(t.text(c)) > nhip.MaxText {
		t.find(SeverityNote, codeLongID, c, "the id is shortened", "must be at most %d bytes", nhip.MaxText)
	}
	return t.clone(t.ref(c))
}

// checkID leaves the row out if an id can't be used in topics, tags and URLs.
func (t *table) checkID(c column) {
	s := t.ref(c)
	if s == "" {
		t.leaveOut(codeMissingField, c, "is required")
	} else if err := nhip.CheckText("", s); err != nil {
		t.leaveOut(codeNonPrintable, c, "%s", err)
	}
}

// number returns a finite number. given is false if there is no valid value.
func (t *table) number(c column) (v float64, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	if whole, decimals, comma := strings.Cut(s, ","); comma && !strings.ContainsAny(whole+decimals, ".,") {
		s = whole + "." + decimals
		t.find(SeverityNote, codeInvalidFloat, c, "is taken as "+clip(s), "must have a decimal point, got %q",
			clip(t.text(c)))
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		t.find(SeverityWarning, codeInvalidFloat, c, valueLeftOut, "must be a number, got %q", clip(s))
		return 0, false
	}
	return v, true
}

// dist returns a distance in the feed's own unit, or NoDist.
func (t *table) dist(c column) float32 {
	v, given := t.number(c)
	if !given {
		return NoDist
	}
	if v < 0 || v > math.MaxFloat32 {
		t.find(SeverityWarning, codeOutOfRange, c, valueLeftOut, "must not be negative or huge, got %v", v)
		return NoDist
	}
	return float32(v)
}

// whole returns a whole number, also one as 2.0 or 2,0.
func (t *table) whole(c column) (int, bool) {
	s := t.text(c)
	if v, err := strconv.Atoi(s); err == nil {
		return v, true
	}
	digits, zeros, point := strings.Cut(s, ".")
	if !point {
		digits, zeros, point = strings.Cut(s, ",")
		point = point && len(zeros) != 3 // 1,000 may be a thousand
	}
	if !point || strings.Trim(zeros, "0") != "" {
		return 0, false
	}
	v, err := strconv.Atoi(digits)
	if err != nil {
		return 0, false
	}
	t.find(SeverityNote, codeInvalidInteger, c, "is taken as "+digits, "must be a whole number, got %q", clip(s))
	return v, true
}

// integer returns a whole number from low to high. given is false if there is no valid value.
func (t *table) integer(c column, low, high int, code, done string) (v int, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	v, ok := t.whole(c)
	if !ok || v < low || v > high {
		t.find(SeverityWarning, code, c, done, "must be a whole number from %d to %d, got %q", low, high, clip(s))
		return 0, false
	}
	return v, true
}

// requireInteger returns a whole number from low to high, without which the row is of no use.
func (t *table) requireInteger(c column, low, high int) int {
	s := t.text(c)
	v, ok := t.whole(c)
	switch {
	case s == "":
		t.leaveOut(codeMissingField, c, "is required")
	case !ok:
		t.leaveOut(codeInvalidInteger, c, "must be a whole number from %d to %d, got %q", low, high, clip(s))
	case v < low || v > high:
		t.leaveOut(codeOutOfRange, c, "must be a whole number from %d to %d, got %q", low, high, clip(s))
	default:
		return v
	}
	return low
}

// choice returns an enumerated value from 0 to high, and 0 if there is no valid value.
func (t *table) choice(c column, high int) uint8 {
	v, _ := t.integer(c, 0, high, codeUnexpectedEnum, "is taken as 0")
	return uint8(v)
}

// time returns a time of the service day. given is false if there is no valid value.
func (t *table) time(c column) (v Time, given bool) {
	s := t.text(c)
	if s == "" {
		return 0, false
	}
	v, err := ParseTime(s)
	if err == nil {
		return v, true
	}
	if v, ok := otherTime(s); ok {
		t.find(SeverityNote, codeInvalidTime, c, "is taken as "+v.String(), "must be a time as HH:MM:SS, got %q", s)
		return v, true
	}
	t.find(SeverityWarning, codeInvalidTime, c, valueLeftOut, "%s", err)
	return 0, false
}

// halfDayTime matches a time of a half of the day, as spreadsheets write it: 7:05:00 AM, 7.05 p.m.
var halfDayTime = regexp.MustCompile(`^(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?\s*([AaPp])\.?[Mm]\.?$`)

// otherTime returns a time without seconds or of a half of the day.
func otherTime(s string) (Time, bool) {
	if v, err := ParseTime(s + ":00"); err == nil {
		return v, true
	}
	m := halfDayTime.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	hour, _ := strconv.Atoi(m[1])
	if hour < 1 || hour > 12 {
		return 0, false
	}
	hour %= 12
	if m[4] == "P" || m[4] == "p" {
		hour += 12
	}
	return parseTime(fmt.Sprintf("%02d:%s:%s", hour, m[2], cmp.Or(m[3], "00")))
}

// requireTime is like time, for a value without which the row is of no use.
func (t *table) requireTime(c column) Time {
	v, given := t.time(c)
	if !given {
		t.leaveOut(codeMissingField, c, "is required")
	}
	return v
}

// date returns a date, or 0 if there is no valid one.
func (t *table) date(c column) Date {
	s := t.text(c)
	if s == "" {
		return 0
	}
	d, err := t.parseDate(c)
	if err != nil {
		t.find(SeverityWarning, codeInvalidDate, c, valueLeftOut, "%s", err)
	}
	return d
}

// otherDate matches days with the year first, as spreadsheets and programs write them: 2026-02-16, 2026/2/16, also with
// the time of midnight.
var otherDate = regexp.MustCompile(`^(\d{4})([-/.])(\d{1,2})([-/.])(\d{1,2})(?:[ T]0?0:00(?::00(?:\.0+)?)?)?$`)

// decimalDate matches a day that was taken as a number: 20260216.0.
var decimalDate = regexp.MustCompile(`^(\d{8})\.0*$`)

// parseDate returns a date, also in other forms of which there is no doubt. A day as 01/02/2026 is not one of them.
func (t *table) parseDate(c column) (Date, error) {
	s := t.text(c)
	d, err := ParseDate(s)
	if err == nil {
		return d, nil
	}
	plain := ""
	if m := otherDate.FindStringSubmatch(s); m != nil && m[2] == m[4] {
		plain = fmt.Sprintf("%s%02s%02s", m[1], m[3], m[5])
	} else if m := decimalDate.FindStringSubmatch(s); m != nil {
		plain = m[1]
	}
	if d, other := ParseDate(plain); other == nil {
		t.find(SeverityNote, codeInvalidDate, c, "is taken as "+d.String(), "must be a day as YYYYMMDD, got %q", clip(s))
		return d, nil
	}
	return 0, err
}

// blank reports that a required value is missing which the row can do without.
func (t *table) blank(c column, done string) {
	if c != absent {
		t.find(SeverityWarning, codeMissingField, c, done, "is required")
	}
}

// point returns WGS84 coordinates. given is false if they are missing or not valid.
func (t *table) point(lat, lon column) (p orb.Point, given bool) {
	y, ok1 := t.number(lat)
	x, ok2 := t.number(lon)
	switch {
	case ok1 != ok2 && t.text(lat) != "" && t.text(lon) != "": // one of them is reported
	case ok1 && !ok2:
		t.find(SeverityWarning, codeMissingField, lon, "the place is left out", "is required with a latitude")
	case ok2 && !ok1:
		t.find(SeverityWarning, codeMissingField, lat, "the place is left out", "is required with a longitude")
	}
	if !ok1 || !ok2 {
		return orb.Point{}, false
	}
	p = orb.Point{x, y}
	err := nhip.CheckPoint(p)
	if err == nil {
		return p, true
	}
	c := lat
	if !(p.Lon() >= -180 && p.Lon() <= 180) {
		c = lon
	}
	t.find(SeverityWarning, codeOutOfRange, c, "the place is left out", "%s", err)
	return orb.Point{}, false
}
