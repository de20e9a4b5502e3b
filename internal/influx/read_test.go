package influx_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/influx"
)

func TestReadingsRefusesWhatIsNoQuestion(t *testing.T) {
	db := openFake(t, func(w http.ResponseWriter, _ *http.Request) { t.Error("InfluxDB was asked") })
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
		if nhip.ErrorCode(err) != nhip.Invalid || !strings.HasPrefix(err.Error(), strings.TrimSpace(field)+": ") {
			t.Errorf("%+v: %v, want %s to be refused", q, err, field)
		}
	}
	if _, err := db.Count(t.Context(), "m", noon, noon.Add(-1)); nhip.ErrorCode(err) != nhip.Invalid {
		t.Errorf("count: %v", err)
	}
}

// answer is a Flux answer with one reading and the beginning of a second.
const answer = "#datatype,string,long,dateTime:RFC3339,double,string,string\r\n" +
	"#group,false,false,false,false,false,false\r\n#default,_result,,,,,\r\n" +
	",result,table,_time,value,quantity,period\r\n" +
	",,0,2026-03-02T12:00:00.25Z,35,pm25,1h\r\n"

func TestReadingsWithoutAnAnswer(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		rows   int
		code   nhip.Code
		says   string
	}{
		{"the connection breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, nhip.Unavailable, "EOF"},
		{"it breaks half way", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, answer)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, 1, nhip.Unavailable, "EOF"},
		{"it stalls half way", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, answer)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 1, nhip.Unavailable, "no more of the answer came in time"},
		{"it fails half way", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, answer, "\r\n#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,out of memory,897\r\n")
		}, 1, nhip.Unavailable, "out of memory"},
		{"InfluxDB is busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, 0, nhip.Unavailable, "status 429"},
		{"the token changed", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, 0, nhip.Invalid, "token"},
		{"the question is refused", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such thing", 400) }, 0, nhip.Internal, "no such thing"},
		{"a row is not ours", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Replace(answer, "1h", "often", 1))
		}, 0, nhip.Internal, "not of the schema"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db := openFake(t, tt.answer, func(o *influx.Options) { o.Timeout = 300 * time.Millisecond })
			rows := 0
			err := db.Readings(t.Context(), around("s"), func(nhip.Judged) error { rows++; return nil })
			if nhip.ErrorCode(err) != tt.code || !strings.Contains(fmt.Sprint(err), tt.says) || rows != tt.rows {
				t.Errorf("%s: %v after %d rows; want %s with %q after %d", nhip.ErrorCode(err), err, rows, tt.code, tt.says, tt.rows)
			}
		})
	}
}

func TestReadingsWhenTheServerIsGone(t *testing.T) {
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
	err = db.Readings(t.Context(), around("s"), func(nhip.Judged) error { return nil })
	if nhip.ErrorCode(err) != nhip.Unavailable || !strings.Contains(err.Error(), "InfluxDB does not answer at "+server.URL) {
		t.Errorf("got %v", err)
	}
	if _, err := db.Count(t.Context(), "m", noon, noon.Add(1e9)); nhip.ErrorCode(err) != nhip.Unavailable {
		t.Errorf("count: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Readings(ctx, around("s"), nil); err != context.Canceled {
		t.Errorf("the caller went away: %v", err)
	}
}

func TestSlowReaderIsNotAStall(t *testing.T) {
	const limit = 50 * time.Millisecond
	db := openFake(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) },
		func(o *influx.Options) { o.Timeout = limit })
	err := db.Readings(t.Context(), around("s"), func(nhip.Judged) error {
		<-time.After(3 * limit) // the time limit is InfluxDB's, not the reader's
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
