package influxd

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// reserve holds an address or, for port 0, a free port of it until the file is closed, also while no process listens on
// it: the port of a socket that is bound and not listening is given to nobody who asks for a free port, and a process
// that names it can listen on it.
func reserve(_ context.Context, at netip.AddrPort) (address string, held *os.File, err error) {
	fail := func(err error) (string, *os.File, error) {
		return "", nil, fmt.Errorf("can't reserve %s for the embedded InfluxDB: %w", at, err)
	}
	family, want := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()})
	if at.Addr().Is4() {
		family, want = unix.AF_INET, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fail(err)
	}
	held = os.NewFile(uintptr(fd), "reserved port")
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, want)
	}
	var bound unix.Sockaddr
	if err == nil {
		bound, err = unix.Getsockname(fd)
	}
	port, ok := portOf(bound)
	if err == nil && !ok {
		err = syscall.EAFNOSUPPORT
	}
	if err != nil {
		held.Close()
		return fail(err)
	}
	return netip.AddrPortFrom(at.Addr(), port).String(), held, nil
}

func portOf(at unix.Sockaddr) (port uint16, ok bool) {
	switch at := at.(type) {
	case *unix.SockaddrInet4:
		return uint16(at.Port), true
	case *unix.SockaddrInet6:
		return uint16(at.Port), true
	}
	return 0, false
}
