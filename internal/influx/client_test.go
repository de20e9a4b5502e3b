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
	gone := httptest.NewServer(nil)
	gone.Close()
	html := httptest.NewServer(http.NotFoundHandler())
	defer html.Close()
	starting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }))
	defer starting.Close()
	refuses := func(status int, body string) http.HandlerFunc {
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
		{"no address", influx.Options{Bucket: "b"}, nhip.Invalid, `^URL: must be like http://host:8086, got ""$`},
		{"no scheme", influx.Options{URL: "localhost:8086", Bucket: "b"}, nhip.Invalid, `^URL: must be like`},
		{"no bucket", influx.Options{URL: gone.URL}, nhip.Invalid, `^Bucket: is required$`},
		{"a retention policy", influx.Options{URL: gone.URL, Bucket: "b/rp"}, nhip.Invalid, `^Bucket: must be a name without a slash, got "b/rp"$`},
		{"nobody there", influx.Options{URL: gone.URL, Bucket: "b"}, nhip.Unavailable, `^InfluxDB does not answer at http://127.* \(dial .*connection refused\): start it, or check its address$`},
		{"somebody else there", influx.Options{URL: html.URL, Bucket: "b"}, nhip.Unavailable, `^what answers at http://127.* is not InfluxDB; check its address$`},
		{"not ready", influx.Options{URL: starting.URL, Bucket: "b"}, nhip.Unavailable, `^InfluxDB at http://127.* is not ready \(status 503\)$`},
		{"too old", influx.Options{URL: fake(t, "1.7.11", nil), Bucket: "b"}, nhip.Invalid, `is too old \(1\.7\.11\): 1\.8 or 2\.x is needed$`},
		{"too new", influx.Options{URL: fake(t, "3.0.1", nil), Bucket: "b"}, nhip.Invalid, `has a version that nhip does not know \(3\.0\.1\)`},
		{"no version", influx.Options{URL: fake(t, "relay", nil), Bucket: "b"}, nhip.Invalid, `has a version that nhip does not know \(relay\)`},
		{"may not create", influx.Options{URL: fake(t, "1.8.10", refuses(403, `{"error":"create admin user first"}`)), Bucket: "b"}, nhip.Invalid, `forbids bucket "b" to the token: create admin user first$`},
		{"can't create", influx.Options{URL: fake(t, "1.8.10", refuses(200, `{"results":[{"error":"disk full"}]}`)), Bucket: "b"}, nhip.Internal, `^InfluxDB at http://127.* refuses the request: disk full$`},
		{"2.x without organisation", influx.Options{URL: fake(t, "v2.7.11", nil), Bucket: "b"}, nhip.Invalid, `^Org: is required by the InfluxDB v2\.7\.11`},
		{"2.x with a wrong token", influx.Options{URL: fake(t, "v2.7.11", refuses(401, `{"code":"unauthorized","message":"unauthorized access"}`)), Org: "o", Bucket: "b"}, nhip.Invalid, `^InfluxDB at http://127.* does not know the token; check it$`},
		{"2.x with another organisation", influx.Options{URL: fake(t, "v2.7.11", refuses(404, `{"code":"not found","message":"organization name \"o\" not found"}`)), Org: "o", Bucket: "b"}, nhip.Invalid, `^Org: InfluxDB at http://127.* has no organisation "o" that the token may see$`},
		{"2.x that is busy", influx.Options{URL: fake(t, "v2.7.11", refuses(503, `{"code":"unavailable","message":"busy"}`)), Org: "o", Bucket: "b"}, nhip.Unavailable, `can't answer now: busy \(status 503\)$`},
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

// server2 plays the part of InfluxDB 2.x that opening a bucket needs.
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
		var asked struct {
			OrgID, Name    string
			RetentionRules []any
		}
		if json.NewDecoder(r.Body).Decode(&asked) != nil || asked.OrgID != "0a" || asked.RetentionRules == nil || len(asked.RetentionRules) > 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.buckets = append(s.buckets, asked.Name)
		w.WriteHeader(http.StatusCreated)
	case len(s.buckets) == 0:
		fmt.Fprintln(w, `{"buckets":[]}`)
	default:
		fmt.Fprintf(w, `{"buckets":[{"id":"0b","name":%q}]}`, s.buckets[0])
	}
}

func TestOpenOn2(t *testing.T) {
	server := &server2{}
	o := influx.Options{URL: fake(t, "v2.7.11", server.ServeHTTP) + "/", Token: "secret", Org: "city", Bucket: "nhip"}
	for range 2 { // the second finds the bucket
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

func TestMetrics(t *testing.T) {
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
