package influx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

// fake plays an InfluxDB whose answers to writes and queries the test gives.
func fake(t *testing.T, version string, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Influxdb-Version", version)
		switch {
		case r.URL.Path == "/ping":
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/query" && strings.Contains(r.FormValue("q"), "SHOW DATABASES"):
			fmt.Fprintln(w, `{"results":[{"series":[{"name":"databases","columns":["name"],"values":[["nhip"]]}]}]}`)
		default:
			answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func openFake(t *testing.T, answer http.HandlerFunc, change ...func(*influx.Options)) *influx.DB {
	t.Helper()
	o := influx.Options{URL: fake(t, "1.8.10", answer), Token: "u:p", Bucket: "nhip", Logger: influxtest.Logger(t)}
	for _, c := range change {
		c(&o)
	}
	db, err := influx.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func TestWriteTellsWhatToDo(t *testing.T) {
	tests := []struct {
		status     int
		body       string
		retryAfter string
		want       influx.WriteError
		says       string
	}{
		{status: 200, body: "<html>a proxy", want: influx.WriteError{Kind: influx.Retry}, says: "answered with status 200, not 204"},
		{status: 301, want: influx.WriteError{Kind: influx.Retry, Status: 301}},
		{status: 400, body: `{"error":"partial write: field type conflict dropped=1"}`, want: influx.WriteError{Kind: influx.Rejected, Status: 400}, says: "field type conflict"},
		{status: 400, body: `{"code":"invalid","message":"unable to parse 'x'","err":"more words"}`, want: influx.WriteError{Kind: influx.Rejected, Status: 400}, says: "unable to parse"},
		{status: 401, body: `{"error":"authorization failed"}`, want: influx.WriteError{Kind: influx.Retry, Status: 401}, says: "authorization failed"},
		{status: 403, want: influx.WriteError{Kind: influx.Retry, Status: 403}},
		{status: 404, want: influx.WriteError{Kind: influx.Retry, Status: 404}},
		{status: 408, want: influx.WriteError{Kind: influx.Retry, Status: 408}},
		{status: 413, body: "Request Entity Too Large", want: influx.WriteError{Kind: influx.TooLarge, Status: 413}},
		{status: 418, want: influx.WriteError{Kind: influx.Retry, Status: 418}},
		{status: 422, want: influx.WriteError{Kind: influx.Rejected, Status: 422}},
		{status: 429, retryAfter: "7", want: influx.WriteError{Kind: influx.Retry, Status: 429, RetryAfter: 7 * time.Second}},
		{status: 500, body: `{"error":"retention policy not found: x"}`, want: influx.WriteError{Kind: influx.Retry, Status: 500}, says: "retention policy not found"},
		{status: 503, body: "not json", retryAfter: "soon", want: influx.WriteError{Kind: influx.Retry, Status: 503}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			db := openFake(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(tt.body, "{") {
					w.Header().Set("Content-Type", "application/json")
					w.Header().Set("X-Influxdb-Error", tt.body)
				}
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			err := db.Write(t.Context(), []byte("m f=1 1\n"))
			var got *influx.WriteError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a *WriteError", err)
			}
			if got.Kind != tt.want.Kind || got.Status != tt.want.Status || got.RetryAfter != tt.want.RetryAfter {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got.Err == nil || got.Err.Error() == "" || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("says %q, want %q in it", err, tt.says)
			}
		})
	}
}

func TestWriteSendsTheLines(t *testing.T) {
	var query, body, encoding string
	db := openFake(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		query, body, encoding = r.URL.Query().Encode(), string(b), r.Header.Get("Content-Encoding")
		w.WriteHeader(http.StatusNoContent)
	})
	lines := []byte("m f=1 1\nm f=2 2\n")
	if err := db.Write(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	if query != "bucket=nhip%2Fautogen&org=&precision=ms" || body != string(lines) || encoding != "" {
		t.Errorf("asked %s with %q (%s)", query, body, encoding)
	}
	body = ""
	if err := db.Write(t.Context(), nil); err != nil || body != "" {
		t.Errorf("nothing to write: %v, %q", err, body)
	}
}

func TestWriteWithoutAnAnswer(t *testing.T) {
	hang := make(chan struct{})
	db := openFake(t, func(http.ResponseWriter, *http.Request) { <-hang },
		func(o *influx.Options) { o.Timeout = 50 * time.Millisecond })
	defer close(hang)
	var got *influx.WriteError
	if err := db.Write(t.Context(), []byte("m f=1 1\n")); !errors.As(err, &got) || got.Kind != influx.Retry || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past the time limit: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Write(ctx, []byte("m f=1 1\n")); !errors.As(err, &got) || got.Kind != influx.Retry || !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestAStuckDatabaseIsReportedOnceAMinute(t *testing.T) {
	reported := 0
	answer := "engine: error writing WAL entry: write _00001.wal: no space left on device"
	db := openFake(t, func(w http.ResponseWriter, _ *http.Request) {
		body := fmt.Sprintf(`{"error":%q}`, answer)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Influxdb-Error", body) // as 1.8 does
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, body)
	}, func(o *influx.Options) { o.Stuck = func() { reported++ } })
	for range 3 {
		if db.Write(t.Context(), []byte("m f=1 1\n")) == nil {
			t.Fatal("the write succeeds")
		}
	}
	if reported != 1 {
		t.Errorf("reported %d times, want 1", reported)
	}
	answer = "timeout"
	_ = db.Write(t.Context(), []byte("m f=1 1\n")) // any other trouble is waited out
	if reported != 1 {
		t.Errorf("reported %d times, want 1", reported)
	}
}
