package api

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-chi/chi/v5"
)

// headLimit is how long the answer to a HEAD request may take, those of streams too.
const headLimit = 20 * time.Second

// exchange is a request with the head and the length of the body of its answer, as they were sent.
type exchange struct {
	status int
	header http.Header
	length int // bytes
}

// send sends a request without letting the client decompress the answer.
func send(t *testing.T, method, url, encoding string, header ...string) exchange {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), headLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", encoding)
	r.Header.Set("Authorization", "Bearer s3cret")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return exchange{resp.StatusCode, resp.Header, len(body)}
}

// textOf returns a text of a length that compresses a little.
func textOf(length int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, length)
	for i := range b {
		b[i] = 'a' + byte(random.IntN(26))
	}
	return b
}

// TestHeadHasTheHeadOfGet requests every address of the router with both methods.
func TestHeadHasTheHeadOfGet(t *testing.T) {
	a := newAPI(t, withRecords(&recordHistory{}), func(o *Options) {
		o.Web = fstest.MapFS{
			"index.html": {Data: []byte(builtPage)}, "assets/a.js": {Data: textOf(300_000)},
			"assets/a.css": {Data: textOf(500)},
		}
	})
	server := httptest.NewServer(a.server.Handler)
	t.Cleanup(server.Close)
	paths := []string{"/assets/a.js", "/assets/a.css", "/assets/none.js", "/v1/none"}
	err := chi.Walk(a.server.Handler.(chi.Routes), func(method, route string, _ http.Handler,
		_ ...func(http.Handler) http.Handler,
	) error {
		differs := route == "/metrics" || route == "/open311/v2/form" // by what came before the request
		if method == http.MethodGet && !differs {
			path := strings.NewReplacer("{id}", "s", "{z}", "1", "{x}", "1", "{y}", "1", "*", "").Replace(route)
			paths = append(paths, strings.Replace(path, "/report", "/report?month=2026-02", 1))
		}
		return nil
	})
	if err != nil || len(paths) < 40 {
		t.Fatalf("%d paths, %v", len(paths), err)
	}
	for _, path := range paths {
		for _, encoding := range []string{"identity", "gzip"} {
			checkHead(t, server.URL+path, encoding)
		}
	}
}

// checkHead compares the answers to HEAD and to GET.
func checkHead(t *testing.T, url, encoding string) {
	t.Helper()
	head := send(t, http.MethodHead, url, encoding)
	if head.header.Get("Content-Type") == "text/event-stream" {
		if head.status != http.StatusOK || head.header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("%s: %d %v", url, head.status, head.header)
		}
		return // a GET does not end
	}
	got := send(t, http.MethodGet, url, encoding)
	if head.status != got.status || head.length != 0 {
		t.Errorf("%s: HEAD %d with %d bytes, GET %d", url, head.status, head.length, got.status)
	}
	for _, name := range []string{
		"Content-Type", "Content-Encoding", "Cache-Control", "ETag", "Vary", "Accept-Ranges", "Content-Security-Policy",
	} {
		if h, g := head.header.Get(name), got.header.Get(name); h != g {
			t.Errorf("%s (%s): %s of HEAD is %q, of GET %q", url, encoding, name, h, g)
		}
	}
	if h, g := head.header.Get("Content-Length"), got.header.Get("Content-Length"); h != "" && h != g {
		t.Errorf("%s (%s): Content-Length of HEAD is %s, of GET %q", url, encoding, h, g)
	}
}

func TestRangesAreNotCompressed(t *testing.T) {
	files := fstest.MapFS{"index.html": {Data: []byte(builtPage)}, "assets/a.js": {Data: textOf(3000)}}
	server := httptest.NewServer(newAPI(t, func(o *Options) { o.Web = files }).server.Handler)
	t.Cleanup(server.Close)
	got := send(t, http.MethodGet, server.URL+"/assets/a.js", "gzip", "Range", "bytes=100-199")
	if got.status != http.StatusPartialContent || got.length != 100 || got.header.Get("Content-Encoding") != "" ||
		got.header.Get("Content-Range") != "bytes 100-199/3000" {
		t.Errorf("%d, %d bytes, %v", got.status, got.length, got.header)
	}
}
