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

// fake starts a fake InfluxDB that responds to writes and queries with answer, and returns its URL.
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

func TestWriteErrorKinds(t *testing.T) {
	tests := []struct {
		status     int
		body       string
		retryAfter string
		want       influx.WriteError
		text       string
	}{
		{status: 200, body: "<html>a proxy", want: influx.WriteError{Kind: influx.Retry}, text: "has status 200, not 204"},
		{status: 301, want: influx.WriteError{Kind: influx.Retry, Status: 301}},
		{
			status: 400, body: `{"error":"partial write: field type conflict dropped=1"}`,
			want: influx.WriteError{Kind: influx.Rejected, Status: 400, Dropped: 1}, text: "field type conflict",
		},
		{
			status: 400, body: `{"error":"partial write: points beyond retention policy dropped=12"}`,
			want: influx.WriteError{Kind: influx.Rejected, Status: 400, Dropped: 12},
		},
		{
			status: 422,
			body: `{"code":"unprocessable entity","message":"failure writing points to database: ` +
				`partial write: field type conflict: input field \"lat\" on measurement \"position\" is type float, ` +
				`already exists as type string dropped=600"}`,
			want: influx.WriteError{Kind: influx.Rejected, Status: 422, Dropped: 600}, text: "field type conflict",
		},
		{status: 500, body: `{"error":"timeout dropped=3"}`, want: influx.WriteError{Kind: influx.Retry, Status: 500}},
		{
			status: 400, body: `{"code":"invalid","message":"unable to parse 'x'","err":"more words"}`,
			want: influx.WriteError{Kind: influx.Rejected, Status: 400}, text: "unable to parse",
		},
		{
			status: 401, body: `{"error":"authorization failed"}`, want: influx.WriteError{Kind: influx.Retry, Status: 401},
			text: "authorization failed",
		},
		{status: 403, want: influx.WriteError{Kind: influx.Retry, Status: 403}},
		{status: 404, want: influx.WriteError{Kind: influx.Retry, Status: 404}},
		{status: 408, want: influx.WriteError{Kind: influx.Retry, Status: 408}},
		{status: 413, body: "Request Entity Too Large", want: influx.WriteError{Kind: influx.TooLarge, Status: 413}},
		{status: 418, want: influx.WriteError{Kind: influx.Retry, Status: 418}},
		{status: 422, want: influx.WriteError{Kind: influx.Rejected, Status: 422}},
		{status: 429, retryAfter: "7", want: influx.WriteError{Kind: influx.Retry, Status: 429, RetryAfter: 7 * time.Second}},
		{
			status: 429, retryAfter: "3600",
			want: influx.WriteError{Kind: influx.Retry, Status: 429, RetryAfter: influx.MaxRetryAfter},
		},
		{
			status: 503, retryAfter: "4294967295",
			want: influx.WriteError{Kind: influx.Retry, Status: 503, RetryAfter: influx.MaxRetryAfter},
		},
		{
			status: 500, body: `{"error":"retention policy not found: x"}`,
			want: influx.WriteError{Kind: influx.Retry, Status: 500}, text: "retention policy not found",
		},
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
			if got.Kind != tt.want.Kind || got.Status != tt.want.Status || got.RetryAfter != tt.want.RetryAfter ||
				got.Dropped != tt.want.Dropped {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got.Err == nil || got.Err.Error() == "" || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %q, want one with %q", err, tt.text)
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
		t.Errorf("request %s with body %q, encoding %q", query, body, encoding)
	}
	body = ""
	if err := db.Write(t.Context(), nil); err != nil || body != "" {
		t.Errorf("Write without lines: %v, body %q", err, body)
	}
}

func TestWriteWithoutResponse(t *testing.T) {
	hang := make(chan struct{})
	db := openFake(t, func(http.ResponseWriter, *http.Request) { <-hang },
		func(o *influx.Options) { o.Timeout = time.Second })
	defer close(hang)
	var got *influx.WriteError
	if err := db.Write(t.Context(), []byte("m f=1 1\n")); !errors.As(err, &got) || got.Kind != influx.Retry ||
		!errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the timeout: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Write(ctx, []byte("m f=1 1\n")); !errors.As(err, &got) || got.Kind != influx.Retry ||
		!errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

func TestWriteCallsOnStuckOncePerMinute(t *testing.T) {
	reported := 0
	answer := "engine: error writing WAL entry: write _00001.wal: no space left on device"
	db := openFake(t, func(w http.ResponseWriter, _ *http.Request) {
		body := fmt.Sprintf(`{"error":%q}`, answer)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Influxdb-Error", body) // 1.8 sends this header
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, body)
	}, func(o *influx.Options) { o.OnStuck = func() { reported++ } })
	for range 3 {
		if db.Write(t.Context(), []byte("m f=1 1\n")) == nil {
			t.Fatal("the write succeeded")
		}
	}
	if reported != 1 {
		t.Errorf("reported %d times, want 1", reported)
	}
	answer = "timeout"
	_ = db.Write(t.Context(), []byte("m f=1 1\n")) // no reason for a restart
	if reported != 1 {
		t.Errorf("reported %d times, want 1", reported)
	}
}
