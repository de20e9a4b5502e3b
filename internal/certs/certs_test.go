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

	"nhip/internal/certs/certstest"
)

// bench is a server's files, and who signs them.
type bench struct {
	Files
	city, devices *certstest.Authority
}

func newBench(t *testing.T) *bench {
	dir := t.TempDir()
	b := &bench{
		Files: Files{
			Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem"),
			ClientCA: filepath.Join(dir, "ca.pem"), CRL: filepath.Join(dir, "crl.pem"),
		},
		city: certstest.New(t, "city"), devices: certstest.New(t, "devices"),
	}
	certstest.WritePair(t, b.city.Issue("first", time.Now().Add(time.Hour)), b.Cert, b.Key)
	b.devices.Write(b.ClientCA)
	b.devices.WriteRevoked(b.CRL)
	return b
}

// serve answers each connection with the client's name.
func (b *bench) serve(t *testing.T) (addr string, c *tls.Config) {
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
			greet(conn.(*tls.Conn))
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-ended })
	return l.Addr().String(), c
}

func greet(conn *tls.Conn) {
	defer conn.Close()
	if conn.Handshake() != nil {
		return
	}
	name := "nobody"
	if shown := conn.ConnectionState().PeerCertificates; len(shown) > 0 {
		name = shown[0].Subject.CommonName
	}
	_, _ = conn.Write([]byte(name))
}

// greeted is what the server calls a client, and how the server is called; "" when it refuses.
func (b *bench) greeted(t *testing.T, addr string, version uint16, show ...tls.Certificate) (client, server string) {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: b.city.Pool(), Certificates: show, MaxVersion: version})
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

func TestWhoIsLetIn(t *testing.T) {
	b := newBench(t)
	good := b.devices.Issue("bus-1", time.Now().Add(time.Hour))
	taken := b.devices.Issue("bus-2", time.Now().Add(time.Hour))
	b.devices.WriteRevoked(b.CRL, taken)
	addr, _ := b.serve(t)
	for name, c := range map[string]struct {
		show []tls.Certificate
		want string
	}{
		"no certificate":       {nil, "nobody"},
		"one of ours":          {[]tls.Certificate{good}, "bus-1"},
		"one of another's":     {[]tls.Certificate{certstest.New(t, "devices").Issue("bus-1", time.Now().Add(time.Hour))}, ""},
		"one that has expired": {[]tls.Certificate{b.devices.Issue("bus-1", time.Now().Add(-time.Minute))}, ""},
		"one that was revoked": {[]tls.Certificate{taken}, ""},
		"one not asked for":    {[]tls.Certificate{b.city.Issue("bus-1", time.Now().Add(time.Hour))}, "nobody"},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			if got, _ := b.greeted(t, addr, version, c.show...); got != c.want {
				t.Errorf("%s, TLS %x: greeted as %q, want %q", name, version, got, c.want)
			}
		}
	}
	if got, _ := b.greeted(t, addr, tls.VersionTLS11); got != "" {
		t.Error("TLS 1.1 is spoken")
	}
}

func TestNewFilesAreTakenUp(t *testing.T) {
	b := newBench(t)
	bus := b.devices.Issue("bus-1", time.Now().Add(time.Hour))
	source := &Source{files: b.Files, log: slog.New(slog.DiscardHandler), seen: b.stamps()}
	var err error
	if source.held, err = b.read(); err != nil {
		t.Fatal(err)
	}
	look := func() *tls.Config { source.looked = time.Time{}; return source.current() }
	first := look()
	if err := os.WriteFile(b.Key, []byte("half a ke"), 0o600); err != nil {
		t.Fatal(err)
	}
	if look() != first {
		t.Error("a key that can't be read is taken up")
	}
	certstest.WritePair(t, b.city.Issue("second, with a longer name", time.Now().Add(time.Hour)), b.Cert, b.Key)
	second := look()
	if second == first || second.Certificates[0].Leaf.Subject.CommonName != "second, with a longer name" {
		t.Error("a new certificate is not taken up")
	}
	b.devices.WriteRevoked(b.CRL, bus)
	third := look()
	chains := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{bus.Leaf, b.devices.Cert}}}
	if second.VerifyConnection(chains) != nil || third.VerifyConnection(chains) == nil {
		t.Error("a new revocation is not taken up")
	}
	if source.current() != third {
		t.Error("unchanged files make another configuration")
	}
}

func TestFilesThatCantBe(t *testing.T) {
	for name, spoil := range map[string]func(*bench){
		"no certificate":            func(b *bench) { b.Cert += "x" },
		"no authority":              func(b *bench) { b.ClientCA = b.Key },
		"no list":                   func(b *bench) { b.CRL = b.Cert },
		"a list of somebody else's": func(b *bench) { b.city.WriteRevoked(b.CRL) },
	} {
		b := newBench(t)
		spoil(b)
		if _, err := b.Load(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), " ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
