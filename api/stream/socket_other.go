//go:build !linux

package stream

import (
	"errors"
	"syscall"
)

// rawWrites says that writeNow does not work here: connections are written with short deadlines.
const rawWrites = false

func writeNow(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

func limitSilence(syscall.RawConn) {}
