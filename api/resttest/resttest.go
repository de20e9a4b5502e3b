// Package resttest sends requests to HTTP handlers and decodes their answers, for tests.
package resttest

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Get returns the answer of a handler to a GET request. header holds names and values in turn.
func Get(h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Decode returns the JSON of the answer to a GET request, which must have status 200.
func Decode[T any](t testing.TB, h http.Handler, path string) T {
	t.Helper()
	w := Get(h, path)
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s: %v", path, w.Code, w.Body, err)
	}
	return v
}

// Features returns the ids and the properties of the features of a GeoJSON answer, which must have status 200.
func Features(t testing.TB, w *httptest.ResponseRecorder) (ids []string, props []map[string]any) {
	t.Helper()
	var body struct {
		Features []struct{ Properties map[string]any }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	for _, f := range body.Features {
		ids = append(ids, f.Properties["id"].(string))
		props = append(props, f.Properties)
	}
	return ids, props
}

// From returns a client whose connections come from an address of this machine, such as 127.0.0.2.
func From(t testing.TB, address string) *http.Client {
	t.Helper()
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	tr := &http.Transport{DialContext: d.DialContext}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}
