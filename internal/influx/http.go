package influx

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Limits of the connections to InfluxDB.
const (
	dialTimeout = 5 * time.Second
	maxIdle     = 16 // a few writers and readers at once; more connections are made as needed
)

// newHTTPClient returns a client without an overall time limit, which would cut long answers off in
// the middle: every request has its own context.
func newHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	t.MaxIdleConnsPerHost = maxIdle
	return &http.Client{Transport: storedOnly{t}}
}

// storedOnly lets a write succeed with status 204 only, InfluxDB's "stored". The client library
// takes any 2xx for it, and so the 200 of a proxy's error page for thousands of rows on disk.
type storedOnly struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t storedOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(req)
	if err != nil || resp.StatusCode/100 != 2 || resp.StatusCode == http.StatusNoContent {
		return resp, err
	}
	if strings.HasSuffix(req.URL.Path, "/api/v2/write") {
		return nil, errors.Join(fmt.Errorf("a write was answered with status %d, not 204", resp.StatusCode), resp.Body.Close())
	}
	return resp, nil
}

// statusOf returns the HTTP status that err carries and InfluxDB's own words, or 0 when there was
// no answer.
func statusOf(err error) (status int, message string) {
	var bad *statusError
	if errors.As(err, &bad) {
		return bad.status, bad.message
	}
	var refused *ihttp.Error
	if errors.As(err, &refused) {
		return refused.StatusCode, strings.TrimSpace(refused.Message)
	}
	return 0, ""
}
