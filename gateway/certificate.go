package gateway

import (
	"crypto/tls"
	"net"
)

// certified returns the name that a connection's certificate bears: its common name or, without one, its
// first DNS name. The certificate was verified in the handshake.
func certified(conn net.Conn) (name string, ok bool) {
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return "", false
	}
	shown := secured.ConnectionState().PeerCertificates
	if len(shown) == 0 {
		return "", false
	}
	if name = shown[0].Subject.CommonName; name == "" && len(shown[0].DNSNames) > 0 {
		name = shown[0].DNSNames[0]
	}
	return name, name != ""
}
