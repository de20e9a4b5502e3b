package settings

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"nhip"
)

// Value is what a key sets, whoever sets it: file, variable and flag all hand over text. Set leaves
// the value as it is when the text breaks its rule.
type Value interface {
	Set(text string) error
	String() string // as Set reads it
	Target() any    // the pointer that Set writes through
}

// Text is any text that keeps a rule.
func Text(to *string, rule func(string) error) Value { return text{to, rule} }

type text struct {
	to   *string
	rule func(string) error
}

func (t text) Target() any { return t.to }

func (t text) String() string { return *t.to }

func (t text) Set(s string) error {
	if err := t.rule(s); err != nil {
		return err
	}
	*t.to = s
	return nil
}

// Number lies between two others, both included.
func Number(to *float64, least, most float64) Value { return number{to, least, most} }

type number struct {
	to          *float64
	least, most float64
}

func (n number) Target() any { return n.to }

func (n number) String() string { return format(*n.to) }

func (n number) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= n.least && v <= n.most) { // not a number is not between either
		return fmt.Errorf("must be between %s and %s, got %s", format(n.least), format(n.most), Shown(s))
	}
	*n.to = v
	return nil
}

// Count is a whole number from 0 on.
func Count(to *int64, most int64) Value { return count{to, most} }

type count struct {
	to   *int64
	most int64
}

func (c count) Target() any { return c.to }

func (c count) String() string { return strconv.FormatInt(*c.to, 10) }

func (c count) Set(s string) error {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 0 || v > c.most {
		return fmt.Errorf("must be a whole number between 0 and %d, got %s", c.most, Shown(s))
	}
	*c.to = v
	return nil
}

// Size is a number of bytes, written with a unit of 1,024 of the one before: "512MB", "16GB".
func Size(to *int64, least int64) Value { return size{to, least} }

type size struct {
	to    *int64
	least int64
}

// sizeUnits are the largest first.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

func (b size) Target() any { return b.to }

func (b size) String() string { return formatSize(*b.to) }

func formatSize(n int64) string {
	for _, u := range sizeUnits {
		if n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return ""
}

func (b size) Set(s string) error {
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

// Point is a place on the map: longitude, latitude in degrees. A file may write it as a list.
func Point(to *[]float64) Value { return point{to} }

type point struct{ to *[]float64 }

func (p point) Target() any { return p.to }

func (p point) String() string {
	all := make([]string, len(*p.to))
	for i, v := range *p.to {
		all[i] = format(v)
	}
	return strings.Join(all, ", ")
}

func (p point) of() string { return "two numbers: longitude, latitude" }

func (p point) setList(parts []string) error { return p.Set(strings.Join(parts, ", ")) }

func (p point) Set(s string) error {
	lon, lat, _ := strings.Cut(s, ",")
	x, err1 := strconv.ParseFloat(strings.TrimSpace(lon), 64)
	y, err2 := strconv.ParseFloat(strings.TrimSpace(lat), 64)
	if err1 != nil || err2 != nil || !(math.Abs(x) <= 180 && math.Abs(y) <= 90) {
		return fmt.Errorf("must be longitude, latitude in degrees, got %s", Shown(s))
	}
	*p.to = []float64{x, y}
	return nil
}

// Span is a span of time, never negative.
func Span(to *time.Duration) Value { return span{to} }

type span struct{ to *time.Duration }

func (d span) Target() any { return d.to }

func (d span) String() string { return d.to.String() }

func (d span) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf(`must be a span of time as in "90s" or "2m", got %s`, Shown(s))
	}
	if v < 0 {
		return fmt.Errorf("must not be negative, got %s", Shown(s))
	}
	*d.to = v
	return nil
}

const day = 24 * time.Hour

// Days is a span of time that may be written in days, between two others.
func Days(to *time.Duration, least, most time.Duration) Value { return days{span{to}, least, most} }

type days struct {
	span
	least, most time.Duration
}

func (d days) String() string {
	if v := *d.to; v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	return d.span.String()
}

func (d days) Set(s string) error {
	before := *d.to
	if n, err := strconv.ParseUint(strings.TrimSuffix(s, "d"), 10, 31); err == nil && strings.HasSuffix(s, "d") {
		*d.to = time.Duration(min(n, math.MaxInt64/uint64(day)) * uint64(day))
	} else if err := d.span.Set(s); err != nil {
		return fmt.Errorf(`must be a span of time as in "100d" or "36h", got %s`, Shown(s))
	}
	if v := *d.to; v < d.least || v > d.most {
		*d.to = before
		return fmt.Errorf("must be between %s and %dd, got %s", d.least, d.most/day, Shown(s))
	}
	return nil
}

func format(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// Shown writes a value on one line: as it is when that is clear, in quotes when it is not.
func Shown(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strconv.Quote(s) != `"`+s+`"` {
		return strconv.Quote(s)
	}
	return s
}

// Printable is the rule of all text: what is not would break headers and lines further on. The value
// is not repeated: it may be a secret.
func Printable(s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return errors.New("must be one line of printable text")
	}
	return nil
}

// Name is text that must be there.
func Name(s string) error {
	if s == "" {
		return errors.New("must not be empty")
	}
	return Printable(s)
}

// ID is a name that topics and tags can carry.
func ID(s string) error { return nhip.CheckID("", s) }

// Listen is an address to listen on; port 0 is a free one.
func Listen(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil || strings.ContainsAny(s, " \t") {
		return fmt.Errorf("must be host:port, got %q", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("the port must be between 0 and %d, got %q", math.MaxUint16, port)
	}
	return nil
}

// WebAddress is an http or https URL, or nothing.
func WebAddress(s string) error {
	if s == "" {
		return nil
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("must be an http or https address, got %q", withoutUser(s))
	}
	return nil
}

// BrokerAddress is where an MQTT broker is, or nothing. A user in it would be told in logs.
func BrokerAddress(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || !slices.Contains([]string{"tcp", "mqtt", "ssl", "mqtts"}, u.Scheme) || u.Port() == "" || u.Hostname() == "" || u.Path != "" || u.User != nil {
		return fmt.Errorf("must be an address as in tcp://host:1883 or, with TLS, ssl://host:8883, without a user, got %q", withoutUser(s))
	}
	return nil
}

// Zone is the name of a time zone, or nothing.
func Zone(s string) error {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" { // which is no place
		return fmt.Errorf("must be a time zone as in Asia/Ho_Chi_Minh, got %s", Shown(s))
	}
	return nil
}

// SpeedUnit is what a speed is in, or nothing.
func SpeedUnit(s string) error {
	if s != "" && s != "km/h" && s != "m/s" {
		return fmt.Errorf("must be km/h or m/s, got %s", Shown(s))
	}
	return nil
}

// withoutUser cuts off what may be a user's password from an address that can't be read.
func withoutUser(s string) string {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		return "…" + s[at:]
	}
	return s
}

// Choice is one of some words.
func Choice(to *string, words ...string) Value {
	return text{to, func(s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("must be %s, got %s", enumerate(words), Shown(s))
		}
		return nil
	}}
}

// enumerate writes words as in "a, b or c".
func enumerate(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// Switch is on (true) or off (false).
func Switch(to *bool) Value { return toggle{to} }

type toggle struct{ to *bool }

func (t toggle) Target() any { return t.to }

func (t toggle) String() string { return strconv.FormatBool(*t.to) }

func (t toggle) Set(s string) error {
	if s != "true" && s != "false" {
		return fmt.Errorf("must be true or false, got %s", Shown(s))
	}
	*t.to = s == "true"
	return nil
}

// Words is a list of texts that all keep a rule. A file writes it as a list, elsewhere commas part it.
func Words(to *[]string, rule func(string) error) Value { return words{to, rule} }

type words struct {
	to   *[]string
	rule func(string) error
}

func (w words) Target() any { return w.to }

func (w words) String() string { return strings.Join(*w.to, ", ") }

func (w words) of() string { return "texts" }

func (w words) Set(s string) error {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return w.setList(parts)
}

func (w words) setList(parts []string) error {
	for _, part := range parts {
		if err := w.rule(part); err != nil {
			return err
		}
	}
	*w.to = parts
	return nil
}

// Moment is a time, or the midnight that a day of Hanoi begins with.
func Moment(to *time.Time) Value { return moment{to} }

type moment struct{ to *time.Time }

func (m moment) Target() any { return m.to }

func (m moment) String() string {
	if m.to.IsZero() {
		return ""
	}
	return m.to.Format(time.RFC3339)
}

// dayZone is where days of the calendar begin: Việt Nam has had one offset since 1975.
var dayZone = time.FixedZone("+07", 7*60*60)

func (m moment) Set(s string) error {
	if t, err := time.ParseInLocation(time.DateOnly, s, dayZone); err == nil {
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
