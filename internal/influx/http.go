package influx

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Limits of connections to InfluxDB.
const (
	dialTimeout = 5 * time.Second
	maxIdle     = 16 // for a few concurrent writers and readers; more connections are opened as needed
)

// newHTTPClient returns a client without an overall timeout, which would cut off long results. Each request has a
// context of its own.
func newHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	t.MaxIdleConnsPerHost = maxIdle
	t.Proxy = nil // the token is for the database, not for a proxy of the environment
	return &http.Client{Transport: writeStatusTransport{t}, CheckRedirect: refuseRedirect}
}

// refuseRedirect keeps the token from other servers.
func refuseRedirect(req *http.Request, _ []*http.Request) error {
	return fmt.Errorf("redirect to %s refused", req.URL.Hostname())
}

// writeStatusTransport accepts only status 204, InfluxDB's "stored", as the success of a write. The client library
// accepts any 2xx, so the error page of a proxy with status 200 would count as stored rows.
type writeStatusTransport struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (t writeStatusTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(req)
	if err != nil || resp.StatusCode == http.StatusNoContent {
		return resp, err
	}
	isWrite := strings.HasSuffix(req.URL.Path, "/api/v2/write")
	switch {
	case isWrite && resp.StatusCode == http.StatusBadRequest:
		if err := addV3Error(resp); err != nil {
			return nil, err
		}
	case isWrite && resp.StatusCode/100 == 2:
		err := fmt.Errorf("response to a write has status %d, not 204", resp.StatusCode)
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

// v3Error is the response of InfluxDB 3 to rows that it refuses. The client library does not know the form.
type v3Error struct {
	Error string `json:"error"`
	Data  []struct {
		Message string `json:"error_message"`
		Line    int    `json:"line_number"`
	} `json:"data"`
}

// addV3Error puts the message of InfluxDB 3 into a header, from which the client library takes the message of a
// response that it does not understand.
func addV3Error(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var answer v3Error
	_ = json.Unmarshal(body, &answer) // another form has another type of data, or is of another version
	if answer.Error == "" {
		return nil
	}
	text := answer.Error
	for _, d := range answer.Data[:min(1, len(answer.Data))] {
		text += fmt.Sprintf(": line %d: %s", d.Line, d.Message)
	}
	if resp.Header.Get("X-Influxdb-Error") == "" { // 1.8 sets it
		resp.Header.Set("X-Influxdb-Error", text)
	}
	return nil
}

// statusOf returns the HTTP status and InfluxDB's message in err, or 0 if there was no response.
func statusOf(err error) (status int, message string) {
	var bad *statusError
	if errors.As(err, &bad) {
		return bad.status, bad.message
	}
	var apiErr *ihttp.Error
	if errors.As(err, &apiErr) {
		return apiErr.StatusCode, strings.TrimSpace(apiErr.Message)
	}
	return 0, ""
}
