package gateway

import (
	"crypto/tls"
	"net"
)

// certificateName returns the name in a connection's client certificate: the common name or, if that is empty, the
// first DNS name. The handshake has verified the certificate.
func certificateName(conn net.Conn) (name string, ok bool) {
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return "", false
	}
	chain := secured.ConnectionState().PeerCertificates
	if len(chain) == 0 {
		return "", false
	}
	if name = chain[0].Subject.CommonName; name == "" && len(chain[0].DNSNames) > 0 {
		name = chain[0].DNSNames[0]
	}
	return name, name != ""
}
