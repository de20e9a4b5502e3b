package httpserver

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
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

// refusable reports whether what was read from a connection may be refused as it is.
func (o *overload) refusable(read []byte) bool {
	g, ok := parseSimpleGet(read)
	return ok && (o.Exempt == nil || !o.Exempt(g.target))
}

// refuse answers a refusable request. The error ends the connection.
func (c *conn) refuse(read []byte) error {
	o := c.admission.overload
	o.refused.Inc()
	wait, hold := o.Backoff.Next(time.Now())
	time.Sleep(hold) // at most mostHold
	g, _ := parseSimpleGet(read)
	if _, err := c.Write(o.answer(time.Now(), wait, g.last)); err != nil {
		return err
	}
	if g.last {
		return io.EOF
	}
	c.refused = true
	c.idleSince.Store(now())
	return c.SetReadDeadline(time.Now().Add(IdleTimeout))
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
)

// parseSimpleGet parses what was read from a connection. It reports false unless that is exactly one GET request
// without a body: net/http then takes over.
func parseSimpleGet(head []byte) (simpleGet, bool) {
	if !bytes.HasPrefix(head, get) || bytes.Index(head, headEnd) != len(head)-len(headEnd) {
		return simpleGet{}, false
	}
	line, rest, _ := bytes.Cut(head, lineEnd)
	if !bytes.HasSuffix(line, http11) {
		return simpleGet{}, false
	}
	out := simpleGet{target: line[len(get) : len(line)-len(http11)]}
	for line, rest, _ = bytes.Cut(rest, lineEnd); len(line) > 0; line, rest, _ = bytes.Cut(rest, lineEnd) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		for _, framing := range framings {
			if bytes.EqualFold(name, framing) {
				return simpleGet{}, false
			}
		}
		if !bytes.EqualFold(name, connection) {
			continue
		}
		value = bytes.TrimSpace(value)
		out.last = bytes.EqualFold(value, closing)
		if !out.last && !bytes.EqualFold(value, keeping) {
			return simpleGet{}, false
		}
	}
	return out, true
}
