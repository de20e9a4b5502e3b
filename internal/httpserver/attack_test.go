package httpserver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/certs/certstest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

// echo reads the body and answers with its length; /page is HTML, /fall panics, /unread ignores the body.
func echo(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/page":
		_, _ = io.WriteString(w, "<!doctype html><p>hello")
		return
	case "/fall":
		panic("a secret")
	case "/unread":
		_, _ = io.WriteString(w, "unread")
		return
	case "/big":
		_, _ = w.Write(make([]byte, 64<<20))
		return
	case "/wait":
		<-r.Context().Done()
		return
	}
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprint(w, n)
}

func serve(t *testing.T, change func(*Options)) (*Server, *Options) {
	t.Helper()
	o := Options{
		Name: "test", Handler: http.HandlerFunc(echo), Logger: slog.New(slog.DiscardHandler),
		Registry: prometheus.NewRegistry(), bodyWindow: 300 * time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	s, err := Listen("127.0.0.1:0", o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { _ = s.server.Close(); <-s.ended })
	return s, &o
}

// dialFrom connects from an address of the loopback network.
func dialFrom(t *testing.T, s *Server, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(awaittest.Timeout))
	return c
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// answer reads one answer.
func answer(t *testing.T, c net.Conn) (status int, body string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// closed reports whether the server closes a connection without an answer.
func closed(c net.Conn) bool {
	_, err := c.Read(make([]byte, 1))
	return err != nil
}

func refused(o *Options, reason string) float64 {
	return testutil.ToFloat64(refusals(o).WithLabelValues(reason))
}

func TestSlowBodyIsEnded(t *testing.T) {
	s, o := serve(t, nil)
	for name, trickle := range map[string]string{"silent": "", "a byte now and then": "x"} {
		c := dialFrom(t, s, "127.0.0.1")
		send(t, c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(stopped)
			for trickle != "" {
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
					_, _ = io.WriteString(c, trickle)
				}
			}
		}()
		if status, body := answer(t, c); status != http.StatusBadRequest || !strings.Contains(body, "timeout") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		close(stop)
		<-stopped
	}
	if n := refused(o, reasonSlowBody); n != 2 {
		t.Errorf("%v slow bodies are counted, want 2", n)
	}
}

// TestUnreadBodyHoldsNothing sends no body to a handler that does not read it: net/http waits for the body.
func TestUnreadBodyHoldsNothing(t *testing.T) {
	s, _ := serve(t, nil)
	c := dialFrom(t, s, "127.0.0.1")
	send(t, c, "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
	if status, body := answer(t, c); status != http.StatusOK || body != "unread" {
		t.Errorf("%d %s", status, body)
	}
	if !closed(c) {
		t.Error("the connection stays open, and takes the next request for the body")
	}
}

func TestSteadyBodyIsRead(t *testing.T) {
	s, _ := serve(t, nil)
	c := dialFrom(t, s, "127.0.0.1")
	const parts, size = 10, 4 << 10
	send(t, c, fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", parts*size))
	for range parts { // three windows in all
		time.Sleep(100 * time.Millisecond)
		send(t, c, strings.Repeat("x", size))
	}
	if status, body := answer(t, c); status != http.StatusOK || body != fmt.Sprint(parts*size) {
		t.Errorf("%d %s", status, body)
	}
	time.Sleep(400 * time.Millisecond) // the deadlines of the body are over
	send(t, c, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
	if status, _ := answer(t, c); status != http.StatusOK {
		t.Errorf("the next request of the connection: %d", status)
	}
}

func TestOpenBodiesHaveAShareOfAnAddress(t *testing.T) {
	s, o := serve(t, func(o *Options) { o.Limits.Bodies, o.bodyWindow = 2, time.Minute })
	open := func(from string) net.Conn {
		c := dialFrom(t, s, from)
		send(t, c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab")
		return c
	}
	first, second := open("127.0.0.2"), open("127.0.0.2")
	bodies := &s.server.BaseContext(s.listener).Value(boundsKey{}).(*bounds).bodies
	awaittest.True(t, "two bodies of the address are open", func() bool {
		bodies.mu.Lock()
		defer bodies.mu.Unlock()
		return bodies.held[netip.MustParseAddr("127.0.0.2")] == 2
	})
	status, body := answer(t, open("127.0.0.2"))
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "too many open requests") {
		t.Errorf("a third body of the address: %d %s", status, body)
	}
	other := open("127.0.0.3")
	for _, c := range []net.Conn{first, second, other} {
		send(t, c, "cde")
		if status, body := answer(t, c); status != http.StatusOK || body != "5" {
			t.Errorf("%d %s", status, body)
		}
	}
	if refused(o, reasonBodies) < 1 {
		t.Error("refusals are not counted")
	}
}

func TestHeadsAreBounded(t *testing.T) {
	s, _ := serve(t, nil)
	for size, want := range map[int]int{
		12 << 10: http.StatusOK, 17 << 10: http.StatusRequestHeaderFieldsTooLarge,
	} {
		c := dialFrom(t, s, "127.0.0.1")
		send(t, c, "GET /page HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("x", size)+"\r\n\r\n")
		if status, _ := answer(t, c); status != want {
			t.Errorf("a head of %d bytes: %d, want %d", size, status, want)
		}
	}
	if d := s.server.ReadHeaderTimeout; d <= 0 || d > 15*time.Second {
		t.Errorf("a head may take %s", d)
	}
}

func TestConnectionsHaveShares(t *testing.T) {
	s, o := serve(t, func(o *Options) { o.Limits.Connections, o.Limits.PerAddress = 4, 2 })
	open := func(from string) net.Conn { // a connection with a request that runs
		c := dialFrom(t, s, from)
		_, _ = io.WriteString(c, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
		return c
	}
	for range 2 {
		open("127.0.0.2")
	}
	if !closed(open("127.0.0.2")) {
		t.Error("a third connection of an address is served")
	}
	for range 2 {
		open("127.0.0.3")
	}
	if !closed(open("127.0.0.4")) {
		t.Error("a fifth connection is served")
	}
	if a, b := refused(o, reasonAddress), refused(o, reasonConnections); a != 1 || b != 1 {
		t.Errorf("%v and %v refusals are counted", a, b)
	}
}

// TestIdleConnectionsMakeRoom opens more connections than are allowed, one after the other, and leaves them idle.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	s, o := serve(t, func(o *Options) { o.Limits.Connections = 3 })
	for i := range 3 {
		c := dialFrom(t, s, fmt.Sprintf("127.0.0.%d", 2+i))
		send(t, c, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
		answer(t, c)
	}
	awaittest.True(t, "a new connection is served in the place of an idle one", func() bool {
		c := dialFrom(t, s, "127.0.0.9")
		_, _ = io.WriteString(c, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
		return !closed(c)
	})
	if refused(o, reasonIdle) < 1 {
		t.Error("not counted")
	}
}

func TestClosedConnectionsAreForgotten(t *testing.T) {
	s, _ := serve(t, func(o *Options) { o.Limits.PerAddress = 2 })
	for range 20 {
		c := dialFrom(t, s, "127.0.0.2")
		send(t, c, "GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if status, _ := answer(t, c); status != http.StatusOK {
			t.Fatal(status)
		}
		_ = c.Close()
	}
	l := s.listener.(*limitedListener).admission
	awaittest.True(t, "no address is left", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.all) == 0 && len(l.byAddress) == 0
	})
}

func TestPanicIsAPlainError(t *testing.T) {
	s, o := serve(t, nil)
	resp, err := http.Get(s.URL() + "/fall")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusInternalServerError || strings.Contains(string(raw), "secret") {
		t.Errorf("%s %s", resp.Status, raw)
	}
	if refused(o, reasonHandler) != 1 {
		t.Error("not counted")
	}
}

func TestPagesHaveSafeHeaders(t *testing.T) {
	s, _ := serve(t, nil)
	resp, err := http.Get(s.URL() + "/page") // its type is guessed
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	h := resp.Header
	if !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") ||
		h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") == "" {
		t.Errorf("%v", h)
	}
	if h.Get("Strict-Transport-Security") != "" {
		t.Error("a plain server demands TLS")
	}
}

func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	pair := certstest.New(t, "authority").Issue("server", time.Now().Add(time.Hour))
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

func TestTLSHasHTTP2AndHSTS(t *testing.T) {
	secured := selfSigned(t)
	s, _ := serve(t, func(o *Options) { o.TLS = secured })
	tr := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get(s.URL() + "/page")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.ProtoMajor != 2 || !strings.HasPrefix(resp.Header.Get("Strict-Transport-Security"), "max-age=") {
		t.Errorf("%s %v", resp.Proto, resp.Header)
	}
}

// TestSilentTLSClientHasADeadline checks the deadline of a handshake, which net/http takes from that of heads.
func TestSilentTLSClientHasADeadline(t *testing.T) {
	secured := selfSigned(t)
	s, _ := serve(t, func(o *Options) { o.TLS, o.headTimeout = secured, 100*time.Millisecond })
	if !closed(dialFrom(t, s, "127.0.0.1")) {
		t.Error("a client without a handshake stays")
	}
}

// TestStuckReaderGivesBackWhatItHolds requests an answer and reads none of it.
func TestStuckReaderGivesBackWhatItHolds(t *testing.T) {
	released := make(chan struct{})
	s, _ := serve(t, func(o *Options) {
		o.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer Wrap(w).HoldUntilWritten(func() { close(released) })()
			echo(w, r)
		})
	})
	c := dialFrom(t, s, "127.0.0.1")
	send(t, c, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case <-released:
	case <-time.After(awaittest.Timeout):
		t.Error("a client that does not read holds a slot")
	}
}

func TestForwardedAddress(t *testing.T) {
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		remote string
		header []string
		want   string
	}{
		{"10.0.0.1:1", []string{"203.0.113.7"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"6.6.6.6, 203.0.113.7"}, "203.0.113.7"}, // the client wrote the first
		{"10.0.0.1:1", []string{"6.6.6.6", "203.0.113.7, 10.2.2.2"}, "203.0.113.7"},
		{"10.0.0.1:1", []string{"6.6.6.6,nonsense"}, "10.0.0.1"},
		{"10.0.0.1:1", []string{""}, "10.0.0.1"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"10.0.0.1:1", []string{"10.3.3.3"}, "10.3.3.3"},
		{"10.0.0.1:1", []string{"[2001:db8:1:2:3::4]:443"}, "2001:db8:1:2::"},
		{"[fd00::1]:1", []string{"203.0.113.7:99"}, "203.0.113.7"},
		{"203.0.113.9:1", []string{"6.6.6.6"}, "203.0.113.9"}, // no proxy of ours
		{"[2001:db8:1:2:3::4]:5", nil, "2001:db8:1:2::"},
		{"[::ffff:203.0.113.9]:5", nil, "203.0.113.9"},
	} {
		var got netip.Addr
		s := New(Options{
			Limits: Limits{Proxies: proxies}, Logger: slog.New(slog.DiscardHandler),
			Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = ShareAddr(r) }),
		})
		r := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(s.BaseContext(nil))
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.header
		s.Handler.ServeHTTP(httptest.NewRecorder(), r)
		if got.String() != c.want {
			t.Errorf("%s with %q: %s, want %s", c.remote, c.header, got, c.want)
		}
	}
}
