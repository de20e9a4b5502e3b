package rest

import (
	"net/http"
	"strconv"
	"strings"

	"nhip"
	"nhip/internal/problem"
)

// MaxRange is the longest part of a file that one request gets, bytes. The parts of a base map are much shorter; a
// client that wants more asks for the next part, as RFC 9110 allows.
const MaxRange = 16 << 20

// BoundRange returns r with a Range header that asks for one part of at most MaxRange bytes of a file of size bytes,
// and false if it has answered because the client asks for several parts: those cost more to send than they hold. A
// header that is no range is left to http.ServeContent.
func BoundRange(w http.ResponseWriter, r *http.Request, size int64) (*http.Request, bool) {
	header := strings.Join(r.Header.Values("Range"), ",")
	parts, ok := strings.CutPrefix(header, "bytes=")
	if !ok {
		return r, true
	}
	if strings.Contains(parts, ",") {
		w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
		problem.Plain(w, http.StatusRequestedRangeNotSatisfiable, nhip.CodeInvalid, "Range: must be one range")
		return r, false
	}
	first, last, ok := strings.Cut(strings.TrimSpace(parts), "-")
	from, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	if !ok || err != nil || from < 0 || from >= size {
		if n, err := strconv.ParseInt(strings.TrimSpace(last), 10, 64); first == "" && err == nil && n > MaxRange {
			return withRange(r, max(0, size-n), max(0, size-n)+MaxRange-1), true // the last n bytes
		}
		return r, true
	}
	to, err := strconv.ParseInt(strings.TrimSpace(last), 10, 64)
	if last == "" || err == nil && to >= from && to-from >= MaxRange {
		return withRange(r, from, from+MaxRange-1), true
	}
	return r, true
}

// withRange returns a copy of r with one range, both ends inclusive.
func withRange(r *http.Request, from, to int64) *http.Request {
	r = r.Clone(r.Context())
	r.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-"+strconv.FormatInt(to, 10))
	return r
}
