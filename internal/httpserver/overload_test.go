package httpserver

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
)

func TestSimpleGets(t *testing.T) {
	const get = "GET /v1/buses?near=21,105 HTTP/1.1\r\nHost: x\r\n"
	for _, c := range []struct {
		head         string
		simple, last bool
	}{
		{get + "\r\n", true, false},
		{get + "Connection: keep-alive\r\nAccept: */*\r\n\r\n", true, false},
		{get + "connection: Close\r\n\r\n", true, true},
		{get + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", false, false},
		{get + "CONTENT-LENGTH: 3\r\n\r\n", false, false},
		{get + "Transfer-Encoding: chunked\r\n\r\n", false, false},
		{get + "Expect: 100-continue\r\n\r\n", false, false},
		{get, false, false},
		{get + "\r\n" + get + "\r\n", false, false}, // pipelined
		{get + "\r\nGET", false, false},
		{"GET /", false, false},
		{"GET / HTTP/1.0\r\n\r\n", false, false},
		{"POST / HTTP/1.1\r\n\r\n", false, false},
		{"\x16\x03\x01\r\n\r\n", false, false},
		{"\r\n\r\n", false, false},
		{"", false, false},
		{get + "Connection: close\r\nConnection: keep-alive\r\n\r\n", true, true},
		{get + "A: b\nContent-Length: 3\r\n\r\n", false, false}, // net/http takes a line feed for the end of a line, too
		{"GET /v1/buses HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", false, false},
		{get + "A: b\r\n Content-Length: 3\r\n\r\n", false, false}, // goes on with the line before
		{get + "Content-Length : 3\r\n\r\n", false, false},
		{get + "A\r\n\r\n", false, false},
		{"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", false, false},
		{"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", false, false},
	} {
		g, simple := parseSimpleGet([]byte(c.head))
		if simple != c.simple || g.last != c.last {
			t.Errorf("%q: simple %t, last %t", c.head, simple, g.last)
		}
		if simple && string(g.target) != "/v1/buses?near=21,105" {
			t.Errorf("%q: target %q", c.head, g.target)
		}
	}
}

func FuzzParseSimpleGet(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
	f.Add([]byte("GET  HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		g, ok := parseSimpleGet(head)
		if !ok {
			return
		}
		if r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(string(head)))); err == nil {
			if r.Body != http.NoBody || r.Close != g.last {
				t.Errorf("%q: body %v, close %t", head, r.Body != http.NoBody, r.Close)
			}
		}
	})
}

// overloadedServer has one work slot, which is taken until free is called, and an overload.
func overloadedServer(t *testing.T) (s *Server, o *Options, free func()) {
	t.Helper()
	w := newWorkSlots(1)
	s, o = serve(t, func(o *Options) {
		o.Work, o.Overload = w, &Overload{
			Backoff: NewBackoff(), Header: http.Header{"Access-Control-Allow-Origin": {"*"}},
			Exempt: func(target []byte) bool { return string(target) == "/page" },
		}
	})
	busy, _ := w.enter(t.Context())
	w.backlog.Add(leastWaiters, time.Now().Add(-time.Minute))
	w.backlog.Add(1, time.Now())
	return s, o, func() { w.leave(busy) }
}

// TestOverloadIsAnsweredBeforeTheHandler sends requests while others have been waiting for long.
func TestOverloadIsAnsweredBeforeTheHandler(t *testing.T) {
	s, o, _ := overloadedServer(t)
	c := dialFrom(t, s, "127.0.0.1")
	in := bufio.NewReader(c)
	for _, last := range []string{"", "Connection: close\r\n"} {
		send(t, c, "GET /wait HTTP/1.1\r\nHost: x\r\n"+last+"\r\n")
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(body), `"code":"unavailable"`) {
			t.Errorf("answer %q, %v", body, err)
		}
		h := resp.Header
		if resp.StatusCode != http.StatusServiceUnavailable || h.Get("Retry-After") != "1" ||
			h.Get("Access-Control-Allow-Origin") != "*" || resp.Close != (last != "") {
			t.Errorf("%s, close %t, headers %v", resp.Status, resp.Close, h)
		}
		if _, err := http.ParseTime(h.Get("Date")); err != nil {
			t.Error(err)
		}
	}
	if !closed(c) {
		t.Error("the connection stays open")
	}
	if got := refused(o, reasonOverload); got != 2 {
		t.Errorf("%v refused", got)
	}
}

// TestOverloadRefusesOnlyReads sends what is served in its turn, however many wait.
func TestOverloadRefusesOnlyReads(t *testing.T) {
	s, o, free := overloadedServer(t)
	page, post := dialFrom(t, s, "127.0.0.1"), dialFrom(t, s, "127.0.0.2")
	send(t, page, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
	send(t, post, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
	free()
	for _, c := range []struct {
		name string
		got  func() (int, string)
	}{
		{"exempt", func() (int, string) { return answer(t, page) }},
		{"post", func() (int, string) { return answer(t, post) }},
	} {
		if status, body := c.got(); status != http.StatusOK {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
	}
	if got := refused(o, reasonOverload); got != 0 {
		t.Errorf("%v refused", got)
	}
}

// TestRefusedConnectionHasTheUsualDeadlines refuses a first request, and then sends half of one.
func TestRefusedConnectionHasTheUsualDeadlines(t *testing.T) {
	s, o, free := overloadedServer(t)
	c := dialFrom(t, s, "127.0.0.1")
	send(t, c, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	if status, _ := answer(t, c); status != http.StatusServiceUnavailable {
		t.Fatalf("status %d", status)
	}
	awaittest.True(t, "it is counted", func() bool { return refused(o, reasonOverload) == 1 })
	free()
	send(t, c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
	if status, body := answer(t, c); status != http.StatusOK || body != "3" {
		t.Errorf("after it: %d %q", status, body)
	}
}

// TestOverloadRefusesWholeRequestsOnly sends parts of requests that look like a whole one: to refuse them would leave
// the other part for the next request of the connection, which behind a proxy is somebody else's.
func TestOverloadRefusesWholeRequestsOnly(t *testing.T) {
	const inner, begin = "GET /wait HTTP/1.1\r\nAccept: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX-Note: "
	for _, c := range []struct {
		name, first string
		bodies      []string // of the answers
	}{
		{"value of a header", begin, []string{"0"}},
		{"value at the end of a buffer", begin + strings.Repeat("x", 4096-len(begin)), []string{"0"}},
		{"value in a pipelined request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n" + begin, []string{"0", "0"}},
	} {
		s, o, free := overloadedServer(t)
		conn := dialFrom(t, s, "127.0.0.1")
		send(t, conn, c.first)
		awaitWaiters(t, o.Work, 1)
		free()
		var busy workSlot
		awaittest.True(t, "the first part is read", func() bool {
			o.Work.leave(busy)
			busy, _ = o.Work.enter(t.Context())
			return o.Work.backlog.Waiting() == leastWaiters+1
		})
		send(t, conn, inner)
		awaittest.True(t, "the second part waits", func() bool {
			return o.Work.backlog.Waiting() == leastWaiters+2 || refused(o, reasonOverload) > 0
		})
		o.Work.leave(busy)
		for in := bufio.NewReader(conn); len(c.bodies) > 0; c.bodies = c.bodies[1:] {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if body, err := io.ReadAll(resp.Body); err != nil || string(body) != c.bodies[0] {
				t.Errorf("%s: answer %s %q, %v; want %q", c.name, resp.Status, body, err, c.bodies[0])
			}
		}
	}
}

// awaitWaiters waits until so many more than those of overloadedServer wait.
func awaitWaiters(t *testing.T, w *WorkSlots, n int) {
	t.Helper()
	awaittest.True(t, "requests wait", func() bool { return w.backlog.Waiting() == leastWaiters+1+n })
}

// TestStopEndsHeldRefusals stops a server that holds the refusal of a request back.
func TestStopEndsHeldRefusals(t *testing.T) {
	s, o, _ := overloadedServer(t)
	o.Overload.Backoff.hold = adaptive{now: 60, least: 60, most: 60, normal: 1, change: 1}
	c := dialFrom(t, s, "127.0.0.1")
	send(t, c, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	awaittest.True(t, "it is refused", func() bool { return refused(o, reasonOverload) == 1 })
	began := time.Now()
	_ = s.listener.Close()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || !resp.Close {
		t.Errorf("answer %v, %v", resp, err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("held for %s", took)
	}
}

// TestStopEndsHeldAnswers stops a server whose handler holds a refusal back.
func TestStopEndsHeldAnswers(t *testing.T) {
	entered := make(chan struct{})
	s, _ := serve(t, func(o *Options) {
		o.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(entered)
			if Hold(r, time.Minute) {
				w.WriteHeader(http.StatusTooManyRequests)
			}
		})
	})
	c := dialFrom(t, s, "127.0.0.1")
	send(t, c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), awaittest.Timeout)
	defer cancel()
	began := time.Now()
	if err := s.Stop(ctx); err != nil || time.Since(began) > 10*time.Second {
		t.Errorf("stopped after %s, %v", time.Since(began), err)
	}
	if status, _ := answer(t, c); status != http.StatusTooManyRequests {
		t.Errorf("status %d", status)
	}
}
