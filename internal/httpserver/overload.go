package httpserver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"nhip"
	"nhip/internal/problem"

	"github.com/prometheus/client_golang/prometheus"
)

// Overload refuses requests while too many wait for the processors. It reads no more of them than their head, before
// net/http does: refusing a request in a handler takes a tenth of the time of serving it, and at five times the load
// that can be served, refusals would take most of it.
type Overload struct {
	Backoff *Backoff
	Header  http.Header              // of the answers, beyond those of a problem
	Exempt  func(target []byte) bool // requests that are never refused here, by their path and query
}

// overloaded is the problem of refused requests.
var overloaded = problem.Body{
	Type: "about:blank", Title: "Not available now", Status: http.StatusServiceUnavailable,
	Detail: "the server has more requests than it can answer; try again", Code: nhip.CodeUnavailable,
}

// overload is an Overload in use.
type overload struct {
	Overload
	head, body []byte // of the answers; the times are missing
	refused    prometheus.Counter
}

func newOverload(o *Overload, refused prometheus.Counter) *overload {
	if o == nil {
		return nil
	}
	out := &overload{Overload: *o, refused: refused}
	out.body, _ = json.Marshal(overloaded) // never fails
	h := o.Header.Clone()
	if h == nil {
		h = make(http.Header)
	}
	h.Set("Content-Type", problem.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(out.body)))
	h.Set("Cache-Control", "no-store")
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 503 Service Unavailable\r\n")
	_ = h.Write(&head) // never fails
	out.head = head.Bytes()
	return out
}

// answer returns a whole answer. wait is how long the client is to wait, s; last closes its connection.
func (o *overload) answer(now time.Time, wait int, last bool) []byte {
	to := make([]byte, 0, len(o.head)+len(o.body)+128)
	to = append(to, o.head...)
	to = append(to, "Date: "...)
	to = now.UTC().AppendFormat(to, http.TimeFormat)
	to = append(to, "\r\nRetry-After: "...)
	to = strconv.AppendInt(to, int64(wait), 10)
	if last {
		to = append(to, "\r\nConnection: close"...)
	}
	to = append(to, "\r\n\r\n"...)
	return append(to, o.body...)
}

// isExempt reports whether a request is never refused here.
func (o *overload) isExempt(g simpleGet) bool { return o.Exempt != nil && o.Exempt(g.target) }

// wholeGet returns the request that was read from the connection. It reports false unless that begins where a request
// begins. That is known while net/http has got nothing else from the connection: after a part of a request, or one
// with a body, net/http may hold its begin, and what follows may look like a request and be its value or its body.
func (c *conn) wholeGet(read []byte, err error) (simpleGet, bool) {
	if c.partial {
		return simpleGet{}, false
	}
	g, whole := parseSimpleGet(read)
	c.partial = !whole || err != nil
	return g, !c.partial
}

// refuse answers a request that was read as a whole. The error ends the connection.
func (c *conn) refuse(g simpleGet) error {
	o := c.admission.overload
	o.refused.Inc()
	wait, hold := o.Backoff.Next(time.Now())
	last := !c.admission.hold(hold) || g.last
	if _, err := c.Write(o.answer(time.Now(), wait, last)); err != nil {
		return err
	}
	if last {
		return io.EOF
	}
	c.refused = true
	c.idleSince.Store(now())
	return c.SetReadDeadline(time.Now().Add(IdleTimeout))
}

// hold holds a refusal back, at most for mostHold. It reports false, at once, if the server stops.
func (a *admission) hold(d time.Duration) bool { return held(d, nil, a.stopping) }

// Hold holds the refusal of a request back, unless the server stops. It reports false if the client is gone.
func Hold(r *http.Request, d time.Duration) bool {
	var stopping <-chan struct{}
	if c, ok := r.Context().Value(connKey{}).(*connState); ok && c.conn != nil {
		stopping = c.conn.admission.stopping
	}
	held(d, r.Context().Done(), stopping)
	return r.Context().Err() == nil
}

// held waits, and reports whether nothing has ended that.
func held(d time.Duration, gone, stopping <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-gone:
	case <-stopping:
	}
	return false
}

// endRefusal gives what a client sends after a refusal the time that net/http allows for a head.
func (c *conn) endRefusal() {
	if c.refused {
		c.refused = false
		_ = c.SetReadDeadline(time.Now().Add(HeadTimeout)) // fails if the connection is closed
	}
}

// simpleGet is a whole request of which nothing but its path matters here.
type simpleGet struct {
	target []byte
	last   bool // of its connection
}

var (
	headEnd  = []byte("\r\n\r\n")
	lineEnd  = []byte("\r\n")
	get      = []byte("GET ")
	http11   = []byte(" HTTP/1.1")
	closing  = []byte("close")
	keeping  = []byte("keep-alive")
	framings = [...][]byte{ // headers of requests that are more than a head
		[]byte("content-length"), []byte("transfer-encoding"), []byte("upgrade"), []byte("expect"),
	}
	connection = []byte("connection")
	colon      = []byte(":")
	slash      = []byte("/")
)

// parseSimpleGet parses what was read from a connection. It reports false unless that is exactly one GET request
// without a body, whoever reads it: net/http then takes over. It is stricter than net/http, which ends lines at a line
// feed, too.
func parseSimpleGet(head []byte) (simpleGet, bool) {
	if !bytes.HasPrefix(head, get) || bytes.Index(head, headEnd) != len(head)-len(headEnd) {
		return simpleGet{}, false
	}
	line, rest, _ := bytes.Cut(head, lineEnd)
	if !bytes.HasSuffix(line, http11) {
		return simpleGet{}, false
	}
	out := simpleGet{target: line[len(get):max(len(get), len(line)-len(http11))]}
	if !bytes.HasPrefix(out.target, slash) || bytes.ContainsFunc(out.target, isSpace) {
		return simpleGet{}, false
	}
	for line, rest, _ = bytes.Cut(rest, lineEnd); len(line) > 0; line, rest, _ = bytes.Cut(rest, lineEnd) {
		name, value, ok := bytes.Cut(line, colon)
		if !ok || bytes.ContainsFunc(name, isSpace) || bytes.ContainsAny(value, "\r\n\x00") || isFraming(name) {
			return simpleGet{}, false
		}
		if !bytes.EqualFold(name, connection) {
			continue
		}
		value = bytes.TrimSpace(value)
		closes := bytes.EqualFold(value, closing)
		if !closes && !bytes.EqualFold(value, keeping) {
			return simpleGet{}, false
		}
		out.last = out.last || closes
	}
	return out, true
}

// isSpace reports whether a character is a space or a control character.
func isSpace(r rune) bool { return r <= ' ' || r == 0x7f }

// isFraming reports whether a header makes a request more than its head.
func isFraming(name []byte) bool {
	return slices.ContainsFunc(framings[:], func(f []byte) bool { return bytes.EqualFold(name, f) })
}
