package staff

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/rest"
	"nhip/internal/influx"

	"github.com/go-chi/chi/v5"
)

func TestLetterCursorRoundTrip(t *testing.T) {
	for _, want := range []letterCursor{{}, {Collector: "c1"}, {"c1", "2026/a b\"c"}} {
		query := "/?after=" + url.QueryEscape(want.String())
		q := rest.ReadQuery(httptest.NewRequest("GET", query, nil), "after")
		if got := readLetterCursor(q); got != want || q.Err != nil {
			t.Errorf("%+v, %v, want %+v", got, q.Err, want)
		}
	}
	q := rest.ReadQuery(httptest.NewRequest("GET", "/?after=x", nil), "after")
	if readLetterCursor(q); nhip.ErrorCode(q.Err) != nhip.CodeInvalid {
		t.Errorf("not a cursor: %v", q.Err)
	}
}

func TestValueQuery(t *testing.T) {
	for query, field := range map[string]string{
		"m00/value?quantity=pm25&time=2026-02-16T12:00:00Z":            "",
		"m00/value?quantity=pm25&time=2026-02-16T12:00:00Z&period=5m":  "",
		"m00/value?quantity=pm25&time=2026-02-16T12:00:00Z&period=x":   "period",
		"m00/value?quantity=pm99&time=2026-02-16T12:00:00Z":            "quantity",
		"m00/value?quantity=pm25":                                      "time",
		"m00/value?quantity=pm25&time=noon":                            "time",
		"m%07/value?quantity=pm25&time=2026-02-16T12:00:00Z&period=5m": "id",
	} {
		r := chi.NewRouter()
		var err error
		r.Get("/{id}/value", func(_ http.ResponseWriter, r *http.Request) { _, err = readValueQuery(r) })
		r.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/"+query, nil))
		if field == "" && err == nil {
			continue
		}
		if known, ok := err.(*nhip.Error); !ok || known.Field != field || strings.HasPrefix(known.Rule, field) {
			t.Errorf("%s: %v, want an error of %q", query, err, field)
		}
	}
}

// TestExpectedRowsOfSharedDevices counts a device that two collectors receive.
func TestExpectedRowsOfSharedDevices(t *testing.T) {
	hour := time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)
	row := &nhip.LedgerRow{Device: "air/m00", Hour: hour}
	key := influx.RowCountKey{Device: "air/m00", Hour: hour}
	rows := make(expectations)
	add := func(add func(*nhip.LedgerRow), stored, pending int64) {
		row := *row
		row.Stored, row.Pending = stored, pending
		add(&row)
	}
	check := func(when string, expected map[int64]bool) {
		t.Helper()
		for n, want := range expected {
			if rows[key].allow(influx.RowCount{Stored: n}) != want {
				t.Errorf("%s: %d rows: %t", when, n, !want)
			}
		}
	}
	add(rows.before, 60, 1)
	add(rows.before, 40, 0)
	check("before the count", map[int64]bool{59: false, 60: true, 100: true, 101: false})
	rows.forget(key)
	add(rows.after, 60, 1)
	add(rows.after, 40, 0)
	check("after the count", map[int64]bool{59: false, 60: true, 101: true, 102: false})
}
