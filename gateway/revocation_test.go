package gateway

import (
	"bytes"
	"crypto/tls"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"nhip/internal/certs"
	"nhip/internal/certs/certstest"
	"nhip/internal/fleet"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// certificateServer is a gateway whose devices "good" and "lost" log in with certificates.
type certificateServer struct {
	*Gateway
	servers, devices *certstest.Authority
	files            certs.Files
}

func startWithCertificates(t *testing.T) *certificateServer {
	t.Helper()
	dir := t.TempDir()
	s := &certificateServer{
		servers: certstest.New(t, "servers"), devices: certstest.New(t, "devices"),
		files: certs.Files{
			Cert: filepath.Join(dir, "gateway.pem"), Key: filepath.Join(dir, "gateway.key"),
			ClientCA: filepath.Join(dir, "ca.pem"), CRL: filepath.Join(dir, "crl.pem"),
		},
	}
	certstest.WritePair(t, s.servers.Issue("gateway", time.Now().Add(time.Hour)), s.files.Cert, s.files.Key)
	s.devices.Write(s.files.ClientCA)
	s.devices.WriteRevoked(s.files.CRL)
	secured, err := s.files.Load(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s.Gateway = startAs(t, &fakeAcceptor{}, Options{TLS: secured})
	s.SetFleet(&fleet.Fleet{Devices: []fleet.Device{{ID: "good", Feed: "position"}, {ID: "lost", Feed: "position"}}},
		fleet.Feeds{})
	return s
}

// connect connects a device with a certificate that is valid until a time.
func (s *certificateServer) connect(t *testing.T, name string, until time.Time) (*tls.Conn, tls.Certificate) {
	t.Helper()
	c := s.devices.Issue(name, until)
	conn, err := tls.Dial("tcp", s.Addr(), &tls.Config{RootCAs: s.servers.Pool(), Certificates: []tls.Certificate{c}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	packet := append([]byte{0x10, byte(12 + len(name)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, byte(len(name))},
		name...)
	answer := make([]byte, 4)
	if _, err := conn.Write(packet); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, answer); err != nil || !bytes.Equal(answer, []byte{0x20, 2, 0, 0}) {
		t.Fatalf("%s: CONNACK %x, %v", name, answer, err)
	}
	return conn, c
}

// checkEnds checks that the gateway ends a connection, and that the other one stays.
func checkEnds(t *testing.T, lost, good *tls.Conn) {
	t.Helper()
	_ = lost.SetReadDeadline(time.Now().Add(waitFor))
	if _, err := lost.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read on the connection: %v, want EOF", err)
	}
	pong := make([]byte, 2)
	_ = good.SetReadDeadline(time.Now().Add(waitFor))
	if _, err := good.Write([]byte{0xc0, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(good, pong); err != nil || !bytes.Equal(pong, []byte{0xd0, 0}) {
		t.Errorf("ping on the other connection: %x, %v", pong, err)
	}
}

// TestRevokedCertificateEndsConnection revokes the certificate of one of two connected devices.
func TestRevokedCertificateEndsConnection(t *testing.T) {
	s := startWithCertificates(t)
	good, _ := s.connect(t, "good", time.Now().Add(time.Hour))
	lost, revoked := s.connect(t, "lost", time.Now().Add(time.Hour))
	s.devices.WriteRevoked(s.files.CRL, revoked)
	checkEnds(t, lost, good)
	if n := testutil.ToFloat64(s.hook.metrics.refused.WithLabelValues("revoked")); n != 1 {
		t.Errorf("%v revocations counted, want 1", n)
	}
}

// TestExpiredCertificateEndsConnection connects a device whose certificate expires soon.
func TestExpiredCertificateEndsConnection(t *testing.T) {
	s := startWithCertificates(t)
	good, _ := s.connect(t, "good", time.Now().Add(time.Hour))
	lost, _ := s.connect(t, "lost", time.Now().Add(4*time.Second))
	checkEnds(t, lost, good)
}
