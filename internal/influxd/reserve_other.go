//go:build !linux

package influxd

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
)

// reserve returns an address with its port or, for port 0, a free one. Nothing holds it until a process listens on it.
func reserve(ctx context.Context, at netip.AddrPort) (address string, held *os.File, err error) {
	var c net.ListenConfig
	l, err := c.Listen(ctx, "tcp", at.String())
	if err != nil {
		return "", nil, fmt.Errorf("can't reserve a port for the embedded InfluxDB: %w", err)
	}
	return l.Addr().String(), nil, l.Close()
}
