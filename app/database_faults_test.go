package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"nhip/app/apptest"
	"nhip/internal/awaittest"
	"nhip/internal/influx/influxtest"
	"nhip/internal/suitetest"
)

// faultyProxy stands before a database and spoils its answers to queries.
type faultyProxy struct {
	url   string
	fault atomic.Pointer[fault]
}

// fault answers a query in the place of the database, whose answer is body. A fault with delay only delays the answer.
type fault struct {
	delay  time.Duration
	answer func(w http.ResponseWriter, r *http.Request, body []byte)
}

func startFaultyProxy(t *testing.T, database string) *faultyProxy {
	t.Helper()
	to, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p, forward := &faultyProxy{}, httputil.NewSingleHostReverseProxy(to)
	forward.ErrorLog = nil
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := p.fault.Load()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if f == nil || r.URL.Path != "/query" || !strings.Contains(string(body), "SELECT") {
			forward.ServeHTTP(w, r)
			return
		}
		time.Sleep(f.delay)
		if f.answer == nil {
			forward.ServeHTTP(w, r)
			return
		}
		recorded := httptest.NewRecorder()
		forward.ServeHTTP(recorded, r)
		w.Header().Set("Content-Type", recorded.Header().Get("Content-Type"))
		f.answer(w, r, recorded.Body.Bytes())
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// TestDatabaseFaultsAreNoAnswers reads the history from a database that is slow, refuses, breaks off or stops in the
// middle of an answer. An answer is whole, an error, or cut off so that the client notices it; never a part that looks
// whole. Without the fault, all is well again.
func TestDatabaseFaultsAreNoAnswers(t *testing.T) {
	server := influxtest.Server(t)
	proxy := startFaultyProxy(t, server.URL())
	o := server.Options(t, "nhip")
	o.URL = proxy.url
	p := apptest.Up(t, t.TempDir(), influxtest.YAML(o, ""))
	c := p.API(t)
	day := time.Now().UTC().Truncate(time.Hour).Add(-30 * 24 * time.Hour)
	var rows strings.Builder
	rows.WriteString("time,quantity,value\n")
	const readings = 600 // more than one buffer of an answer
	for i := range readings {
		fmt.Fprintf(&rows, "%s,pm25,%d\n", day.Add(time.Duration(i)*time.Minute).Format(time.RFC3339), 20+i%7)
	}
	p.Publish(t, apptest.Message{Topic: "nhip/in/import/csv/s", Payload: rows.String()})
	apptest.AwaitAssessed(t, c, readings)

	span := "from=" + day.Add(-time.Hour).Format(time.RFC3339) + "&to=" + day.Add(24*time.Hour).Format(time.RFC3339)
	paths := map[string]int{ // by number of readings; 0 where the answer has others
		"/v1/stations/s/readings?quantity=pm25&" + span:            readings,
		"/v1/stations/s/readings?quantity=pm25&format=csv&" + span: readings,
		"/v1/stations/s/aqi?period=hour&" + span:                   0,
		"/v1/ledger?verify=true":                                   0,
		"/v1/reviews":                                              0,
	}
	whole := make(map[string][]byte)
	get := func(path string) (status int, body []byte, err error) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, p.HTTP+path, nil)
		req.Header.Set("Authorization", "Bearer "+p.Token(t))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, nil, err
		}
		defer resp.Body.Close()
		body, err = io.ReadAll(resp.Body)
		return resp.StatusCode, body, err
	}
	checkWhole := func(name string) {
		t.Helper()
		for path, n := range paths {
			status, body, err := get(path)
			if err != nil || status != http.StatusOK || n > 0 && bytes.Count(body, []byte("pm25")) < n {
				t.Errorf("%s: %s: status %d, %d bytes, %v", name, path, status, len(body), err)
			}
			if !strings.Contains(path, "ledger") && whole[path] != nil && !bytes.Equal(whole[path], body) {
				t.Errorf("%s: %s: another answer than before", name, path)
			}
			whole[path] = body
		}
	}
	checkWhole("before")
	status := func(code int) *fault {
		return &fault{answer: func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.WriteHeader(code) }}
	}
	faults := map[string]*fault{
		"slow": {delay: suitetest.Pick(300*time.Millisecond, 5*time.Second)},
		"500":  status(500), "429": status(429), "401": status(401), "503": status(503), "404": status(404),
		"reset before the answer": {answer: func(http.ResponseWriter, *http.Request, []byte) { panic(http.ErrAbortHandler) }},
		"reset in the middle": {answer: func(w http.ResponseWriter, _ *http.Request, body []byte) {
			_, _ = w.Write(body[:len(body)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}},
		"ends in the middle": {answer: func(w http.ResponseWriter, _ *http.Request, body []byte) {
			_, _ = w.Write(body[:len(body)/2])
		}},
		"ends without the last byte": {answer: func(w http.ResponseWriter, _ *http.Request, body []byte) {
			body = bytes.TrimRight(body, "\r\n") // JSON is whole without its newline
			_, _ = w.Write(body[:len(body)-1])
		}},
		"a web page": {answer: func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>log in</html>")
		}},
		"empty": {answer: func(http.ResponseWriter, *http.Request, []byte) {}},
	}
	for name, f := range faults {
		proxy.fault.Store(f)
		if f.answer == nil {
			checkWhole(name)
			proxy.fault.Store(nil)
			continue
		}
		for path := range paths {
			status, body, err := get(path)
			if err == nil && status == http.StatusOK {
				t.Errorf("%s: %s: status 200 and %d bytes of %d without an error", name, path, len(body), len(whole[path]))
			}
			if err == nil && status != http.StatusServiceUnavailable && status != http.StatusInternalServerError {
				t.Errorf("%s: %s: status %d %s", name, path, status, body)
			}
		}
		proxy.fault.Store(nil)
		awaittest.True(t, name+": the database answers again", func() bool {
			status, _, err := get("/v1/reviews")
			return err == nil && status == http.StatusOK
		})
		checkWhole("after " + name)
	}
}
