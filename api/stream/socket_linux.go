package stream

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// rawWrites says that writeNow works.
const rawWrites = true

// writeNow writes to a non-blocking socket what it takes now.
func writeNow(fd uintptr, b []byte) (n int, err error) {
	for {
		n, err = syscall.Write(int(fd), b)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, nil
		default:
			return 0, err
		}
	}
}

// silenceLimit is how long a client may acknowledge nothing: a phone without a network is then gone.
const silenceLimit = time.Minute

// limitSilence makes the kernel close a connection whose client acknowledges nothing.
func limitSilence(raw syscall.RawConn) {
	_ = raw.Control(func(fd uintptr) { // without it, the kernel needs a quarter of an hour
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silenceLimit.Milliseconds()))
	})
}
