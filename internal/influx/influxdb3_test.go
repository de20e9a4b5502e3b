package influx_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
	"nhip/internal/influx/influxtest"
)

// server3 answers as InfluxDB 3 Core is documented to, and refuses what it is documented to refuse. It is a contract in
// place of the server: what it expects and answers is from the documentation of its HTTP API (docs.influxdata.com,
// influxdb3/core: /ping, /query, /api/v2/write, /api/v3/configure/database) and from the answers that its own tests
// record. In particular no part of a chunked answer is marked as partial, and each series begins a part.
type server3 struct {
	mu        sync.Mutex
	databases []string
	keep      string // retention of the databases, JSON
	lines     string // what was written
	answer    string // to a query for rows
	cut       bool   // breaks off the answer
	calls     []string
}

const token3 = "apiv3_secret"

func (s *server3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Token "+token3 && r.Header.Get("Authorization") != "Bearer "+token3 {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error": "the request was not authenticated"}`)
		return
	}
	s.calls = append(s.calls, r.Method+" "+r.URL.Path)
	switch r.Method + " " + r.URL.Path {
	case "GET /ping":
		w.Header().Set("X-Influxdb-Version", "3.2.1")
		w.Header().Set("X-Influxdb-Build", "Core")
		fmt.Fprint(w, `{"version":"3.2.1","revision":"1ca3168bee"}`)
	case "POST /query":
		s.query(w, r)
	case "POST /api/v2/write":
		s.write(w, r)
	case "POST /api/v3/configure/database":
		s.create(w, r)
	default: // /api/v2/delete, /api/v2/query, /api/v2/buckets …
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "not found")
	}
}

func (s *server3) query(w http.ResponseWriter, r *http.Request) {
	// One type, not a list: anything else is refused as an invalid MIME type.
	if accept := r.Header.Get("Accept"); !slices.Contains([]string{"", "*/*", "application/json"}, accept) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid mime type (%s)","data":null}`, accept)
		return
	}
	statement, database := r.FormValue("q"), r.FormValue("db")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case statement == "":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"missing query parameter 'q'","data":null}`)
	case statement == "SHOW DATABASES":
		names := []string{`["_internal"]`}
		for _, name := range s.databases {
			names = append(names, fmt.Sprintf("[%q]", name))
		}
		fmt.Fprintf(w, `{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"],"values":[%s]}]}]}`,
			strings.Join(names, ","))
	case !slices.Contains(s.databases, database):
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"error":"database not found: %s","data":null}`, database)
	case strings.HasPrefix(statement, "SHOW RETENTION POLICIES ON"):
		fmt.Fprintf(w, `{"results":[{"statement_id":0,"series":[{"name":"retention_policies",`+
			`"columns":["name","duration","default"],"values":[[%q,%s,true]]}]}]}`, database, s.keep)
	case !strings.HasPrefix(statement, "SELECT ") && !strings.HasPrefix(statement, "SHOW "):
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"InfluxQL DELETE statements are not supported","data":null}`)
	case strings.Contains(statement, `FROM "reading" `):
		fmt.Fprint(w, s.answer)
		if s.cut {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	default:
		fmt.Fprint(w, `{"results":[{"statement_id":0}]}`+"\r\n")
	}
}

func (s *server3) write(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.FormValue("precision") != "ms" || !slices.Contains(s.databases, r.FormValue("bucket")) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if strings.Contains(string(body), `value="text"`) { // the good rows are stored
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"partial write of line protocol occurred","data":[{"original_line":"reading value=\"text\"",`+
			`"line_number":1,"error_message":"invalid column type for column 'value', expected `+
			`iox::column_type::field::float, got iox::column_type::field::string"}]}`)
		return
	}
	s.lines += string(body)
	w.WriteHeader(http.StatusNoContent)
}

func (s *server3) create(w http.ResponseWriter, r *http.Request) {
	var body struct{ DB string }
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.DB == "" ||
		r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if slices.Contains(s.databases, body.DB) {
		w.WriteHeader(http.StatusConflict)
		return
	}
	s.databases = append(s.databases, body.DB)
}

func (s *server3) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func open3(t *testing.T, s *server3) (influx.Options, *influx.DB) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	o := influx.Options{URL: server.URL, Token: token3, Bucket: "nhip", Logger: influxtest.Logger(t)}
	db, err := influx.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return o, db
}

// TestInfluxDB3 holds what we send to InfluxDB 3 to its documentation, and reads the answers that it documents.
func TestInfluxDB3(t *testing.T) {
	s := &server3{keep: "null"}
	o, db := open3(t, s)
	if again, err := influx.Open(t.Context(), o); err != nil || len(s.databases) != 1 {
		t.Errorf("opened again: %v, %v; databases %q", again, err, s.databases)
	}
	if err := db.Write(t.Context(), []byte("reading,station=a value=1,received=1i 1772452800000\n")); err != nil {
		t.Errorf("write: %v", err)
	}
	var refused *influx.WriteError
	err := db.Write(t.Context(), []byte("reading value=\"text\" 1\nreading value=1 1\n"))
	if !errors.As(err, &refused) || refused.Kind != influx.Rejected ||
		!strings.Contains(err.Error(),
			"partial write of line protocol occurred: line 1: invalid column type for column 'value'") {
		t.Errorf("a row of another type: %v", err)
	}
	counts3(t, s, db)
	for name, wrong := range map[string]influx.Options{
		"wrong token": {URL: o.URL, Token: "x", Bucket: "nhip"}, "no token": {URL: o.URL, Bucket: "nhip"},
	} {
		if _, err := influx.Open(t.Context(), wrong); nhip.ErrorCode(err) != nhip.CodeInvalid ||
			!strings.Contains(fmt.Sprint(err), "does not accept the token") {
			t.Errorf("%s: %v", name, err)
		}
	}
	at := time.UnixMilli(1772452800000)
	if err := db.Delete(t.Context(), influx.ReadingMeasurement, at); nhip.ErrorCode(err) != nhip.CodeInvalid ||
		!strings.Contains(err.Error(), "InfluxDB 3 can't delete rows") {
		t.Errorf("delete: %v", err)
	}
	if _, err := influx.Setup(t.Context(), influx.SetupOptions{Options: o}); nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Errorf("setup: %v", err)
	}
	s.set(func() { s.databases = nil })
	_, err = db.Count(t.Context(), influx.ReadingMeasurement, at.Add(-time.Hour), at)
	if err == nil || !strings.Contains(err.Error(), "database not found: nhip") {
		t.Errorf("a missing database: %v", err)
	}
	if err := db.Ping(t.Context()); err != nil || len(s.databases) != 1 {
		t.Errorf("ping: %v; databases %q", err, s.databases)
	}
	for _, call := range s.calls {
		if strings.HasPrefix(call, "POST /api/v2/query") || strings.Contains(call, "/buckets") ||
			strings.Contains(call, "/delete") {
			t.Errorf("%s is not in InfluxDB 3", call)
		}
	}
}

// counts3 counts rows in an answer of two parts, none of which is marked as partial, and in one that breaks off.
func counts3(t *testing.T, s *server3, db *influx.DB) {
	t.Helper()
	at := time.UnixMilli(1772452800000).UTC()
	q := influx.RowCountQuery{From: at, To: at.Add(24 * time.Hour), Now: at.Add(48 * time.Hour), Max: 100}
	const part = `{"results":[{"statement_id":0,"series":[{"name":"reading","tags":{"station":"%s"},` +
		`"columns":["time","count"],"values":[[1772452800000,%d],[1772456400000,2]]}]}]}` + "\r\n"
	s.set(func() { s.answer = fmt.Sprintf(part+part, "a", 7, "b", 1) })
	counts, err := db.RowCounts(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	key := influx.RowCountKey{Device: "air/b", Hour: at}
	if len(counts.Counts) != 4 || counts.Counts[key].Stored != 1 || counts.MayLack(key) {
		t.Errorf("counts: %+v", counts.Counts)
	}
	s.set(func() { s.keep = `"24h0m0s"` })
	if counts, err := db.RowCounts(t.Context(), q); err != nil || !counts.MayLack(key) {
		t.Errorf("with a retention of a day: %v", err)
	}
	s.set(func() { s.keep = `"1d"` })
	if counts, err := db.RowCounts(t.Context(), q); err != nil || !counts.MayLack(key) {
		t.Errorf("with a retention of 1d: %v", err)
	}
	s.set(func() { s.cut = true })
	if _, err := db.RowCounts(t.Context(), q); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("an answer that breaks off after a whole part: %v", err)
	}
	s.set(func() {
		s.cut, s.answer = false, `{"results":[{"statement_id":0,"error":"query file limit exceeded"}]}`
	})
	if _, err := db.RowCounts(t.Context(), q); err == nil || !strings.Contains(err.Error(), "query file limit exceeded") {
		t.Errorf("an error in the answer: %v", err)
	}
	s.set(func() { s.answer, s.keep = "", "null" })
	if _, err := db.RowCounts(t.Context(), q); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("an empty answer: %v", err)
	}
}
