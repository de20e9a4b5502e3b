package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"time"

	"nhip/internal/mqtt/broker"
	"nhip/internal/wait"
)

// revocationPoll is how often the revocation list is compared with the certificates in use.
const revocationPoll = time.Second

// expiryPoll is how often the certificates in use are compared with the time.
const expiryPoll = 5 * revocationPoll

// revocationWatch disconnects devices whose certificate has been revoked or has expired.
type revocationWatch struct {
	hook *hook
	tls  *tls.Config
}

// Run watches for new revocation lists until ctx ends.
func (w *revocationWatch) Run(ctx context.Context) error {
	var seen *tls.Config
	var checked time.Time
	for {
		if err := wait.Sleep(ctx, revocationPoll); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(checked) >= expiryPoll {
			checked = now
			w.disconnect(func(s tls.ConnectionState) bool { return expired(s, now) })
		}
		now, err := w.tls.GetConfigForClient(nil)
		if err != nil || now == seen {
			continue
		}
		if seen = now; now.VerifyConnection != nil {
			w.disconnect(func(s tls.ConnectionState) bool { return now.VerifyConnection(s) != nil })
		}
	}
}

// expired reports whether a client's certificate, or every chain of its authorities, has expired.
func expired(s tls.ConnectionState, now time.Time) bool {
	for _, chain := range s.VerifiedChains {
		if !slices.ContainsFunc(chain, func(c *x509.Certificate) bool { return now.After(c.NotAfter) }) {
			return false
		}
	}
	return len(s.VerifiedChains) > 0
}

// disconnect ends the connections that were authenticated by a certificate which is no longer valid.
func (w *revocationWatch) disconnect(invalid func(tls.ConnectionState) bool) {
	w.hook.sessions.Range(func(c, s any) bool {
		client := c.(*broker.Client)
		secured, ok := client.Conn().(*tls.Conn)
		if one := s.(*session); ok && one.secret == nil && invalid(secured.ConnectionState()) {
			w.hook.revoke(client, one)
		}
		return true
	})
}
