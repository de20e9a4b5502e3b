package gateway

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip/internal/awaittest"
	"nhip/internal/problem"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// pushServer starts a gateway with devices in its fleet and a server for pushes.
func pushServer(t *testing.T, d *fakeAcceptor, l Limits) (*Gateway, string) {
	t.Helper()
	g := startWith(t, d, l)
	sensor, lora := newDevice("esp8266-7", "s"), newDevice("network", "n")
	sensor.Feed, lora.Feed, lora.Topics = "sensors", "lorawan", []string{"application/1/#"}
	setDevices(g, newDevice("bus-1", "b"), sensor, lora)
	s := httptest.NewServer(g.Push())
	t.Cleanup(s.Close)
	return g, s.URL
}

// post pushes a body and returns the status and the problem of the answer.
func post(t *testing.T, url, body string, header ...string) (int, problem.Body) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var p problem.Body
	if resp.StatusCode >= http.StatusBadRequest {
		_ = json.NewDecoder(resp.Body).Decode(&p) // chi's own 404 has none
	}
	return resp.StatusCode, p
}

func bearer(secret string) []string { return []string{"Authorization", "Bearer " + secret} }

func basic(name, secret string) []string {
	r := &http.Request{Header: make(http.Header)}
	r.SetBasicAuth(name, secret)
	return []string{"Authorization", r.Header.Get("Authorization")}
}

func zipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPushPassesMessageOn(t *testing.T) {
	d := &fakeAcceptor{}
	g, url := pushServer(t, d, Limits{})
	for i, c := range []struct {
		path, body string
		header     []string
		topic      string
		payload    string
	}{
		{"/in/position/bus-1", "{}", bearer("b"), "nhip/in/position/bus-1", "{}"},
		{"/in/position/bus-1", "[{},{}]", basic("bus-1", "b"), "nhip/in/position/bus-1", "[{},{}]"},
		{
			"/in/sensor-community/esp8266-7", `{"a":1}`, append(basic("esp8266-7", "s"), "X-Sensor", "esp8266-7", "X-Pin", "1"),
			"nhip/in/sensor-community/esp8266-7", `{"a":1}`,
		},
		{
			"/in/position/bus-1", zipped(t, "{}"), append(bearer("b"), "Content-Encoding", "gzip"), "nhip/in/position/bus-1",
			"{}",
		},
		{"/in/chirpstack/network?event=up", "{}", bearer("n"), "nhip/in/chirpstack/network", "{}"},
		{"/in/airgradient/anybody", "{}", bearer(accounts.Operator.String()), "nhip/in/airgradient/anybody", "{}"},
	} {
		if status, p := post(t, url+c.path, c.body, c.header...); status != http.StatusNoContent {
			t.Fatalf("%s: %d %+v", c.path, status, p)
		}
		m := d.messages()[i]
		if m.Topic != c.topic || string(m.Payload) != c.payload ||
			m.Client != c.topic[strings.LastIndexByte(c.topic, '/')+1:] || m.Received.IsZero() {
			t.Errorf("%s: passed on as %+v", c.path, m)
		}
	}
	if n := testutil.ToFloat64(g.hook.metrics.pushes.WithLabelValues("position", "taken")); n != 3 {
		t.Errorf("%v pushes counted, want 3", n)
	}
	if status, _ := post(t, url+"/in/chirpstack/network?event=join", "{}",
		bearer("n")...); status != http.StatusNoContent || len(d.messages()) != 6 {
		t.Errorf("a join: status %d, %d messages accepted", status, len(d.messages()))
	}
}

func TestPushRejects(t *testing.T) {
	d := &fakeAcceptor{}
	_, url := pushServer(t, d, Limits{})
	big := strings.Repeat("x", maxPush+1)
	for name, c := range map[string]struct {
		path, body string
		header     []string
		status     int
		field      string
	}{
		"no secret":        {"/in/position/bus-1", "{}", nil, 401, "Authorization"},
		"a wrong secret":   {"/in/position/bus-1", "{}", bearer("x"), 401, "Authorization"},
		"an empty secret":  {"/in/position/bus-1", "{}", basic("bus-1", ""), 401, "Authorization"},
		"a role's secret":  {"/in/position/bus-1", "{}", bearer(accounts.Role), 401, "Authorization"},
		"another device's": {"/in/position/bus-2", "{}", basic("bus-1", "b"), 403, "device"},
		"another format":   {"/in/hfp/bus-1", "{}", bearer("b"), 403, "format"},
		"import":           {"/in/import/bus-1", "{}", bearer("b"), 403, "format"},
		"a header for another": {
			"/in/sensor-community/esp8266-7", "{}", append(bearer("s"), "X-Sensor", "esp8266-8"), 400, "X-Sensor",
		},
		"a wildcard": {"/in/position/+", "{}", bearer(accounts.Operator.String()), 400, "device"},
		"a path":     {"/in/position/..%2Flive", "{}", bearer(accounts.Operator.String()), 400, "device"},
		"a long name": {
			"/in/position/" + strings.Repeat("a", 1000), "{}", bearer(accounts.Operator.String()), 400, "device",
		},
		"no body":   {"/in/position/bus-1", "", bearer("b"), 400, ""},
		"too large": {"/in/position/bus-1", big, bearer("b"), 413, ""},
		"a zip bomb": {
			"/in/position/bus-1", zipped(t, strings.Repeat("0", 8<<20)), append(bearer("b"), "Content-Encoding", "gzip"), 413,
			"",
		},
		"no gzip": {
			"/in/position/bus-1", "{}", append(bearer("b"), "Content-Encoding", "gzip"), 400, "Content-Encoding",
		},
		"a cut gzip": {
			"/in/position/bus-1", zipped(t, "{}")[:15], append(bearer("b"), "Content-Encoding", "gzip"), 400, "",
		},
		"another encoding": {
			"/in/position/bus-1", "{}", append(bearer("b"), "Content-Encoding", "br"), 400, "Content-Encoding",
		},
		"a path without a device": {"/in/position", "{}", bearer("b"), 404, ""},
	} {
		status, p := post(t, url+c.path, c.body, c.header...)
		if status != c.status || p.Field != c.field {
			t.Errorf("%s: %d %+v, want %d for %q", name, status, p, c.status, c.field)
		}
	}
	if n := len(d.messages()); n != 0 {
		t.Errorf("%d messages accepted", n)
	}
}

func TestPushIsAnsweredOnceOnDisk(t *testing.T) {
	d := &fakeAcceptor{hold: make(chan struct{})}
	_, url := pushServer(t, d, Limits{})
	answered := make(chan int, 1)
	go func() {
		status, _ := post(t, url+"/in/position/bus-1", "{}", bearer("b")...)
		answered <- status
	}()
	awaittest.True(t, "the message reaches the acceptor", func() bool { return len(d.messages()) == 1 })
	select {
	case status := <-answered:
		t.Fatalf("status %d before the message was on disk", status)
	case <-time.After(quietTime):
	}
	close(d.hold)
	if status := <-answered; status != http.StatusNoContent {
		t.Errorf("status %d, want 204", status)
	}
	d.mu.Lock()
	d.hold, d.err = nil, errors.New("disk full")
	d.mu.Unlock()
	if status, _ := post(t, url+"/in/position/bus-1", "{}", bearer("b")...); status != http.StatusServiceUnavailable {
		t.Errorf("status %d on a full disk, want 503", status)
	}
}

func TestPushIsLimited(t *testing.T) {
	g, url := pushServer(t, &fakeAcceptor{}, Limits{MessageRate: 1})
	many := 0
	for range burstSeconds + 3 {
		if status, _ := post(t, url+"/in/position/bus-1", "{}", bearer("b")...); status == http.StatusTooManyRequests {
			many++
		}
	}
	if many == 0 || testutil.ToFloat64(g.hook.metrics.limited.WithLabelValues(classMessageRate)) != float64(many) {
		t.Errorf("%d messages of a flood refused, or not counted", many)
	}
	refused := 0
	for range failedBurst + 3 {
		if status, _ := post(t, url+"/in/position/bus-1", "{}", bearer("x")...); status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("the rate of wrong secrets is not limited")
	}
}

// TestPushWithIncompleteBody: the body of the request is shorter than its Content-Length.
func TestPushWithIncompleteBody(t *testing.T) {
	d := &fakeAcceptor{}
	_, url := pushServer(t, d, Limits{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn,
		"POST /in/position/bus-1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer b\r\nContent-Length: 100\r\n\r\n{")
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.(*net.TCPConn).CloseWrite() // instead of waiting for the deadline
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), " 400 ") || len(d.messages()) != 0 {
		t.Errorf("answer %q, %v; want 400", answer, err)
	}
}
