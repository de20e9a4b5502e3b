// Package certs makes TLS configurations of files, and keeps up with them: a certificate that is renewed on
// disk is shown to the next connection, without a restart.
package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"sync"
	"time"
)

// lookEvery is how often, at most, the files are looked at; a connection has them looked at.
const lookEvery = time.Second

// Files say what to show, and what to ask of clients.
type Files struct {
	Cert     string // certificate chain, PEM
	Key      string // its private key, PEM
	ClientCA string // authorities whose client certificates are accepted, PEM; empty: none is asked for
	CRL      string // revocation lists of those authorities, PEM; empty: nothing is revoked
}

// Source is a TLS configuration that follows its files.
type Source struct {
	files Files
	log   *slog.Logger

	mu     sync.Mutex
	looked time.Time
	seen   [4]stamp
	held   *tls.Config
}

type stamp struct {
	modified time.Time
	size     int64
}

// Load reads the files for the first time; what can't be is an error. TLS is 1.2 or later.
func (f Files) Load(log *slog.Logger) (*tls.Config, error) {
	s := &Source{files: f, log: log, seen: f.stamps(), looked: time.Now()}
	var err error
	if s.held, err = f.read(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.current(), nil
		},
		// Whoever makes a server of this wants to see a certificate here.
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &s.current().Certificates[0], nil
		},
	}, nil
}

// current returns what the files say now; while they are faulty, what they said before.
func (s *Source) current() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.looked) < lookEvery {
		return s.held
	}
	s.looked = time.Now()
	now := s.files.stamps()
	if now == s.seen {
		return s.held
	}
	s.seen = now
	fresh, err := s.files.read()
	if err != nil {
		s.log.Error("the new certificates are refused, the ones before stay in use", "error", err)
		return s.held
	}
	s.log.Info("new certificates are in use")
	s.held = fresh
	return fresh
}

func (f Files) stamps() (out [4]stamp) {
	for i, path := range []string{f.Cert, f.Key, f.ClientCA, f.CRL} {
		if info, err := os.Stat(path); err == nil {
			out[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return out
}

func (f Files) read() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("can't read the certificate and its key: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	if f.ClientCA == "" {
		return c, nil
	}
	authorities, err := readAuthorities(f.ClientCA)
	if err != nil {
		return nil, err
	}
	c.ClientCAs, c.ClientAuth = pool(authorities), tls.VerifyClientCertIfGiven
	if f.CRL == "" {
		return c, nil
	}
	revoked, err := readRevoked(f.CRL, authorities)
	if err != nil {
		return nil, err
	}
	c.VerifyConnection = revoked.check // also of a session that is taken up again
	return c, nil
}

// Pool reads the authorities of a file.
func Pool(path string) (*x509.CertPool, error) {
	authorities, err := readAuthorities(path)
	if err != nil {
		return nil, err
	}
	return pool(authorities), nil
}

func pool(authorities []*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, a := range authorities {
		p.AddCert(a)
	}
	return p
}

// blocks reads the PEM blocks of one type in a file.
func blocks(path, kind string) ([][]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			all = append(all, block.Bytes)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no %q in PEM", path, kind)
	}
	return all, nil
}

func readAuthorities(path string) ([]*x509.Certificate, error) {
	all, err := blocks(path, "CERTIFICATE")
	if err != nil {
		return nil, fmt.Errorf("can't read the authority: %w", err)
	}
	var out []*x509.Certificate
	for _, der := range all {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("can't read the authority: %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

// revoked are the certificates that authorities have taken back.
type revoked []revocation

type revocation struct {
	issuer []byte // as certificates name it
	serial *big.Int
}

// readRevoked reads revocation lists, each signed by one of the authorities.
func readRevoked(path string, by []*x509.Certificate) (revoked, error) {
	all, err := blocks(path, "X509 CRL")
	if err != nil {
		return nil, fmt.Errorf("can't read the revocation list: %w", err)
	}
	var out revoked
	for _, der := range all {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return nil, fmt.Errorf("can't read the revocation list: %w", err)
		}
		if !signed(list, by) {
			return nil, errors.New("the revocation list is not signed by the clients' authority")
		}
		for _, e := range list.RevokedCertificateEntries {
			out = append(out, revocation{list.RawIssuer, e.SerialNumber})
		}
	}
	return out, nil
}

func signed(list *x509.RevocationList, by []*x509.Certificate) bool {
	for _, a := range by {
		if list.CheckSignatureFrom(a) == nil {
			return true
		}
	}
	return false
}

func (r revoked) check(state tls.ConnectionState) error {
	for _, chain := range state.VerifiedChains {
		for _, c := range chain {
			if r.holds(c) {
				return errors.New("the certificate was revoked")
			}
		}
	}
	return nil
}

func (r revoked) holds(c *x509.Certificate) bool {
	for _, one := range r {
		if one.serial.Cmp(c.SerialNumber) == 0 && bytes.Equal(one.issuer, c.RawIssuer) {
			return true
		}
	}
	return false
}
