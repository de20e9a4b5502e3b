package collector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

// countedDB counts the requests to a database.
type countedDB struct {
	*influx.DB
	writes atomic.Int64
}

func (d *countedDB) Write(ctx context.Context, lines []byte) error {
	d.writes.Add(1)
	return d.DB.Write(ctx, lines)
}

// TestInfluxDBRefusesRows lets a real InfluxDB refuse rows.
func TestInfluxDBRefusesRows(t *testing.T) {
	t.Parallel()
	server := influxtest.Server(t)
	start := func(t *testing.T, bucket string) (*harness, *countedDB) {
		h, db := newHarness(t), &countedDB{DB: influxtest.Open(t, server, bucket)}
		h.db = db
		return h, db
	}

	t.Run("conflicting type of one field", func(t *testing.T) {
		const half = 600
		h, db := start(t, "conflict")
		// Vehicle 7 sends a field that others don't, and that another program wrote with another type.
		if err := db.DB.Write(t.Context(), []byte("position,vehicle=x speed=\"fast\" 1771243200000\n")); err != nil {
			t.Fatal(err)
		}
		h.start(t)
		for i := range half / 100 {
			h.acceptRows(t, "8", i*100, 100)
			var rows []string
			for k := range 100 {
				at := noon.Add(-time.Duration(i*100+k) * time.Second)
				rows = append(rows, strings.Replace(positionAt(at, 21), `"lat"`, `"speed":5,"lat"`, 1))
			}
			h.accept(t, "nhip/in/position/7", "["+strings.Join(rows, ",")+"]")
		}
		awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
		letters := h.refusedLetters(t)
		if r := h.sumOf(t, "8"); r.Stored != half {
			t.Errorf("ledger of the good rows %+v", r)
		}
		if r := h.sumOf(t, "7"); r.Rejected[nhip.CodeRefused] != half || len(letters) != half {
			t.Errorf("%d letters, ledger of the refused rows %+v", len(letters), r)
		}
		t.Logf("%d requests for %d rows", db.writes.Load(), 2*half)
		if n := db.writes.Load(); n > 200 {
			t.Errorf("%d requests to find the refused rows", n)
		}
		if !strings.Contains(letters[0].Rule, "field type conflict") {
			t.Errorf("the rule is %q", letters[0].Rule)
		}
		if n, err := db.Count(t.Context(), influx.PositionMeasurement, noon.Add(-time.Hour),
			noon.Add(time.Minute)); err != nil || n != half {
			t.Errorf("%d rows in the database, %v, want %d", n, err, half)
		}
	})

	t.Run("retention shorter than the age of all rows", func(t *testing.T) {
		const rows = 2_000
		h, db := start(t, "short")
		server.SetKeep(t, "short", time.Hour)
		h.start(t)
		for i := range rows / 500 {
			h.acceptRows(t, "7", i*500, 500)
		}
		awaittest.True(t, "the writer stops", func() bool {
			return strings.Contains(h.writer.writeFault(time.Now(), 0), "retention policy")
		})
		if n := len(h.refusedLetters(t)); n > 0 {
			t.Errorf("%d dead letters", n)
		}
		server.SetKeep(t, "short", 0)
		awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
		if r := h.sumOf(t, "7"); r.Stored != rows {
			t.Errorf("ledger %+v", r)
		}
		t.Logf("%d requests for %d rows", db.writes.Load(), rows)
	})

	t.Run("retention shorter than the age of old rows", func(t *testing.T) {
		const rows = 1_000 // of each age
		h, db := start(t, "old")
		server.SetKeep(t, "old", 24*time.Hour)
		now := time.Now().UTC().Truncate(time.Second)
		h.clock.set(now)
		h.start(t)
		for i := range rows / 100 {
			var old, fresh []string
			for k := range 100 {
				age := time.Duration(i*100+k) * time.Second
				old = append(old, positionAt(now.Add(-72*time.Hour-age), 21))
				fresh = append(fresh, positionAt(now.Add(-age), 21))
			}
			h.accept(t, "nhip/in/position/7", "["+strings.Join(old, ",")+"]")
			h.accept(t, "nhip/in/position/8", "["+strings.Join(fresh, ",")+"]")
		}
		awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
		if old, fresh := h.sumOf(t, "7"), h.sumOf(t, "8"); old.Rejected[nhip.CodeRefused] != rows || fresh.Stored != rows {
			t.Errorf("ledger of old rows %+v, of fresh rows %+v", old, fresh)
		}
		if n := len(h.refusedLetters(t)); n != rows {
			t.Errorf("%d letters, want %d", n, rows)
		}
		t.Logf("%d requests for %d rows", db.writes.Load(), 2*rows)
		if n := db.writes.Load(); n > 200 {
			t.Errorf("%d requests to find the refused rows", n)
		}
	})
}

// TestDatabaseMadeAnewIsNoticed drops the database of a real InfluxDB, and restores what a collector had stored in it.
func TestDatabaseMadeAnewIsNoticed(t *testing.T) {
	t.Parallel()
	server := influxtest.Server(t)
	db := influxtest.Open(t, server, "nhip")
	h := newHarness(t)
	h.start(t)
	marker := func() *databaseMarker {
		return &databaseMarker{
			collector: `c "1"`, markers: db, store: db, ledger: h.Collector.ledger, clock: h.clock, log: h.log,
		}
	}
	d := marker()
	check := func(when string, want bool) {
		t.Helper()
		for range markerMisses {
			if err := d.check(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if why := d.fault(); (why != "") != want {
			t.Errorf("%s: the fault is %q, want one: %v", when, why, want)
		}
	}
	check("at first", false)
	check("with the same database", false)
	h.clock.set(noon.Add(2 * markerEvery))
	check("when a marker is due", false)
	state, _ := d.load()
	if !state.Time.Equal(noon.Add(2 * markerEvery)) {
		t.Errorf("the last marker is of %s", state.Time)
	}
	server.Drop(t, "nhip")
	if err := db.Ping(t.Context()); err != nil { // creates it again
		t.Fatal(err)
	}
	check("with an empty database", true)
	d = marker() // as after a restart
	check("after a restart", true)
	older := influx.Marker{Collector: d.collector, ID: "another", Time: noon}
	if err := db.Write(t.Context(), influx.AppendMarker(nil, &older)); err != nil {
		t.Fatal(err)
	}
	check("with an older copy", true)
	restored := influx.Marker{Collector: d.collector, ID: state.ID, Time: state.Time}
	if err := db.Write(t.Context(), influx.AppendMarker(nil, &restored)); err != nil {
		t.Fatal(err)
	}
	check("with its old content", false)
	server.Delete(t, "nhip", influxtest.Deletion{Measurement: influx.MarkerMeasurement})
	check("without the marker", true)
	h.clock.set(noon.Add(3*markerEvery + acceptAfter))
	check("when it is accepted as new", false)
	check("afterwards", false)
}

// TestWritesFailWhileReadsWork puts a proxy before a real InfluxDB that answers writes with an error and asks for a
// pause of an hour.
func TestWritesFailWhileReadsWork(t *testing.T) {
	t.Parallel()
	server := influxtest.Server(t)
	target, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	var failing atomic.Bool
	failing.Store(true)
	pass := httputil.NewSingleHostReverseProxy(target)
	pass.Transport = &http.Transport{} // httptest closes the default one's connections
	pass.ErrorLog = slog.NewLogLogger(influxtest.Logger(t).Handler(), slog.LevelError)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if failing.Load() && strings.HasSuffix(r.URL.Path, "/write") {
			w.Header().Set("Retry-After", "3600")
			http.Error(w, "the disk is read-only", http.StatusServiceUnavailable)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	o := server.Options(t, "nhip")
	o.URL = proxy.URL
	var db *influx.DB
	awaittest.True(t, "the database is open", func() bool {
		if db, err = influx.Open(t.Context(), o); err != nil {
			t.Log(err) // a server under load drops connections
		}
		return err == nil
	})
	t.Cleanup(db.Close)
	h := newHarness(t)
	h.db = db
	h.start(t)
	h.acceptRows(t, "1", 0, 10)
	awaittest.True(t, "the fault is known", func() bool { return h.writer.writeFault(time.Now(), 0) != "" })
	if why := h.writer.writeFault(time.Now(), 0); !strings.Contains(why, "503") {
		t.Errorf("the fault is %q", why)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("reads don't work: %v", err)
	}
	var writeErr *influx.WriteError
	if err := db.Write(t.Context(), []byte("m f=1 1\n")); !errors.As(err, &writeErr) ||
		writeErr.RetryAfter > influx.MaxRetryAfter {
		t.Errorf("a delay of %s is asked for, want at most %s (%v)", writeErr.RetryAfter, influx.MaxRetryAfter, err)
	}
	if h.Collector.WriteFault() == "" && h.writer.writeFault(time.Now().Add(faultGrace), faultGrace) == "" {
		t.Error("no fault after the grace period")
	}
}

// fakeV2 is an InfluxDB 2.x whose bucket keeps rows since a time. Like 2.7, it stores the good rows of a request and
// answers 422.
type fakeV2 struct {
	mu       sync.Mutex
	since    time.Time
	rows     map[string]bool
	requests int
}

func (f *fakeV2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("X-Influxdb-Version", "v2.7.11")
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/ping":
		w.WriteHeader(http.StatusNoContent)
	case "/api/v2/buckets":
		_, _ = io.WriteString(w, `{"buckets":[{"id":"1","name":"nhip"}]}`)
	case "/api/v2/write":
		f.requests++
		body, _ := io.ReadAll(r.Body)
		dropped := 0
		for line := range strings.Lines(string(body)) {
			line = strings.TrimSpace(line)
			if ms, _ := parseRow(line); ms < f.since.UnixMilli() {
				dropped++
			} else {
				f.rows[line] = true
			}
		}
		if dropped == 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `{"code":"unprocessable entity","message":"failure writing points to database: partial write: `+
			`points beyond retention policy dropped=%d"}`, dropped)
	}
}

// TestInfluxDB2RefusesOldRows writes rows of which half are older than a 2.x bucket keeps them, mixed in each message.
func TestInfluxDB2RefusesOldRows(t *testing.T) {
	const rows = 1_200
	f := &fakeV2{since: noon.Add(-rows / 2 * time.Second), rows: make(map[string]bool)}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	db, err := influx.Open(t.Context(), influx.Options{
		URL: server.URL, Token: "t", Org: "o", Bucket: "nhip", Logger: influxtest.Logger(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	h := newHarness(t)
	h.db = db
	h.start(t)
	for bus := range 4 {
		for i := range rows / 100 {
			h.acceptRows(t, fmt.Sprint(bus), i*100, 100)
		}
	}
	awaittest.True(t, "nothing is pending", func() bool { return h.Pending() == 0 })
	for bus := range 4 {
		r := h.sumOf(t, fmt.Sprint(bus))
		if r.Received != rows || r.Stored != rows/2+1 || r.Rejected[nhip.CodeRefused] != rows/2-1 {
			t.Errorf("bus %d: %+v", bus, r)
		}
	}
	if n := len(h.refusedLetters(t)); n != 4*(rows/2-1) {
		t.Errorf("%d letters", n)
	}
	if t.Logf("%d requests for %d rows", f.requests, 4*rows); f.requests > 200 || len(f.rows) != 4*(rows/2+1) {
		t.Errorf("%d requests, %d rows stored", f.requests, len(f.rows))
	}
}
