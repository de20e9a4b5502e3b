package rest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestRangesAreBounded(t *testing.T) {
	file := bytes.Repeat([]byte("0123456789abcdef"), 2<<20) // 32 MiB
	size := int64(len(file))
	for _, c := range []struct {
		header string
		status int
		length int
	}{
		{"", http.StatusOK, len(file)},
		{"bytes=0-6", http.StatusPartialContent, 7},
		{"bytes=0-", http.StatusPartialContent, MaxRange},
		{"bytes=16-", http.StatusPartialContent, MaxRange},
		{"bytes=0-99999999999", http.StatusPartialContent, MaxRange},
		{"bytes=33554000-", http.StatusPartialContent, 432},
		{"bytes=-16", http.StatusPartialContent, 16},
		{"bytes=-33554432", http.StatusPartialContent, MaxRange},
		{"bytes=-99999999999", http.StatusPartialContent, MaxRange},
		{"bytes=33554432-", http.StatusRequestedRangeNotSatisfiable, -1},
		{"bytes=0-0,2-2", http.StatusRequestedRangeNotSatisfiable, -1},
		{"bytes=" + strings.Repeat("0-,", 3000) + "0-", http.StatusRequestedRangeNotSatisfiable, -1},
		{"bytes=x", http.StatusRequestedRangeNotSatisfiable, -1},
		{"bytes=5-1", http.StatusRequestedRangeNotSatisfiable, -1},
		{"lines=1-2", http.StatusRequestedRangeNotSatisfiable, -1},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if c.header != "" {
			r.Header.Set("Range", c.header)
		}
		w := httptest.NewRecorder()
		if bounded, ok := BoundRange(w, r, size); ok {
			http.ServeContent(w, bounded, "", time.Time{}, bytes.NewReader(file))
		}
		if w.Code != c.status || c.length >= 0 && w.Body.Len() != c.length {
			t.Errorf("%.40s: %d with %d bytes, want %d with %d", c.header, w.Code, w.Body.Len(), c.status, c.length)
		}
	}
}

func TestSeveralRangeHeadersAreOne(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["Range"] = []string{"bytes=0-0", "bytes=0-0"}
	w := httptest.NewRecorder()
	if _, ok := BoundRange(w, r, 10); ok {
		t.Error("two headers are served")
	}
}
