package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"nhip"
)

// value is what a key sets, whoever sets it: file, variable and flag all hand over text. set leaves
// the value as it is when the text breaks its rule.
type value interface {
	set(text string) error
	String() string // as set reads it
}

// text is any text that keeps its rule.
type text struct {
	to   *string
	rule func(string) error
}

func (t text) String() string { return *t.to }

func (t text) set(s string) error {
	if err := t.rule(s); err != nil {
		return err
	}
	*t.to = s
	return nil
}

// number lies between two others, both included.
type number struct {
	to          *float64
	least, most float64
}

func (n number) String() string { return format(*n.to) }

func (n number) set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= n.least && v <= n.most) { // not a number is not between either
		return fmt.Errorf("must be between %s and %s, got %s", format(n.least), format(n.most), shown(s))
	}
	*n.to = v
	return nil
}

// count is a whole number from 0 on.
type count struct {
	to   *int64
	most int64
}

func (c count) String() string { return strconv.FormatInt(*c.to, 10) }

func (c count) set(s string) error {
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 0 || v > c.most {
		return fmt.Errorf("must be a whole number between 0 and %d, got %s", c.most, shown(s))
	}
	*c.to = v
	return nil
}

// size is a number of bytes, written with a unit of 1,024 of the one before: "512MB", "16GB".
type size struct {
	to    *int64
	least int64
}

// sizeUnits are the largest first.
var sizeUnits = []struct {
	name  string
	bytes int64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

func (b size) String() string { return formatSize(*b.to) }

func formatSize(n int64) string {
	for _, u := range sizeUnits {
		if n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return ""
}

func (b size) set(s string) error {
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
			return fmt.Errorf("must be at least %s, got %s", formatSize(b.least), shown(s))
		}
		*b.to = n * u.bytes
		return nil
	}
	return fmt.Errorf(`must be a size as in "512MB" or "16GB", got %s`, shown(s))
}

// point is a place on the map.
type point struct{ to *[]float64 }

func (p point) String() string {
	all := make([]string, len(*p.to))
	for i, v := range *p.to {
		all[i] = format(v)
	}
	return strings.Join(all, ", ")
}

func (p point) set(s string) error {
	lon, lat, _ := strings.Cut(s, ",")
	x, err1 := strconv.ParseFloat(strings.TrimSpace(lon), 64)
	y, err2 := strconv.ParseFloat(strings.TrimSpace(lat), 64)
	if err1 != nil || err2 != nil || !(math.Abs(x) <= 180 && math.Abs(y) <= 90) {
		return fmt.Errorf("must be longitude, latitude in degrees, got %s", shown(s))
	}
	*p.to = []float64{x, y}
	return nil
}

// span is a span of time, never negative.
type span struct{ to *Duration }

func (d span) String() string { return time.Duration(*d.to).String() }

func (d span) set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf(`must be a span of time as in "90s" or "2m", got %s`, shown(s))
	}
	if v < 0 {
		return fmt.Errorf("must not be negative, got %s", shown(s))
	}
	*d.to = Duration(v)
	return nil
}

const day = 24 * time.Hour

// days is a span of time that may be written in days, between two others.
type days struct {
	span
	least, most time.Duration
}

func (d days) String() string {
	if v := time.Duration(*d.to); v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	return d.span.String()
}

func (d days) set(s string) error {
	before := *d.to
	if n, err := strconv.ParseUint(strings.TrimSuffix(s, "d"), 10, 31); err == nil && strings.HasSuffix(s, "d") {
		*d.to = Duration(min(n, math.MaxInt64/uint64(day)) * uint64(day))
	} else if err := d.span.set(s); err != nil {
		return fmt.Errorf(`must be a span of time as in "100d" or "36h", got %s`, shown(s))
	}
	if v := time.Duration(*d.to); v < d.least || v > d.most {
		*d.to = before
		return fmt.Errorf("must be between %s and %dd, got %s", d.least, d.most/day, shown(s))
	}
	return nil
}

func format(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// shown writes a value on one line: as it is when that is clear, in quotes when it is not.
func shown(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strconv.Quote(s) != `"`+s+`"` {
		return strconv.Quote(s)
	}
	return s
}

// printable is the rule of all text: what is not would break headers and lines further on. The value
// is not repeated: it may be a secret.
func printable(s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return errors.New("must be one line of printable text")
	}
	return nil
}

// name is text that must be there.
func name(s string) error {
	if s == "" {
		return errors.New("must not be empty")
	}
	return printable(s)
}

// id is a name that topics and tags can carry.
func id(s string) error { return nhip.CheckID("", s) }

// listen is an address to listen on; port 0 is a free one.
func listen(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil || strings.ContainsAny(s, " \t") {
		return fmt.Errorf("must be host:port, got %q", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("the port must be between 0 and %d, got %q", math.MaxUint16, port)
	}
	return nil
}

// webAddress is an http or https URL, or nothing.
func webAddress(s string) error {
	if s == "" {
		return nil
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("must be an http or https address, got %q", withoutUser(s))
	}
	return nil
}

// brokerAddress is where an MQTT broker is, or nothing. A user in it would be told in logs.
func brokerAddress(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "mqtt" || u.Port() == "" || u.Hostname() == "" || u.Path != "" || u.User != nil {
		return fmt.Errorf("must be an address as in tcp://host:1883, without a user, got %q", withoutUser(s))
	}
	return nil
}

// zone is the name of a time zone, or nothing.
func zone(s string) error {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" { // which is no place
		return fmt.Errorf("must be a time zone as in Asia/Ho_Chi_Minh, got %s", shown(s))
	}
	return nil
}

// speedUnit is what a speed is in, or nothing.
func speedUnit(s string) error {
	if s != "" && s != "km/h" && s != "m/s" {
		return fmt.Errorf("must be km/h or m/s, got %s", shown(s))
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
