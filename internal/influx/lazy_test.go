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
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

func TestLazyDBOpensWhenInfluxDBIsReady(t *testing.T) {
	var ready, wrote atomic.Bool
	to, err := url.Parse(fake(t, "1.8.10", func(w http.ResponseWriter, _ *http.Request) {
		wrote.Store(true)
		w.WriteHeader(http.StatusNoContent)
	}))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ready.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)

	db, err := influx.OpenLazy(t.Context(), influx.Options{
		URL: server.URL, Token: "u:p", Bucket: "nhip", Logger: influxtest.Logger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var failed *influx.WriteError
	if err := db.Write(t.Context(), []byte("a b=1 1")); !errors.As(err, &failed) || failed.Kind != influx.Retry {
		t.Errorf("Write before InfluxDB is ready: %v", err)
	}
	if err := db.Ping(t.Context()); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("Ping before InfluxDB is ready: %v", err)
	}
	if err := db.Readings(t.Context(), around("s"), nil); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("Readings before InfluxDB is ready: %v", err)
	}
	ready.Store(true)
	awaittest.True(t, "rows are stored", func() bool { return db.Write(t.Context(), []byte("a b=1 1")) == nil })
	if !wrote.Load() {
		t.Error("Write succeeded without a request")
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOpenLazyRejectsWrongOptions(t *testing.T) {
	_, err := influx.OpenLazy(t.Context(), influx.Options{URL: fake(t, "1.7.11", nil), Bucket: "b"})
	if nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Errorf("with an unsupported version: %v", err)
	}
}

func TestLazyDBClosesBeforeOpened(t *testing.T) {
	stopped := httptest.NewServer(nil)
	stopped.Close()
	db, err := influx.OpenLazy(t.Context(), influx.Options{URL: stopped.URL, Bucket: "b", Logger: influxtest.Logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}
