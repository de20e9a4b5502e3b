package httpserver

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"nhip"
	"nhip/internal/problem"
)

// The slowest body of a request: in each BodyWindow it brings at least MinBodyRate, or its end.
const (
	BodyWindow  = time.Minute
	MinBodyRate = 1 << 10 // bytes a second

	drainTimeout = 5 * time.Second // for the rest of a body that the handler has not read
)

// boundBody returns r with a body that ends in an error if it is too slow. end must follow the handler. If the
// address has too many open bodies, boundBody answers and returns nil.
func (b *bounds) boundBody(w *Response, r *http.Request) (bounded *http.Request, end func()) {
	out := http.NewResponseController(w.ResponseWriter)
	from := ShareAddr(r)
	if !b.bodies.Take(from) {
		b.refused.WithLabelValues(reasonBodies).Inc()
		_ = out.SetReadDeadline(time.Now().Add(drainTimeout)) // without deadlines, there are no slow bodies
		w.Header().Set("Connection", "close")
		problem.Answer(w, nhip.Errorf(nhip.CodeUnavailable, "", "your address has too many open requests with a body"))
		return nil, func() {}
	}
	body := &pacedBody{ReadCloser: r.Body, out: out, window: b.o.bodyWindow, yield: func() { Yield(r) }, slow: func() {
		b.refused.WithLabelValues(reasonSlowBody).Inc()
	}}
	if body.window == 0 {
		body.window = BodyWindow
	}
	body.begin(time.Now())
	// A copy: net/http looks at the type of the original's body when it decides whether to reuse the connection.
	copied := new(http.Request)
	*copied = *r
	copied.Body = body
	return copied, func() {
		b.bodies.Release(from)
		if !body.ended {
			_ = out.SetReadDeadline(time.Now().Add(min(drainTimeout, body.window))) // net/http reads the rest
		}
	}
}

// pacedBody is a request's body with a deadline for each window.
type pacedBody struct {
	io.ReadCloser
	out    *http.ResponseController
	window time.Duration
	yield  func() // called before each read, which may wait
	slow   func() // called when the body missed a deadline

	since time.Time // start of the window
	got   int64     // bytes in the window
	ended bool
}

func (p *pacedBody) begin(now time.Time) {
	p.since, p.got = now, 0
	_ = p.out.SetReadDeadline(now.Add(p.window)) // fails only without a connection, in tests
}

// Read implements io.Reader.
func (p *pacedBody) Read(to []byte) (int, error) {
	if p.ended {
		return p.ReadCloser.Read(to)
	}
	if float64(p.got) >= MinBodyRate*p.window.Seconds() {
		p.begin(time.Now())
	}
	p.yield()
	n, err := p.ReadCloser.Read(to)
	p.got += int64(n)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		p.ended = true
		p.slow()
	case err != nil:
		p.ended = true
		_ = p.out.SetReadDeadline(time.Time{}) // net/http reads on, to notice that the client is gone
	}
	return n, err
}
