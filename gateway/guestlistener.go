package gateway

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"

	"nhip/internal/httpserver"
)

// PublicOptions configures the public listeners, where guests read the live topics. An address is host:port; port 0
// picks a free one, and without an address there is no such listener.
type PublicOptions struct {
	WebSocket string // MQTT over WebSocket, with TLS if TLS is set
	MQTT      string // MQTT over TCP
	MQTTS     string // MQTT over TLS; needs TLS

	TLS       *tls.Config
	Anonymous bool // guests need no secret; else they need a device's secret or the operator's token

	// Proxies in front of WebSocket, whose X-Forwarded-For header is believed: a connection counts for its client.
	Proxies httpserver.Proxies
}

// The public listeners serve MQTT, over WebSocket at /mqtt. No client may publish there.
const (
	guestListenerID = "public"
	guestPath       = "/mqtt"
	guestFilters    = 64 // subscriptions: map tiles of a few zoom levels
)

// publicListeners are the listeners for guests; nil where there is none. They share one table of addresses: a guest has
// the same share however many of them it uses. The table is not that of devices, so that guests can't use up their
// connections.
type publicListeners struct {
	webSocket, mqtt, mqtts *listener
}

// errNoCertificate means that MQTT over TLS has no certificate.
var errNoCertificate = errors.New("MQTT over TLS needs a certificate")

// listenPublic binds the public listeners. After an error none is open.
func listenPublic(o Options, log *slog.Logger, m *metrics) (*publicListeners, error) {
	from := newAddresses(o.Limits)
	p := new(publicListeners)
	for _, l := range []struct {
		at      **listener
		name    string
		addr    string
		secured *tls.Config
		proxies httpserver.Proxies
	}{
		{&p.webSocket, ListenerWebSocket, o.Public.WebSocket, o.Public.TLS, o.Public.Proxies},
		{&p.mqtt, ListenerMQTT, o.Public.MQTT, nil, nil},
		{&p.mqtts, ListenerMQTTS, o.Public.MQTTS, o.Public.TLS, nil},
	} {
		if l.addr == "" {
			continue
		}
		if l.at == &p.mqtts && l.secured == nil {
			p.close()
			return nil, &ListenError{l.name, l.addr, errNoCertificate}
		}
		bound, err := net.Listen("tcp", l.addr)
		if err != nil {
			p.close()
			return nil, &ListenError{l.name, l.addr, err}
		}
		*l.at = newListener(bound, o.connectTimeout, from, log, m)
		(*l.at).byteRate, (*l.at).tls, (*l.at).proxies = guestByteRate, l.secured, l.proxies
	}
	return p, nil
}

// close closes the listeners. Closing one again has no effect.
func (p *publicListeners) close() {
	for _, l := range []*listener{p.webSocket, p.mqtt, p.mqtts} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// PublicURL returns the address for guests over WebSocket; empty if there is no such listener.
func (g *Gateway) PublicURL() string {
	switch l := g.public.webSocket; {
	case l == nil:
		return ""
	case l.tls != nil:
		return "wss://" + l.Addr().String() + guestPath
	default:
		return "ws://" + l.Addr().String() + guestPath
	}
}

// PublicMQTT returns the address for guests over TCP; empty if there is no such listener.
func (g *Gateway) PublicMQTT() string { return urlOf(g.public.mqtt) }

// PublicMQTTS returns the address for guests over TLS; empty if there is no such listener.
func (g *Gateway) PublicMQTTS() string { return urlOf(g.public.mqtts) }
