package influx_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

// TestLateOpensWhenInfluxDBComes begins with a database that is starting, which takes rows later.
func TestLateOpensWhenInfluxDBComes(t *testing.T) {
	var there, wrote atomic.Bool
	to, err := url.Parse(fake(t, "1.8.10", func(w http.ResponseWriter, _ *http.Request) {
		wrote.Store(true)
		w.WriteHeader(http.StatusNoContent)
	}))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !there.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)

	db, err := influx.OpenLate(t.Context(), influx.Options{URL: server.URL, Token: "u:p", Bucket: "nhip", Logger: influxtest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var failed *influx.WriteError
	if err := db.Write(t.Context(), []byte("a b=1 1")); !errors.As(err, &failed) || failed.Kind != influx.Retry {
		t.Errorf("a write before: %v", err)
	}
	if err := db.Ping(t.Context()); nhip.ErrorCode(err) != nhip.Unavailable {
		t.Errorf("a ping before: %v", err)
	}
	if err := db.Readings(t.Context(), influx.ReadingQuery{}, nil); nhip.ErrorCode(err) != nhip.Unavailable {
		t.Errorf("a question before: %v", err)
	}
	there.Store(true)
	eventually(t, "rows are taken", func() bool { return db.Write(t.Context(), []byte("a b=1 1")) == nil })
	if !wrote.Load() {
		t.Error("a write that reached nobody")
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLateTellsAtOnceWhatWaitingCantCure(t *testing.T) {
	_, err := influx.OpenLate(t.Context(), influx.Options{URL: fake(t, "1.7.11", nil), Bucket: "b"})
	if nhip.ErrorCode(err) != nhip.Invalid {
		t.Errorf("a version that is too old: %v", err)
	}
}

func TestLateIsClosedWhileItWaits(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	db, err := influx.OpenLate(t.Context(), influx.Options{URL: gone.URL, Bucket: "b", Logger: influxtest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}
