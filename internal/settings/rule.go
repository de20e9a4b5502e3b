package settings

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"nhip"
)

// Shown returns a text for display on one line: as it is if that is unambiguous, else in quotes.
func Shown(s string) string {
	if s == "" || strings.TrimSpace(s) != s || strconv.Quote(s) != `"`+s+`"` {
		return strconv.Quote(s)
	}
	return s
}

// Printable is the rule of all texts: other characters would break headers and log lines. Its error does not contain
// the text, which may be a secret.
func Printable(s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return errors.New("must be one line of printable text")
	}
	return nil
}

// Name accepts any printable text that is not empty.
func Name(s string) error {
	if s == "" {
		return errors.New("must not be empty")
	}
	return Printable(s)
}

// ID accepts the ids that MQTT topics and InfluxDB tags can carry.
func ID(s string) error { return nhip.CheckID("", s) }

// Listen accepts an address to listen on. Port 0 picks a free port.
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

// Network accepts an IP address or a network, as in 10.0.0.5 or fd00::/8, or an empty text.
func Network(s string) error {
	if s == "" {
		return nil
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return nil
	}
	if _, err := netip.ParseAddr(s); err != nil {
		return fmt.Errorf("must be an address or a network, as in 10.0.0.5 or fd00::/8, got %s", Shown(s))
	}
	return nil
}

// WebAddress accepts an http or https URL, or an empty text.
func WebAddress(s string) error {
	if s == "" {
		return nil
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("must be an http or https address, got %q", withoutUser(s))
	}
	return nil
}

// BrokerAddress accepts the URL of an MQTT broker, or an empty text. It refuses a user name and password in the URL,
// because logs contain the URL.
func BrokerAddress(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || !slices.Contains([]string{"tcp", "mqtt", "ssl", "mqtts"}, u.Scheme) ||
		u.Port() == "" || u.Hostname() == "" || u.Path != "" || u.User != nil {
		return fmt.Errorf(
			"must be an address as in tcp://host:1883 or, with TLS, ssl://host:8883, without a user, got %q", withoutUser(s))
	}
	return nil
}

// QueueAddress accepts the URI of an AMQP 0-9-1 broker. The error contains no password.
func QueueAddress(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "amqp" && u.Scheme != "amqps" || u.Hostname() == "" || u.RawQuery != "" ||
		u.Fragment != "" || Printable(s) != nil || strings.Contains(s, " ") {
		return fmt.Errorf("must be an address as in amqp://user@host:5672/vhost or, with TLS, amqps://user@host/vhost, "+
			"with other characters in the password as %%XX, got %q", withoutUser(s))
	}
	return nil
}

// Zone accepts the name of a time zone, or an empty text.
func Zone(s string) error {
	if _, err := time.LoadLocation(s); err != nil || s == "Local" { // Local differs between machines
		return fmt.Errorf("must be a time zone as in Asia/Ho_Chi_Minh, got %s", Shown(s))
	}
	return nil
}

// SpeedUnit accepts a unit of speeds, or an empty text.
func SpeedUnit(s string) error {
	if s != "" && s != "km/h" && s != "m/s" {
		return fmt.Errorf("must be km/h or m/s, got %s", Shown(s))
	}
	return nil
}

// withoutUser removes from an invalid address what may be a user name and password.
func withoutUser(s string) string {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		return "…" + s[at:]
	}
	return s
}
