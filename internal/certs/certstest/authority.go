// Package certstest makes certificates for tests.
package certstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"testing"
	"time"
)

// Authority is a certificate authority for a test.
type Authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	Cert *x509.Certificate
	last int64
}

// New returns a new authority with a common name.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	a.Cert = sign(t, template, template, &a.key.PublicKey, a.key)
	return a
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(
	t testing.TB, template, by *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey,
) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, by, public, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Issue returns a certificate with a common name for 127.0.0.1. It is valid from an hour ago until a time.
func (a *Authority) Issue(name string, until time.Time) tls.Certificate {
	a.t.Helper()
	a.last++
	key := newKey(a.t)
	c := sign(a.t, &x509.Certificate{
		SerialNumber: big.NewInt(1 + a.last), Subject: pkix.Name{CommonName: name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.Cert, &key.PublicKey, a.key)
	return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}
}

// Pool returns a pool with the authority.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.Cert)
	return p
}

// Write writes the authority's certificate to a file.
func (a *Authority) Write(path string) { writePEM(a.t, path, "CERTIFICATE", a.Cert.Raw) }

// WriteRevoked writes a list of revoked certificates to a file.
func (a *Authority) WriteRevoked(path string, revoked ...tls.Certificate) {
	a.t.Helper()
	a.WriteRevokedFor(path, time.Now(), time.Now().Add(time.Hour), revoked...)
}

// WriteRevokedFor is WriteRevoked of a list that is valid from a time to another.
func (a *Authority) WriteRevokedFor(path string, from, to time.Time, revoked ...tls.Certificate) {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: to}
	for _, c := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: c.Leaf.SerialNumber, RevocationTime: time.Now(),
		})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.Cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	writePEM(a.t, path, "X509 CRL", der)
}

// WritePair writes a certificate and its key to two files.
func WritePair(t testing.TB, c tls.Certificate, certPath, keyPath string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, keyPath, "PRIVATE KEY", der)
	writePEM(t, certPath, "CERTIFICATE", c.Certificate[0])
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
