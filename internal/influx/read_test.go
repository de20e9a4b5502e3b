package influx_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
)

func TestReadingsRejectsInvalidQueries(t *testing.T) {
	db := openFake(t, func(w http.ResponseWriter, _ *http.Request) { t.Error("InfluxDB was queried") })
	good := influx.ReadingQuery{Station: "s", From: noon, To: noon.Add(time.Hour)}
	for field, change := range map[string]func(*influx.ReadingQuery){
		"station":  func(q *influx.ReadingQuery) { q.Station = "" },
		"station ": func(q *influx.ReadingQuery) { q.Station = "a\nb" },
		"quantity": func(q *influx.ReadingQuery) { q.Quantity = "pm99" },
		"limit":    func(q *influx.ReadingQuery) { q.Limit = -1 },
		"from":     func(q *influx.ReadingQuery) { q.From = time.Time{} },
		"to":       func(q *influx.ReadingQuery) { q.To = time.Time{} },
		"from ":    func(q *influx.ReadingQuery) { q.From = q.To.Add(1) },
	} {
		q := good
		change(&q)
		err := db.Readings(t.Context(), q, nil)
		if nhip.ErrorCode(err) != nhip.CodeInvalid || !strings.HasPrefix(err.Error(), strings.TrimSpace(field)+": ") {
			t.Errorf("%+v: %v, want %s to be rejected", q, err, field)
		}
	}
	if _, err := db.Count(t.Context(), "m", noon, noon.Add(-1)); nhip.ErrorCode(err) != nhip.CodeInvalid {
		t.Errorf("Count: %v", err)
	}
}

// rows is a part of a response in JSON, with the readings of two times. more says that another part follows.
func rows(more bool) string {
	part := `{"results":[{"statement_id":0,"series":[{"name":"reading","columns":["time","quantity","period","value",` +
		`"flag","lat","lon","origin","channel_a","channel_b","auto","corrected","rule","tests"],"values":[` +
		`[1772452800250,"pm25","1h",35,null,null,null,null,null,null,null,null,null,null],` +
		`[1772452801250,"pm25","1h",36,null,null,null,null,null,null,null,null,null,null]]}]`
	if more {
		part += `,"partial":true`
	}
	return part + "}]}\n"
}

// respond sends a response in JSON, or in MessagePack if the request accepts it.
func respond(w http.ResponseWriter, r *http.Request, parts ...string) {
	for _, part := range parts {
		if !strings.Contains(r.Header.Get("Accept"), "msgpack") {
			_, _ = io.WriteString(w, part)
			continue
		}
		w.Header().Set("Content-Type", "application/x-msgpack")
		numbers := json.NewDecoder(strings.NewReader(part))
		numbers.UseNumber()
		var v any
		if err := numbers.Decode(&v); err != nil {
			_, _ = io.WriteString(w, part) // for a test of invalid responses
			continue
		}
		_, _ = w.Write(appendMsgpack(nil, v))
	}
	w.(http.Flusher).Flush()
}

// appendMsgpack encodes a value of JSON.
func appendMsgpack(dst []byte, v any) []byte {
	head := func(short, long byte, n int) []byte {
		if n < 16 {
			return append(dst, short|byte(n))
		}
		return binary.BigEndian.AppendUint16(append(dst, long), uint16(n))
	}
	switch v := v.(type) {
	case bool:
		if v {
			return append(dst, 0xc3)
		}
		return append(dst, 0xc2)
	case string:
		return append(append(dst, 0xd9, byte(len(v))), v...)
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(n))
		}
		f, _ := v.Float64()
		return binary.BigEndian.AppendUint64(append(dst, 0xcb), math.Float64bits(f))
	case []any:
		dst = head(0x90, 0xdc, len(v))
		for _, e := range v {
			dst = appendMsgpack(dst, e)
		}
		return dst
	case map[string]any:
		dst = head(0x80, 0xde, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) { // "columns" before "values", as InfluxDB sends them
			dst = appendMsgpack(appendMsgpack(dst, key), v[key])
		}
		return dst
	}
	return append(dst, 0xc0)
}

func TestReadingsReportsFailures(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		rows   int
		code   nhip.Code
		text   string
	}{
		{
			"the connection breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0,
			nhip.CodeUnavailable, "EOF",
		},
		{"the connection breaks after a row", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, rows(true))
			panic(http.ErrAbortHandler)
		}, 1, nhip.CodeUnavailable, "EOF"},
		{"the response ends after a part that is not the last", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, rows(true))
		}, 1, nhip.CodeUnavailable, "EOF"},
		{"a part is cut off", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, rows(true))
			if w.Header().Get("Content-Type") == "" {
				_, _ = io.WriteString(w, rows(false)[:20])
				return
			}
			_, _ = io.WriteString(w, "\x81\xa7res")
		}, 1, nhip.CodeUnavailable, "EOF"},
		{"the result stalls after a row", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, rows(true))
			<-r.Context().Done()
		}, 1, nhip.CodeUnavailable, "the query result stalled"},
		{"the query fails after a row", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, rows(true), `{"results":[{"statement_id":0,"error":"out of memory"}]}`)
		}, 1, nhip.CodeUnavailable, "out of memory"},
		{"the query fails as a whole", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, `{"error":"engine is closed"}`)
		}, 0, nhip.CodeUnavailable, "engine is closed"},
		{"the response is a web page", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "<html>captive portal</html>")
		}, 0, nhip.CodeUnavailable, "not InfluxDB's"},
		{
			"InfluxDB is busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, 0, nhip.CodeUnavailable,
			"status 429",
		},
		{
			"the token changed", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, 0, nhip.CodeInvalid,
			"token",
		},
		{
			"the query is rejected", func(w http.ResponseWriter, _ *http.Request) {
				http.Error(w, `{"error":"bad query"}`, 400)
			}, 0,
			nhip.CodeInternal, "bad query",
		},
		{"a row does not match the schema", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, strings.Replace(rows(false), "1h", "often", 1))
		}, 0, nhip.CodeInternal, "does not match the schema"},
		{"a row lacks a column", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, strings.Replace(rows(false), ",null]]", "]]", 1))
		}, 0, nhip.CodeInternal, "does not match the schema"},
		{"a row has no time", func(w http.ResponseWriter, r *http.Request) {
			respond(w, r, strings.Replace(rows(false), "1772452800250", "null", 1))
		}, 0, nhip.CodeInternal, "does not match the schema"},
	}
	for _, tt := range tests {
		for _, form := range []string{"json", "msgpack"} {
			t.Run(tt.name+"/"+form, func(t *testing.T) {
				answer := func(w http.ResponseWriter, r *http.Request) {
					if form == "json" {
						r.Header.Set("Accept", "application/json")
					}
					tt.answer(w, r)
				}
				db := openFake(t, answer, func(o *influx.Options) { o.Timeout = time.Second })
				n := 0
				err := db.Readings(t.Context(), around("s"), func(nhip.AssessedReading) error { n++; return nil })
				if nhip.ErrorCode(err) != tt.code || !strings.Contains(fmt.Sprint(err), tt.text) || n != tt.rows {
					t.Errorf("%s: %v after %d rows; want %s with %q after %d", nhip.ErrorCode(err), err, n, tt.code, tt.text,
						tt.rows)
				}
			})
		}
	}
}

func TestReadingsWithStoppedServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Influxdb-Version", "1.8.10")
		fmt.Fprintln(w, `{"results":[{"series":[{"values":[["nhip"]]}]}]}`)
	}))
	db, err := influx.Open(t.Context(), influx.Options{URL: server.URL, Bucket: "nhip"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	server.Close()
	err = db.Readings(t.Context(), around("s"), func(nhip.AssessedReading) error { return nil })
	if nhip.ErrorCode(err) != nhip.CodeUnavailable ||
		!strings.Contains(err.Error(), "InfluxDB does not answer at "+server.URL) {
		t.Errorf("got %v", err)
	}
	if _, err := db.Count(t.Context(), "m", noon, noon.Add(1e9)); nhip.ErrorCode(err) != nhip.CodeUnavailable {
		t.Errorf("Count: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Readings(ctx, around("s"), nil); err != context.Canceled {
		t.Errorf("with a cancelled context: %v", err)
	}
}

func TestReadingsTimeoutExcludesYield(t *testing.T) {
	const limit = 50 * time.Millisecond
	db := openFake(t, func(w http.ResponseWriter, r *http.Request) { respond(w, r, rows(true), rows(false)) },
		func(o *influx.Options) { o.Timeout = limit })
	err := db.Readings(t.Context(), around("s"), func(nhip.AssessedReading) error {
		<-time.After(3 * limit)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestReadingWithoutFlagIsNotEvaluated reads rows whose value is written and whose flag is not yet.
func TestReadingWithoutFlagIsNotEvaluated(t *testing.T) {
	db := openFake(t, func(w http.ResponseWriter, r *http.Request) { respond(w, r, rows(false)) },
		func(*influx.Options) {})
	n := 0
	err := db.Readings(t.Context(), around("s"), func(r nhip.AssessedReading) error {
		if n++; r.Flag != nhip.FlagNotEvaluated {
			t.Errorf("flag %d", r.Flag)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}
