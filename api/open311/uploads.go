package open311

import (
	"io"
	"net/netip"
	"time"

	"nhip"
	"nhip/internal/httpserver"
)

// Bounds of the reports that are received at the same time: each may have a photo in memory.
const (
	maxUploads        = 16
	uploadsPerAddress = 4
)

// uploads bounds the reports that are received at the same time.
type uploads struct {
	slots  chan struct{}
	shares *httpserver.Shares
}

func newUploads() uploads {
	return uploads{make(chan struct{}, maxUploads), &httpserver.Shares{Limit: uploadsPerAddress}}
}

var errUploads = nhip.Errorf(nhip.CodeUnavailable, "", "too many reports are being received; try again")

// start takes a slot, which the caller must release.
func (u *uploads) start(from netip.Addr) (release func(), err error) {
	if !u.shares.Take(from) {
		return nil, errUploads
	}
	select {
	case u.slots <- struct{}{}:
		return func() { <-u.slots; u.shares.Release(from) }, nil
	default:
		u.shares.Release(from)
		return nil, errUploads
	}
}

// bodyTime is how long a body may take to arrive. The server bounds how long a single read takes.
const bodyTime = time.Minute

var errSlowBody = nhip.Errorf(nhip.CodeInvalid, "", "the body took more than %v to arrive", bodyTime)

// promptBody fails once a body takes too long, so that slow clients do not hold all slots.
type promptBody struct {
	io.ReadCloser

	until time.Time
}

// Read implements io.Reader.
func (b *promptBody) Read(p []byte) (int, error) {
	if time.Now().After(b.until) {
		return 0, errSlowBody
	}
	return b.ReadCloser.Read(p)
}
