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
