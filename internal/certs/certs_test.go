package certs

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/certs/certstest"
)

// testServer holds the files of a server, and the authorities of servers and devices.
type testServer struct {
	Files
	servers, devices *certstest.Authority
}

func newTestServer(t *testing.T) *testServer {
	dir := t.TempDir()
	b := &testServer{
		Files: Files{
			Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
			ClientCA: filepath.Join(dir, "ca.pem"), CRL: filepath.Join(dir, "crl.pem"),
		},
		servers: certstest.New(t, "servers"), devices: certstest.New(t, "devices"),
	}
	certstest.WritePair(t, b.servers.Issue("first", time.Now().Add(time.Hour)), b.Cert, b.Key)
	b.devices.Write(b.ClientCA)
	b.devices.WriteRevoked(b.CRL)
	return b
}

// serve sends to each connection the common name in the client's certificate.
func (b *testServer) serve(t *testing.T) (addr string, c *tls.Config) {
	t.Helper()
	c, err := b.Load(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", c)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			writeClientName(conn.(*tls.Conn))
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return l.Addr().String(), c
}

func writeClientName(conn *tls.Conn) {
	defer conn.Close()
	if conn.Handshake() != nil {
		return
	}
	name := "none"
	if chain := conn.ConnectionState().PeerCertificates; len(chain) > 0 {
		name = chain[0].Subject.CommonName
	}
	_, _ = conn.Write([]byte(name))
}

// connect returns the name of the client as the server read it, and the name of the server; "" if the connection
// failed.
func (b *testServer) connect(t *testing.T, addr string, version uint16, certificates ...tls.Certificate) (client,
	server string,
) {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{
		RootCAs: b.servers.Pool(), Certificates: certificates, MaxVersion: version,
	})
	if err != nil {
		return "", ""
	}
	defer conn.Close()
	name, err := io.ReadAll(conn)
	if err != nil {
		return "", ""
	}
	return string(name), conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestClientCertificates(t *testing.T) {
	b := newTestServer(t)
	good := b.devices.Issue("bus-1", time.Now().Add(time.Hour))
	revoked := b.devices.Issue("bus-2", time.Now().Add(time.Hour))
	b.devices.WriteRevoked(b.CRL, revoked)
	addr, _ := b.serve(t)
	for name, c := range map[string]struct {
		certificates []tls.Certificate
		want         string
	}{
		"no certificate": {nil, "none"},
		"valid":          {[]tls.Certificate{good}, "bus-1"},
		"of another authority": {
			[]tls.Certificate{certstest.New(t, "devices").Issue("bus-1", time.Now().Add(time.Hour))}, "",
		},
		"expired":                   {[]tls.Certificate{b.devices.Issue("bus-1", time.Now().Add(-time.Minute))}, ""},
		"revoked":                   {[]tls.Certificate{revoked}, ""},
		"of the servers' authority": {[]tls.Certificate{b.servers.Issue("bus-1", time.Now().Add(time.Hour))}, "none"},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			if got, _ := b.connect(t, addr, version, c.certificates...); got != c.want {
				t.Errorf("%s, TLS %x: connected as %q, want %q", name, version, got, c.want)
			}
		}
	}
	if got, _ := b.connect(t, addr, tls.VersionTLS11); got != "" {
		t.Error("TLS 1.1 is accepted")
	}
}

func TestChangedFilesAreLoaded(t *testing.T) {
	b := newTestServer(t)
	bus := b.devices.Issue("bus-1", time.Now().Add(time.Hour))
	source := &Source{files: b.Files, log: slog.New(slog.DiscardHandler), seen: b.stamps()}
	var err error
	if source.config, err = b.read(source.log); err != nil {
		t.Fatal(err)
	}
	reload := func() *tls.Config { source.checked = time.Time{}; return source.current() }
	first := reload()
	if err := os.WriteFile(b.Key, []byte("half a ke"), 0o600); err != nil {
		t.Fatal(err)
	}
	if reload() != first {
		t.Error("an invalid key was loaded")
	}
	certstest.WritePair(t, b.servers.Issue("second, with a longer name", time.Now().Add(time.Hour)), b.Cert, b.Key)
	second := reload()
	if second == first || second.Certificates[0].Leaf.Subject.CommonName != "second, with a longer name" {
		t.Error("a new certificate was not loaded")
	}
	b.devices.WriteRevoked(b.CRL, bus)
	third := reload()
	chains := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{bus.Leaf, b.devices.Cert}}}
	if second.VerifyConnection(chains) != nil || third.VerifyConnection(chains) == nil {
		t.Error("a new revocation was not loaded")
	}
	if source.current() != third {
		t.Error("unchanged files were loaded again")
	}
}

func TestLoadRejectsInvalidFiles(t *testing.T) {
	for name, spoil := range map[string]func(*testServer){
		"no certificate":              func(b *testServer) { b.Cert += "x" },
		"no authority":                func(b *testServer) { b.ClientCA = b.Key },
		"no list":                     func(b *testServer) { b.CRL = b.Cert },
		"a list of another authority": func(b *testServer) { b.servers.WriteRevoked(b.CRL) },
	} {
		b := newTestServer(t)
		spoil(b)
		if _, err := b.Load(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), " ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOutdatedRevocationListRefusesCertificates: a list that has expired, or is not valid yet, says nothing about
// certificates that were revoked since. Clients without a certificate are not affected.
func TestOutdatedRevocationListRefusesCertificates(t *testing.T) {
	for name, span := range map[string][2]time.Duration{
		"expired": {-2 * time.Hour, -time.Hour}, "of the future": {time.Hour, 2 * time.Hour},
	} {
		b := newTestServer(t)
		b.devices.WriteRevokedFor(b.CRL, time.Now().Add(span[0]), time.Now().Add(span[1]))
		addr, _ := b.serve(t)
		bus := b.devices.Issue("bus-1", time.Now().Add(time.Hour))
		if got, _ := b.connect(t, addr, tls.VersionTLS13, bus); got != "" {
			t.Errorf("%s: connected as %q", name, got)
		}
		if got, _ := b.connect(t, addr, tls.VersionTLS13); got != "none" {
			t.Errorf("%s: without a certificate: %q", name, got)
		}
	}
}

// TestRevocationListExpiresWhileItIsInUse waits for the end of a list.
func TestRevocationListExpiresWhileItIsInUse(t *testing.T) {
	b := newTestServer(t)
	b.devices.WriteRevokedFor(b.CRL, time.Now().Add(-time.Hour), time.Now().Add(3*time.Second))
	addr, _ := b.serve(t)
	bus := b.devices.Issue("bus-1", time.Now().Add(time.Hour))
	if got, _ := b.connect(t, addr, tls.VersionTLS13, bus); got != "bus-1" {
		t.Skipf("the machine is too slow: %q", got)
	}
	awaittest.True(t, "the list has expired", func() bool {
		got, _ := b.connect(t, addr, tls.VersionTLS13, bus)
		return got == ""
	})
}
