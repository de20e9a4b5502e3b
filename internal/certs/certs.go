// Package certs makes TLS configurations from files and follows their changes: a renewed certificate is used for the
// next connection, without a restart.
package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// pollEvery is the shortest interval between two checks of the files. A new connection causes a check.
const pollEvery = time.Second

// Files are the paths of a server's certificate and of what it needs to verify client certificates.
type Files struct {
	Cert     string // certificate chain, PEM
	Key      string // its private key, PEM
	ClientCA string // authorities of client certificates, PEM; empty: no client certificate is requested
	CRL      string // revocation lists of those authorities, PEM; empty: none
}

// Source is a TLS configuration that follows its files.
type Source struct {
	files Files
	log   *slog.Logger

	mu      sync.Mutex
	checked time.Time
	seen    [4]stamp
	config  *tls.Config
}

type stamp struct {
	modified time.Time
	size     int64
}

// Load reads the files and returns a configuration that follows them, with TLS 1.2 or later.
func (f Files) Load(log *slog.Logger) (*tls.Config, error) {
	s := &Source{files: f, log: log, seen: f.stamps(), checked: time.Now()}
	var err error
	if s.config, err = f.read(log); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return s.current(), nil
		},
		// tls.NewListener requires a certificate here.
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &s.current().Certificates[0], nil
		},
	}, nil
}

// current returns the configuration of the current files or, while those are invalid, the previous one.
func (s *Source) current() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.checked) < pollEvery {
		return s.config
	}
	s.checked = time.Now()
	now := s.files.stamps()
	if now == s.seen {
		return s.config
	}
	s.seen = now
	fresh, err := s.files.read(s.log)
	if err != nil {
		s.log.Error("invalid new certificates; the previous ones stay in use", "error", err)
		return s.config
	}
	s.log.Info("new certificates in use")
	s.config = fresh
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

func (f Files) read(log *slog.Logger) (*tls.Config, error) {
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
	if fault := revoked.fault(time.Now()); fault != nil {
		log.Error("client certificates are refused", "file", f.CRL, "error", fault)
	}
	c.VerifyConnection = revoked.check // unlike VerifyPeerCertificate, also called for a resumed session
	return c, nil
}

// Pool reads the authorities in a file.
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

// blocks returns the PEM blocks of one type in a file.
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
		return nil, fmt.Errorf("%s contains no %q in PEM", path, kind)
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

// revoked holds revocation lists.
type revoked []revocationList

// revocationList is the list of one authority. Outside its dates it says nothing about a certificate, which is then
// refused: a certificate that was revoked since the list was made must not pass.
type revocationList struct {
	issuer  []byte // raw, as in the certificates
	from    time.Time
	to      time.Time // zero: the list names no next one
	serials map[string]bool
}

// fault returns why the list can't be used at a time, or nil.
func (l *revocationList) fault(now time.Time) error {
	switch {
	case !l.to.IsZero() && now.After(l.to):
		return fmt.Errorf("the revocation list has expired: its next one was due at %s", l.to.Format(time.RFC3339))
	case now.Add(clockTolerance).Before(l.from):
		return fmt.Errorf("the revocation list is not valid before %s", l.from.Format(time.RFC3339))
	}
	return nil
}

// clockTolerance is how far the clock of an authority may be ahead.
const clockTolerance = 5 * time.Minute

// fault returns why one of the lists can't be used at a time, or nil.
func (r revoked) fault(now time.Time) error {
	for i := range r {
		if err := r[i].fault(now); err != nil {
			return err
		}
	}
	return nil
}

// readRevoked reads revocation lists. Each must be signed by one of the authorities.
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
			return nil, errors.New("the revocation list is not signed by an authority of client certificates")
		}
		one := revocationList{list.RawIssuer, list.ThisUpdate, list.NextUpdate, make(map[string]bool)}
		for _, e := range list.RevokedCertificateEntries {
			one.serials[e.SerialNumber.String()] = true
		}
		out = append(out, one)
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
	now := time.Now()
	for _, chain := range state.VerifiedChains {
		for _, c := range chain {
			if err := r.checkOne(c, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkOne checks a certificate against the lists of its issuer.
func (r revoked) checkOne(c *x509.Certificate, now time.Time) error {
	for i := range r {
		l := &r[i]
		if !bytes.Equal(l.issuer, c.RawIssuer) {
			continue
		}
		if l.serials[c.SerialNumber.String()] {
			return errors.New("the certificate has been revoked")
		}
		if err := l.fault(now); err != nil {
			return err
		}
	}
	return nil
}
