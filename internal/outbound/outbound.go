// Package outbound makes HTTP requests to addresses outside the platform: polled feeds, webhooks and timetables. A
// server that it asks, and whoever answers for a name in the DNS, is a stranger:
//
//   - It connects to public addresses only, and to those that the operator allows. Each address is checked when the
//     connection is made, after the name was resolved, so that a name can't lead to an internal address later.
//   - It follows a redirect only to the same host, and never from https to http.
//   - An answer has a maximum size and a time limit.
//   - Errors name the host and nothing else of an address, which may contain a key.
//   - Proxies of the environment are used only if the operator says so.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Bounds of a request.
const (
	dialTimeout    = 10 * time.Second // also of the TLS handshake
	headerTimeout  = 30 * time.Second // until the header of the answer
	idleTimeout    = 90 * time.Second
	maxHeader      = 64 << 10 // bytes
	maxRedirects   = 5
	maxIdlePerHost = 2
)

// Environment is the value of Policy.Proxy that stands for HTTP_PROXY and its like.
const Environment = "environment"

// Policy is what an operator allows.
type Policy struct {
	Allow []string // addresses and prefixes that are allowed although they are internal, as in "10.0.0.0/8"
	Proxy string   // address of a proxy for all requests, or Environment; "": none
}

// Options configure a client.
type Options struct {
	Policy
	Timeout  time.Duration // of a request with its answer
	MaxBytes int64         // of an answer, decompressed
}

// ParseAllow parses one entry of Policy.Allow.
func ParseAllow(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, errors.New("must be an address or a prefix as in 10.0.0.0/8")
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// CheckProxy returns an error if a text is no value of Policy.Proxy.
func CheckProxy(s string) error {
	if s == "" || s == Environment {
		return nil
	}
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New(`must be an http or https address, or "environment"`)
	}
	return nil
}

// New returns a client. The error names what is wrong in the policy.
func New(o Options) (*http.Client, error) {
	g := &guard{}
	for _, s := range o.Allow {
		if s == "" { // an empty list as text
			continue
		}
		p, err := ParseAllow(s)
		if err != nil {
			return nil, fmt.Errorf("%q %w", s, err)
		}
		g.allowed = append(g.allowed, p)
	}
	if err := CheckProxy(o.Proxy); err != nil {
		return nil, err
	}
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: idleTimeout}
	t := &http.Transport{
		TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: headerTimeout, IdleConnTimeout: idleTimeout,
		MaxResponseHeaderBytes: maxHeader, MaxIdleConnsPerHost: maxIdlePerHost, ForceAttemptHTTP2: true,
	}
	switch o.Proxy {
	case "":
		d.ControlContext = g.control
	case Environment: // the proxy is the operator's, and so is what it connects to
		t.Proxy = http.ProxyFromEnvironment
	default:
		u, _ := url.Parse(o.Proxy) // checked above
		t.Proxy = http.ProxyURL(u)
	}
	t.DialContext = d.DialContext
	return &http.Client{
		Transport:     &transport{base: t, guard: g, most: o.MaxBytes},
		CheckRedirect: checkRedirect,
		Timeout:       o.Timeout,
	}, nil
}

// guard decides about addresses.
type guard struct{ allowed []netip.Prefix }

// control is called with each address before a connection is made to it.
func (g *guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errors.New("address without an IP address refused")
	}
	return g.check(at.Addr())
}

// check returns an error for an address that is neither public nor allowed.
func (g *guard) check(a netip.Addr) error {
	a = a.Unmap().WithZone("")
	if slices.ContainsFunc(g.allowed, func(p netip.Prefix) bool { return p.Contains(a) }) {
		return nil
	}
	if !public(a) {
		return fmt.Errorf("%s is not a public address; outgoing.allow can allow it", a)
	}
	return nil
}

// public reports whether an address is a public one of the internet. An address that contains an IPv4 address is public
// if that one is.
func public(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() || slices.ContainsFunc(reserved, func(p netip.Prefix) bool {
		return p.Contains(a)
	}) {
		return false
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return public(netip.AddrFrom4([4]byte(b[12:])))
	case sixToFour.Contains(a):
		return public(netip.AddrFrom4([4]byte(b[2:6])))
	}
	return true
}

// The prefixes of IPv6 that contain IPv4 addresses (RFC 6052, RFC 3056).
var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// reserved are prefixes that no public server has, from IANA's registries of special-purpose addresses.
var reserved = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "fec0::/10",
)

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, s := range all {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// checkRedirect allows redirects within a host.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case !strings.EqualFold(req.URL.Hostname(), first.Hostname()):
		return fmt.Errorf("redirect to another host, %s, refused", req.URL.Hostname())
	case via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https":
		return errors.New("redirect from https to http refused")
	case req.URL.Port() != first.Port() && !(first.Port() == "" && req.URL.Port() == ""):
		return fmt.Errorf("redirect to another port, %s, refused", req.URL.Port())
	}
	return nil
}

// transport checks addresses that are written in a URL, which a proxy would connect to, and bounds answers.
type transport struct {
	base  *http.Transport
	guard *guard
	most  int64
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if a, err := netip.ParseAddr(req.URL.Hostname()); err == nil {
		if err := t.guard.check(a); err != nil {
			return nil, err
		}
	}
	resp, err := t.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &boundedBody{ReadCloser: resp.Body, left: t.most, most: t.most}
	return resp, nil
}

// CloseIdleConnections closes idle connections.
func (t *transport) CloseIdleConnections() { t.base.CloseIdleConnections() }

// boundedBody fails beyond its bound.
type boundedBody struct {
	io.ReadCloser
	left, most int64
}

// Read reads up to the bound.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", b.most)
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return n - 1, fmt.Errorf("the answer has more than %d bytes", b.most)
	}
	return n, err
}

// Name returns the scheme and host of an address for logs and errors. The rest may contain a key.
func Name(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "the address"
	}
	return u.Scheme + "://" + u.Host
}

// Redact returns an error of a request without the parts of the address that may contain a key.
func Redact(err error) error {
	var e *url.Error
	if !errors.As(err, &e) {
		return err
	}
	inner := Redact(e.Err)
	if e.URL == "" {
		return inner
	}
	return fmt.Errorf("%s: %w", Name(e.URL), inner)
}
