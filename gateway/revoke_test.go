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

// TestARevokedCertificateEndsItsConnection revokes one of two devices that are connected.
func TestARevokedCertificateEndsItsConnection(t *testing.T) {
	dir := t.TempDir()
	city, devices := certstest.New(t, "city"), certstest.New(t, "devices")
	files := certs.Files{
		Cert: filepath.Join(dir, "door.pem"), Key: filepath.Join(dir, "door.key"),
		ClientCA: filepath.Join(dir, "ca.pem"), CRL: filepath.Join(dir, "crl.pem"),
	}
	certstest.WritePair(t, city.Issue("door", time.Now().Add(time.Hour)), files.Cert, files.Key)
	devices.Write(files.ClientCA)
	devices.WriteRevoked(files.CRL)
	secured, err := files.Load(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	g := startAs(t, &door{}, Options{TLS: secured})
	g.SetFleet(&fleet.Fleet{Devices: []fleet.Device{{ID: "good", Feed: "position"}, {ID: "lost", Feed: "position"}}}, fleet.Feeds{})
	enter := func(name string) (*tls.Conn, tls.Certificate) {
		t.Helper()
		c := devices.Issue(name, time.Now().Add(time.Hour))
		conn, err := tls.Dial("tcp", g.Addr(), &tls.Config{RootCAs: city.Pool(), Certificates: []tls.Certificate{c}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		connect := append([]byte{0x10, byte(12 + len(name)), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, byte(len(name))}, name...)
		answer := make([]byte, 4)
		if _, err := conn.Write(connect); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, answer); err != nil || !bytes.Equal(answer, []byte{0x20, 2, 0, 0}) {
			t.Fatalf("%s: %x, %v", name, answer, err)
		}
		return conn, c
	}
	good, _ := enter("good")
	lost, revoked := enter("lost")
	devices.WriteRevoked(files.CRL, revoked)
	_ = lost.SetReadDeadline(time.Now().Add(waitFor))
	if _, err := lost.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the revoked one: %v", err)
	}
	if n := testutil.ToFloat64(g.hook.metrics.refused.WithLabelValues("revoked")); n != 1 {
		t.Errorf("%v were cut off", n)
	}
	pong := make([]byte, 2)
	_ = good.SetReadDeadline(time.Now().Add(waitFor))
	if _, err := good.Write([]byte{0xc0, 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(good, pong); err != nil || !bytes.Equal(pong, []byte{0xd0, 0}) {
		t.Errorf("the other one: %x, %v", pong, err)
	}
}
