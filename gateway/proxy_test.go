package gateway

import (
	"bufio"
	"net/http"
	"net/netip"
	"testing"

	"nhip/internal/awaittest"
	"nhip/internal/httpserver"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// startBehindProxy starts a gateway with a public WebSocket behind a proxy of the loopback network.
func startBehindProxy(t *testing.T, o Options) *public {
	t.Helper()
	proxy, err := httpserver.ParseProxy("127.0.0.0/8")
	if err != nil {
		t.Fatal(err)
	}
	o.Public.Proxies = httpserver.Proxies{proxy}
	return startPublicOn(t, transports[0], o)
}

// dialFor sends the request that a proxy would send for a client, and returns the status of the answer.
func (p *public) dialFor(t *testing.T, forwarded string) (*rawGuest, int) {
	t.Helper()
	conn := p.dialConn(t)
	r := &rawGuest{&rawClient{Conn: conn}, bufio.NewReaderSize(conn, 512), true}
	r.send([]byte(upgrade + "X-Forwarded-For: " + forwarded + "\r\n\r\n"))
	resp, err := http.ReadResponse(r.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return r, resp.StatusCode
}

// TestGuestsBehindProxyCountForTheirAddress: the shares are those of the clients, not that of the proxy.
func TestGuestsBehindProxyCountForTheirAddress(t *testing.T) {
	p := startBehindProxy(t, Options{Limits: Limits{PerAddress: 2}, Public: PublicOptions{Anonymous: true}})
	dial := func(client string, want int) *rawGuest {
		t.Helper()
		r, status := p.dialFor(t, client)
		if status != want {
			t.Fatalf("a connection for %s is answered %d, want %d", client, status, want)
		}
		return r
	}
	first := dial("203.0.113.7", http.StatusSwitchingProtocols)
	first.logIn(t, guestConnect)
	dial("198.51.100.1, 203.0.113.7, 127.0.0.9", http.StatusSwitchingProtocols) // through a second proxy
	dial("203.0.113.8", http.StatusSwitchingProtocols)
	dial("2001:db8::1", http.StatusSwitchingProtocols)
	dial("2001:db8::2", http.StatusSwitchingProtocols)
	dial("203.0.113.7", http.StatusTooManyRequests)
	dial("2001:db8::3", http.StatusTooManyRequests) // a /64 has one share
	if n := testutil.ToFloat64(p.hook.metrics.limited.WithLabelValues(classAddress)); n != 2 {
		t.Errorf("%v refusals counted, want 2", n)
	}
	_ = first.Close()
	awaittest.True(t, "the share is free again", func() bool {
		_, status := p.dialFor(t, "203.0.113.7")
		return status == http.StatusSwitchingProtocols
	})
}

// TestGuestsOfProxyHaveABoundInAll: the connections of a proxy have no share of its address, and count with all others.
func TestGuestsOfProxyHaveABoundInAll(t *testing.T) {
	p := startBehindProxy(t, Options{
		Limits: Limits{Connections: 2, PerAddress: 1, ConnectRate: 1}, Public: PublicOptions{Anonymous: true},
	})
	for _, client := range []string{"203.0.113.7", "203.0.113.8"} {
		if _, status := p.dialFor(t, client); status != http.StatusSwitchingProtocols {
			t.Fatalf("answered %d", status)
		}
	}
	r := &rawClient{p.dialConn(t), t}
	if _, closed := r.readToEnd(); !closed {
		t.Error("a third connection is open")
	}
	if n := testutil.ToFloat64(p.hook.metrics.limited.WithLabelValues(classConnections)); n != 1 {
		t.Errorf("%v refusals counted, want 1", n)
	}
}

// TestWrongSecretsCountForTheClientOfAProxy: guesses slow down the guest who guesses, not everybody behind the proxy.
func TestWrongSecretsCountForTheClientOfAProxy(t *testing.T) {
	p := startBehindProxy(t, Options{})
	r, _ := p.dialFor(t, "203.0.113.9")
	r.sendPacket(connectAs("x", "wrong"))
	if answer := r.payload(); len(answer) < 4 || answer[3] == 0 {
		t.Fatalf("CONNACK %x", answer)
	}
	a := p.hook.addresses
	a.mu.Lock()
	defer a.mu.Unlock()
	if one := a.known[netip.MustParseAddr("203.0.113.9")]; one == nil || len(a.known) != 1 {
		t.Errorf("the failed log-in counts for %v", a.known)
	}
}

// TestForwardedHeaderNeedsTrust: without http.trusted_proxies the header is not believed.
func TestForwardedHeaderNeedsTrust(t *testing.T) {
	p := startPublicOn(t, transports[0], Options{Public: PublicOptions{}})
	r, _ := p.dialFor(t, "203.0.113.9")
	r.sendPacket(connectAs("x", "wrong"))
	r.payload()
	a := p.hook.addresses
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known[netip.MustParseAddr("203.0.113.9")] != nil {
		t.Error("the header of a stranger is believed")
	}
}
