package apptest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"nhip/api/apitest"
)

// contract is an http.RoundTripper that checks each request and answer against the API's contract.
type contract struct {
	t   testing.TB
	api *apitest.Client
}

// RoundTrip sends GET, POST, PUT and DELETE requests.
func (c contract) RoundTrip(req *http.Request) (*http.Response, error) {
	var header []string
	for name := range req.Header {
		header = append(header, name, req.Header.Get(name))
	}
	var a apitest.Answer
	switch req.Method {
	case http.MethodDelete:
		a = c.api.Delete(c.t, req.URL.RequestURI(), header...)
	case http.MethodPost, http.MethodPut:
		send := c.api.Post
		if req.Method == http.MethodPut {
			send = c.api.Put
		}
		var body []byte
		if req.Body != nil {
			var err error
			if body, err = io.ReadAll(req.Body); err != nil {
				return nil, err
			}
			_ = req.Body.Close()
		}
		a = send(c.t, req.URL.RequestURI(), string(body), header...)
	default:
		a = c.api.Get(c.t, req.URL.RequestURI(), header...)
	}
	return &http.Response{
		Status:     fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)),
		StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.Header,
		Body: io.NopCloser(bytes.NewReader(a.Body)), ContentLength: int64(len(a.Body)), Request: req,
	}, nil
}
