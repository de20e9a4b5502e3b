package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"nhip/internal/pause"
)

// lookForRevoked is how often it is looked whether a certificate that is in use was revoked.
const lookForRevoked = time.Second

// watchRevoked cuts off who came with a certificate that a new revocation list holds, until ctx ends.
func (g *Gateway) watchRevoked(ctx context.Context) {
	var seen *tls.Config
	for pause.For(ctx, lookForRevoked) {
		now, err := g.street.tls.GetConfigForClient(nil)
		if err != nil || now == seen {
			continue
		}
		if seen = now; now.VerifyConnection != nil {
			g.cutRevoked(now.VerifyConnection)
		}
	}
}

func (g *Gateway) cutRevoked(check func(tls.ConnectionState) error) {
	g.hook.sessions.Range(func(conn, s any) bool {
		secured, ok := conn.(*tls.Conn)
		if ok && s.(*session).secret == nil && check(secured.ConnectionState()) != nil {
			g.hook.metrics.refused.WithLabelValues("revoked").Inc()
			_ = conn.(net.Conn).Close() // it may be gone already
		}
		return true
	})
}
