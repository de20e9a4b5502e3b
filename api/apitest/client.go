// Package apitest holds an HTTP client for tests that checks each request and answer against api/openapi.yaml.
package apitest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/api"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// Client sends requests to one api.
type Client struct {
	// Token is the operator's token, which Send and requests for /metrics carry; empty: none.
	Token string

	base   string
	router routers.Router
}

// contract returns the router of the contract, at any address. Reading the contract takes longer than most tests, so
// that the clients of a test program share it.
var contract = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(api.Contract())
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, err
	}
	for name, decode := range map[string]openapi3filter.BodyDecoder{
		"application/geo+json":               openapi3filter.JSONBodyDecoder,
		"application/vnd.mapbox-vector-tile": openapi3filter.FileBodyDecoder,
		"application/atom+xml":               openapi3filter.FileBodyDecoder,
		"application/cap+xml":                openapi3filter.FileBodyDecoder,
		"application/yaml":                   openapi3filter.FileBodyDecoder,
		"text/event-stream":                  decodeEvent,
		"text/csv":                           openapi3filter.FileBodyDecoder,
		"text/html":                          openapi3filter.FileBodyDecoder,
		"text/css":                           openapi3filter.FileBodyDecoder,
		"text/xml":                           openapi3filter.FileBodyDecoder,
		"image/jpeg":                         openapi3filter.FileBodyDecoder,
		"application/vnd.apache.parquet":     openapi3filter.FileBodyDecoder,
	} {
		openapi3filter.RegisterBodyDecoder(name, decode)
	}
	doc.Servers = nil // any address
	return gorillamux.NewRouter(doc)
})

// New returns a client of the api at base, such as http://127.0.0.1:8080.
func New(t testing.TB, base string) *Client {
	t.Helper()
	router, err := contract()
	if err != nil {
		t.Fatalf("api/openapi.yaml: %v", err)
	}
	return &Client{base: base, router: router}
}

// Base returns the address of the api.
func (c *Client) Base() string { return c.base }

// Answer is the answer to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get sends a GET request to a path, which may have a query, and checks the answer. If the answer is a success, it
// checks the request, too. header holds names and values in turn.
func (c *Client) Get(t testing.TB, path string, header ...string) Answer {
	t.Helper()
	return c.do(t, http.MethodGet, path, "", header)
}

// Post sends JSON to a path and checks it like Get.
func (c *Client) Post(t testing.TB, path, body string, header ...string) Answer {
	t.Helper()
	return c.do(t, http.MethodPost, path, body, append(header, "Content-Type", "application/json"))
}

// Put sends a PUT request with JSON to a path and checks it like Get.
func (c *Client) Put(t testing.TB, path, body string, header ...string) Answer {
	t.Helper()
	return c.do(t, http.MethodPut, path, body, append(header, "Content-Type", "application/json"))
}

// Delete sends a DELETE request to a path and checks it like Get.
func (c *Client) Delete(t testing.TB, path string, header ...string) Answer {
	t.Helper()
	return c.do(t, http.MethodDelete, path, "", header)
}

func (c *Client) do(t testing.TB, method, path, body string, header []string) Answer {
	t.Helper()
	h := make(http.Header)
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	if path == "/metrics" && c.Token != "" && h.Get("Authorization") == "" {
		h.Set("Authorization", "Bearer "+c.Token)
	}
	return c.send(t, method, path, body, h)
}

// Send sends a request, with the token if there is one, and checks the answer like Get.
func (c *Client) Send(t testing.TB, r *Request) Answer {
	t.Helper()
	h := r.Header.Clone()
	if c.Token != "" {
		h.Set("Authorization", "Bearer "+c.Token)
	}
	return c.send(t, r.Method, r.URI(), r.Body, h)
}

func (c *Client) send(t testing.TB, method, path, body string, header http.Header) Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() {
		cancel() // Close waits for the rest of an answer, and a stream does not end
		_ = resp.Body.Close()
	}()
	raw, err := readAnswer(resp)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	a := Answer{resp.StatusCode, resp.Header, raw}
	if body != "" {
		req.Body = io.NopCloser(strings.NewReader(body)) // the transport has read the first one
	}
	c.check(t, req, a)
	return a
}

// requestTimeout bounds a request and its answer.
const requestTimeout = 2 * time.Minute

// readAnswer reads an answer, of a stream of events the first one: a stream does not end.
func readAnswer(resp *http.Response) ([]byte, error) {
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return io.ReadAll(resp.Body)
	}
	var event []byte
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := lines.ReadBytes('\n')
		event = append(event, line...)
		if err != nil || len(bytes.TrimSpace(line)) == 0 {
			return event, err
		}
	}
}

// decodeEvent decodes a server-sent event into its fields.
func decodeEvent(body io.Reader, _ http.Header, _ *openapi3.SchemaRef, _ openapi3filter.EncodingFn) (any, error) {
	event := make(map[string]any)
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		if name, value, found := strings.Cut(lines.Text(), ":"); found && name != "" {
			event[name] = strings.TrimPrefix(value, " ")
		}
	}
	return event, lines.Err()
}

func (c *Client) check(t testing.TB, req *http.Request, a Answer) {
	t.Helper()
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		if a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed {
			return // neither described nor served
		}
		t.Fatalf("%s %s: %d, but the contract does not describe the address: %v", req.Method, req.URL, a.Status, err)
	}
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}, // the api checks it
	}
	if a.Status < 400 {
		if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
			t.Errorf("%s %s is accepted although it violates the contract: %v", req.Method, req.URL, err)
		}
	}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.Status, Header: a.Header,
		Body:    io.NopCloser(bytes.NewReader(a.Body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil {
		t.Errorf("%s %s: the answer, %d, violates the contract: %v\n%.300s", req.Method, req.URL, a.Status, err, a.Body)
	}
	if field := nanoseconds.Find(a.Body); field != nil {
		t.Errorf("%s %s: the answer has a duration as a number: %s", req.Method, req.URL, field)
	}
}

// nanoseconds matches a field of JSON that is a time.Duration by its name or its size.
var nanoseconds = regexp.MustCompile(`"(?:period|interval|duration|latency|keep|timeout|lifetime)[a-z_]*":\s*\d{9,}`)

// Query returns a path with a query; pairs holds names and values in turn.
func Query(path string, pairs ...string) string {
	var q []string
	for i := 0; i < len(pairs); i += 2 {
		q = append(q, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	return path + "?" + strings.Join(q, "&")
}
