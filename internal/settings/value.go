package settings

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// Value is the value of a key. The file, variables and flags all set it from text. Set leaves the value as it is if the
// text breaks the rule of the value.
type Value interface {
	Set(text string) error
	String() string // in a form that Set accepts
	Target() any    // the pointer that Set writes to
}

// Text is a text that keeps a rule.
func Text(to *string, rule func(string) error) Value { return textValue{to, rule} }

type textValue struct {
	to   *string
	rule func(string) error
}

func (t textValue) Target() any { return t.to }

func (t textValue) String() string { return *t.to }

func (t textValue) Set(s string) error {
	if err := t.rule(s); err != nil {
		return err
	}
	*t.to = s
	return nil
}

// Number is a number from least to most.
func Number(to *float64, least, most float64) Value { return numberValue{to, least, most} }

type numberValue struct {
	to          *float64
	least, most float64
}

func (n numberValue) Target() any { return n.to }

func (n numberValue) String() string { return formatNumber(*n.to) }

func (n numberValue) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= n.least && v <= n.most) { // NaN fails both comparisons
		return fmt.Errorf("must be between %s and %s, got %s", formatNumber(n.least), formatNumber(n.most), Shown(s))
	}
	*n.to = v
	return nil
}

// Count is a whole number from 0 to most.
func Count(to *int64, most int64) Value { return countValue{to, most} }

type countValue struct {
	to   *int64
	most int64
}

func (c countValue) Target() any { return c.to }

func (c countValue) String() string { return strconv.FormatInt(*c.to, 10) }

func (c countValue) Set(s string) error {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 0 || v > c.most {
		return fmt.Errorf("must be a whole number between 0 and %d, got %s", c.most, Shown(s))
	}
	*c.to = v
	return nil
}

// Size is a number of bytes, at least least, with a unit: "512MB", "16GB". Each unit is 1,024 of the next smaller one.
func Size(to *int64, least int64) Value { return sizeValue{to, least} }

type sizeValue struct {
	to    *int64
	least int64
}

// sizeUnits begins with the largest.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

func (b sizeValue) Target() any { return b.to }

func (b sizeValue) String() string { return formatSize(*b.to) }

func formatSize(n int64) string {
	for _, u := range sizeUnits {
		if n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return ""
}

func (b sizeValue) Set(s string) error {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/u.bytes {
			break
		}
		if n*u.bytes < b.least {
			return fmt.Errorf("must be at least %s, got %s", formatSize(b.least), Shown(s))
		}
		*b.to = n * u.bytes
		return nil
	}
	return fmt.Errorf(`must be a size as in "512MB" or "16GB", got %s`, Shown(s))
}

// Point is a position: longitude and latitude in degrees. A file may write it as a list.
func Point(to *[]float64) Value { return pointValue{to} }

type pointValue struct{ to *[]float64 }

func (p pointValue) Target() any { return p.to }

func (p pointValue) String() string {
	all := make([]string, len(*p.to))
	for i, v := range *p.to {
		all[i] = formatNumber(v)
	}
	return strings.Join(all, ", ")
}

func (p pointValue) items() string { return "two numbers: longitude, latitude" }

func (p pointValue) setList(parts []string) error { return p.Set(strings.Join(parts, ", ")) }

func (p pointValue) Set(s string) error {
	lon, lat, _ := strings.Cut(s, ",")
	x, err1 := strconv.ParseFloat(strings.TrimSpace(lon), 64)
	y, err2 := strconv.ParseFloat(strings.TrimSpace(lat), 64)
	if err1 != nil || err2 != nil || !(math.Abs(x) <= 180 && math.Abs(y) <= 90) {
		return fmt.Errorf("must be longitude, latitude in degrees, got %s", Shown(s))
	}
	*p.to = []float64{x, y}
	return nil
}

// Duration is a duration that is not negative.
func Duration(to *time.Duration) Value { return durationValue{to} }

type durationValue struct{ to *time.Duration }

func (d durationValue) Target() any { return d.to }

func (d durationValue) String() string { return nhip.FormatDuration(*d.to) }

func (d durationValue) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf(`must be a duration as in "90s" or "2m", got %s`, Shown(s))
	}
	if v < 0 {
		return fmt.Errorf("must not be negative, got %s", Shown(s))
	}
	*d.to = v
	return nil
}

const day = 24 * time.Hour

// Days is a duration from least to most that may be written in days.
func Days(to *time.Duration, least, most time.Duration) Value {
	return daysValue{durationValue{to}, least, most}
}

type daysValue struct {
	durationValue
	least, most time.Duration
}

func (d daysValue) String() string { return formatDays(*d.to) }

func formatDays(v time.Duration) string {
	if v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	return nhip.FormatDuration(v)
}

func (d daysValue) Set(s string) error {
	before := *d.to
	if n, err := strconv.ParseUint(strings.TrimSuffix(s, "d"), 10, 31); err == nil && strings.HasSuffix(s, "d") {
		*d.to = time.Duration(min(n, math.MaxInt64/uint64(day)) * uint64(day))
	} else if err := d.durationValue.Set(s); err != nil {
		return fmt.Errorf(`must be a duration as in "100d" or "36h", got %s`, Shown(s))
	}
	if v := *d.to; v < d.least || v > d.most {
		*d.to = before
		return fmt.Errorf("must be between %s and %s, got %s", nhip.FormatDuration(d.least), formatDays(d.most), Shown(s))
	}
	return nil
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Choice is one of several words.
func Choice(to *string, words ...string) Value {
	return textValue{to, func(s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("must be %s, got %s", enumerate(words), Shown(s))
		}
		return nil
	}}
}

// enumerate returns words as in "a, b or c".
func enumerate(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// Bool is true or false.
func Bool(to *bool) Value { return boolValue{to} }

type boolValue struct{ to *bool }

func (t boolValue) Target() any { return t.to }

func (t boolValue) String() string { return strconv.FormatBool(*t.to) }

func (t boolValue) Set(s string) error {
	if s != "true" && s != "false" {
		return fmt.Errorf("must be true or false, got %s", Shown(s))
	}
	*t.to = s == "true"
	return nil
}

// TextList is a list of texts that keep a rule. Variables and flags separate the texts with commas.
func TextList(to *[]string, rule func(string) error) Value { return textListValue{to, rule} }

type textListValue struct {
	to   *[]string
	rule func(string) error
}

func (w textListValue) Target() any { return w.to }

func (w textListValue) String() string { return strings.Join(*w.to, ", ") }

func (w textListValue) items() string { return "texts" }

func (w textListValue) Set(s string) error {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return w.setList(parts)
}

func (w textListValue) setList(parts []string) error {
	for _, part := range parts {
		if err := w.rule(part); err != nil {
			return err
		}
	}
	*w.to = parts
	return nil
}

// Time is a time, or a day, which stands for its midnight in Hanoi.
func Time(to *time.Time) Value { return timeValue{to} }

type timeValue struct{ to *time.Time }

func (m timeValue) Target() any { return m.to }

func (m timeValue) String() string {
	if m.to.IsZero() {
		return ""
	}
	return m.to.Format(time.RFC3339)
}

// hanoiZone is the time zone of days. Việt Nam has had one offset since 1975.
var hanoiZone = time.FixedZone("+07", 7*60*60)

func (m timeValue) Set(s string) error {
	if t, err := time.ParseInLocation(time.DateOnly, s, hanoiZone); err == nil {
		*m.to = t
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("must be a day as in 2026-02-16 or a time as in 2026-02-16T15:00:00+07:00, got %s", Shown(s))
	}
	*m.to = t
	return nil
}
