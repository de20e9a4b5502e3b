package httpserver

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks of the proxies whose X-Forwarded-For header is believed.
type Proxies []netip.Prefix

// ParseProxy parses an address or a network, as in 10.0.0.5 or 10.0.0.0/8.
func ParseProxy(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		at, err := netip.ParseAddr(s)
		if err != nil {
			return netip.Prefix{}, err
		}
		at = at.Unmap().WithZone("")
		return netip.PrefixFrom(at, at.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// Contains reports whether an address is one of a proxy.
func (p Proxies) Contains(at netip.Addr) bool {
	at = at.Unmap().WithZone("")
	for _, network := range p {
		if network.Contains(at) {
			return true
		}
	}
	return false
}

// ClientAddr returns the address of the client of a request: that of the connection or, if that is a trusted proxy's,
// the last address in X-Forwarded-For that is not. What a client writes itself into the header comes before that, and
// is not believed.
func ClientAddr(r *http.Request) netip.Addr { return clientAddrPort(r).Addr() }

// clientAddrPort is ClientAddr with the port of the client, 0 if a proxy does not forward it.
func clientAddrPort(r *http.Request) netip.AddrPort {
	peer := parseAddrPort(r.RemoteAddr)
	b, _ := r.Context().Value(boundsKey{}).(*bounds)
	if b == nil || !b.o.Limits.Proxies.Contains(peer.Addr()) {
		return peer
	}
	return b.o.Limits.Proxies.forwarded(r.Header.Values("X-Forwarded-For"), peer)
}

// forwarded returns the last address of X-Forwarded-For headers that is not a proxy's. peer is the proxy that sent
// them.
func (p Proxies) forwarded(headers []string, peer netip.AddrPort) netip.AddrPort {
	for i := len(headers) - 1; i >= 0; i-- {
		rest := headers[i]
		for more := true; more; {
			part := rest
			var at int
			if at = strings.LastIndexByte(rest, ','); at >= 0 {
				part, rest = rest[at+1:], rest[:at]
			}
			more = at >= 0
			hop := parseAddrPort(strings.TrimSpace(part))
			if !hop.Addr().IsValid() {
				return peer
			}
			if !p.Contains(hop.Addr()) {
				return hop
			}
			peer = hop
		}
	}
	return peer
}

// ShareAddr returns the address that a request counts for: that of its client, or the /64 of an IPv6 address.
func ShareAddr(r *http.Request) netip.Addr { return Prefix(ClientAddr(r)) }

// ShareAddrPort returns ShareAddr and the port of the client, which tells the clients of one address apart; 0 if a
// proxy does not forward it.
func ShareAddrPort(r *http.Request) netip.AddrPort {
	from := clientAddrPort(r)
	return netip.AddrPortFrom(Prefix(from.Addr()), from.Port())
}

// Prefix returns an IPv4 address as it is and the /64 of an IPv6 address: one customer has 2^64 of those.
func Prefix(at netip.Addr) netip.Addr {
	if at.Is6() {
		p, _ := at.Prefix(64) // never fails
		return p.Addr()
	}
	return at
}

// parseAddrPort parses an address with or without a port, which is then 0, like parseAddr.
func parseAddrPort(s string) netip.AddrPort {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
	}
	return netip.AddrPortFrom(parseAddr(s), 0)
}

// parseAddr parses an address with or without a port. An IPv4 address in IPv6 becomes IPv4. The result is invalid if
// the text is.
func parseAddr(s string) netip.Addr {
	at, err := netip.ParseAddr(s)
	if err != nil {
		host, _, splitErr := net.SplitHostPort(s)
		if splitErr != nil {
			host = strings.Trim(s, "[]")
		}
		at, _ = netip.ParseAddr(host)
	}
	return at.Unmap().WithZone("")
}
