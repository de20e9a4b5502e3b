package influx_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"nhip"
	"nhip/internal/influx"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func TestOpenFails(t *testing.T) {
	stopped := httptest.NewServer(nil)
	stopped.Close()
	html := httptest.NewServer(http.NotFoundHandler())
	defer html.Close()
	starting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	defer starting.Close()
	respond := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintln(w, body)
		}
	}
	tests := []struct {
		name string
		o    influx.Options
		code nhip.Code
		want string
	}{
		{"no address", influx.Options{Bucket: "b"}, nhip.CodeInvalid, `^URL: must be like http://host:8086, got ""$`},
		{"no scheme", influx.Options{URL: "localhost:8086", Bucket: "b"}, nhip.CodeInvalid, `^URL: must be like`},
		{"no bucket", influx.Options{URL: stopped.URL}, nhip.CodeInvalid, `^Bucket: is required$`},
		{
			"a retention policy",
			influx.Options{URL: stopped.URL, Bucket: "b/rp"},
			nhip.CodeInvalid,
			`^Bucket: must be a name without a slash, got "b/rp"$`,
		},
		{
			"no server",
			influx.Options{URL: stopped.URL, Bucket: "b"},
			nhip.CodeUnavailable,
			`^InfluxDB does not answer at http://127.* \(dial .*connection refused\): start it, or check the address$`,
		},
		{
			"another server",
			influx.Options{URL: html.URL, Bucket: "b"},
			nhip.CodeUnavailable,
			`^the server at http://127.* is not InfluxDB; check the address$`,
		},
		{
			"not ready",
			influx.Options{URL: starting.URL, Bucket: "b"},
			nhip.CodeUnavailable,
			`^InfluxDB at http://127.* is not ready \(status 503\)$`,
		},
		{
			"version too old",
			influx.Options{URL: fake(t, "1.7.11", nil), Bucket: "b"},
			nhip.CodeInvalid,
			`is too old \(1\.7\.11\): 1\.8, 2\.x or 3 is required$`,
		},
		{
			"version too new",
			influx.Options{URL: fake(t, "4.0.1", nil), Bucket: "b"},
			nhip.CodeInvalid,
			`has an unsupported version \(4\.0\.1\)`,
		},
		{
			"malformed version",
			influx.Options{URL: fake(t, "relay", nil), Bucket: "b"},
			nhip.CodeInvalid,
			`has an unsupported version \(relay\)`,
		},
		{
			"creation forbidden",
			influx.Options{URL: fake(t, "1.8.10", respond(403, `{"error":"create admin user first"}`)), Bucket: "b"},
			nhip.CodeInvalid, `denies the token access to bucket "b": create admin user first$`,
		},
		{
			"creation failed",
			influx.Options{URL: fake(t, "1.8.10", respond(200, `{"results":[{"error":"disk full"}]}`)), Bucket: "b"},
			nhip.CodeInternal, `^InfluxDB at http://127.* rejects the request: disk full$`,
		},
		{
			"2.x without an organisation",
			influx.Options{URL: fake(t, "v2.7.11", nil), Bucket: "b"},
			nhip.CodeInvalid,
			`^Org: is required by the InfluxDB v2\.7\.11`,
		},
		{
			"2.x with a wrong token",
			influx.Options{
				URL: fake(t, "v2.7.11", respond(401, `{"code":"unauthorized","message":"unauthorized access"}`)), Org: "o",
				Bucket: "b",
			},
			nhip.CodeInvalid, `^InfluxDB at http://127.* does not accept the token; check it$`,
		},
		{
			"2.x with an unknown organisation",
			influx.Options{
				URL: fake(t, "v2.7.11", respond(404, `{"code":"not found","message":"organization name \"o\" not found"}`)),
				Org: "o", Bucket: "b",
			},
			nhip.CodeInvalid, `^Org: InfluxDB at http://127.* has no organisation "o" that the token may read$`,
		},
		{
			"2.x busy",
			influx.Options{
				URL: fake(t, "v2.7.11", respond(503, `{"code":"unavailable","message":"busy"}`)), Org: "o", Bucket: "b",
			},
			nhip.CodeUnavailable, `is unavailable: busy \(status 503\)$`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := influx.Open(t.Context(), tt.o)
			if err == nil {
				t.Fatal("no error")
			}
			if nhip.ErrorCode(err) != tt.code || !regexp.MustCompile(tt.want).MatchString(err.Error()) {
				t.Errorf("got  %s: %v\nwant %s: %s", nhip.ErrorCode(err), err, tt.code, tt.want)
			}
		})
	}
}

// server2 is a fake of the parts of InfluxDB 2.x that Open and Write use.
type server2 struct {
	mu       sync.Mutex
	buckets  []string
	requests []string
}

func (s *server2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/api/v2/write":
		s.requests[len(s.requests)-1] += " " + r.URL.Query().Encode()
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == "/api/v2/orgs":
		fmt.Fprintln(w, `{"orgs":[{"id":"0a","name":"city"}]}`)
	case r.Method == http.MethodPost:
		var body struct {
			OrgID, Name    string
			RetentionRules []any
		}
		if json.NewDecoder(r.Body).Decode(&body) != nil || body.OrgID != "0a" ||
			body.RetentionRules == nil || len(body.RetentionRules) > 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.buckets = append(s.buckets, body.Name)
		w.WriteHeader(http.StatusCreated)
	case len(s.buckets) == 0:
		fmt.Fprintln(w, `{"buckets":[]}`)
	default:
		fmt.Fprintf(w, `{"buckets":[{"id":"0b","name":%q}]}`, s.buckets[0])
	}
}

func TestOpenInfluxDB2(t *testing.T) {
	server := &server2{}
	o := influx.Options{URL: fake(t, "v2.7.11", server.ServeHTTP) + "/", Token: "secret", Org: "city", Bucket: "nhip"}
	for range 2 { // the second Open finds the bucket
		db, err := influx.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Write(t.Context(), []byte("m f=1 1\n")); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"GET /api/v2/buckets Token secret", "GET /api/v2/orgs Token secret", "POST /api/v2/buckets Token secret",
		"POST /api/v2/write Token secret bucket=nhip&org=city&precision=ms",
		"GET /api/v2/buckets Token secret",
		"POST /api/v2/write Token secret bucket=nhip&org=city&precision=ms",
	}
	if diff := cmp.Diff(want, server.requests); diff != "" {
		t.Error(diff)
	}
}

func TestWriteMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	status := http.StatusNoContent
	db := openFake(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) },
		func(o *influx.Options) { o.Registerer = registry })
	_ = db.Write(t.Context(), []byte("m f=1 1\n"))
	status = http.StatusBadRequest
	_ = db.Write(t.Context(), []byte("m f=1 1\n"))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, m := range families[0].GetMetric() {
		got[m.GetLabel()[1].GetValue()+" "+m.GetLabel()[0].GetValue()] = m.GetHistogram().GetSampleCount()
	}
	if diff := cmp.Diff(map[string]uint64{"write ok": 1, "write rejected": 1}, got); diff != "" {
		t.Error(diff)
	}
}
