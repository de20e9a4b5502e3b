package httpserver

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Response is the ResponseWriter of a request. It knows its status, gives HTML its safe headers, and releases what
// the request holds of a shared resource when its client does not read.
type Response struct {
	http.ResponseWriter
	status int

	release func()        // of what the request holds; nil: nothing
	blocked *blockedBytes // of the server; nil without a release
	slow    func()        // counts an answer that was aborted
	timer   *time.Timer   // runs during a Write; nil before the first
	writing atomic.Int64  // bytes of the Write that runs
	waiting atomic.Int64  // of these, those counted in blocked
}

// Wrap returns w as a Response: itself if it is one.
func Wrap(w http.ResponseWriter) *Response {
	if r, ok := w.(*Response); ok {
		return r
	}
	return &Response{ResponseWriter: w}
}

// Unwrap serves http.ResponseController.
func (w *Response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Status returns the status of the answer, 0 before it has begun.
func (w *Response) Status() int { return w.status }

// WriteHeader implements http.ResponseWriter.
func (w *Response) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
		protectHTML(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

// Flush implements http.Flusher.
func (w *Response) Flush() { _ = w.FlushError() } // the next Write tells of an error

// FlushError serves http.ResponseController. The writer behind may be one that only unwraps to one that can flush.
func (w *Response) FlushError() error {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Write implements http.ResponseWriter. A body without a media type gets the one that net/http would guess, so that
// a guessed HTML has its headers, too.
func (w *Response) Write(p []byte) (int, error) {
	if w.status == 0 {
		if h := w.Header(); h["Content-Type"] == nil && h["Content-Encoding"] == nil {
			h.Set("Content-Type", http.DetectContentType(p))
		}
		w.WriteHeader(http.StatusOK)
	}
	if w.release == nil {
		return w.ResponseWriter.Write(p)
	}
	w.startWrite(len(p))
	n, err := w.ResponseWriter.Write(p)
	w.endWrite()
	return n, err
}

// blockedAfter is how long a client may keep an answer waiting before its request gives back what it holds.
const blockedAfter = 10 * time.Millisecond

// maxBlockedBytes bounds the memory of answers that wait for slow clients. Beyond it those that wait are aborted.
const maxBlockedBytes = 256 << 20

// blockedBytes counts the bytes of Writes that wait for their clients.
type blockedBytes struct{ n atomic.Int64 }

// HoldUntilWritten calls release at the end of the handler, or as soon as the client keeps the answer waiting: a
// client that does not read holds its own answer and nothing that others need. The caller runs the returned function
// at the end of the handler.
func (w *Response) HoldUntilWritten(release func()) (end func()) {
	var done atomic.Bool
	w.release = func() {
		if done.CompareAndSwap(false, true) {
			release()
		}
	}
	return w.release
}

func (w *Response) startWrite(n int) {
	w.writing.Store(int64(n))
	if w.timer == nil {
		w.timer = time.AfterFunc(blockedAfter, w.clientBlocks)
	} else {
		w.timer.Reset(blockedAfter)
	}
}

func (w *Response) endWrite() {
	w.timer.Stop()
	w.writing.Store(0)
	if n := w.waiting.Swap(0); n > 0 {
		w.blocked.n.Add(-n)
	}
}

// clientBlocks runs when a Write takes long.
func (w *Response) clientBlocks() {
	w.release()
	n := w.writing.Load()
	if n == 0 || w.blocked == nil || !w.waiting.CompareAndSwap(0, n) {
		return
	}
	total := w.blocked.n.Add(n)
	if w.writing.Load() == 0 { // the Write has ended meanwhile
		if n := w.waiting.Swap(0); n > 0 {
			w.blocked.n.Add(-n)
		}
		return
	}
	if total > maxBlockedBytes {
		w.slow()
		_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Unix(1, 0)) // the Write fails
	}
}

// htmlPolicy is the Content-Security-Policy of a page that sets none: it loads and runs nothing but its own styles.
const htmlPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; " +
	"form-action 'none'; frame-ancestors 'self'"

// protectHTML adds the headers that keep a page from being abused, if an answer is HTML.
func protectHTML(h http.Header) {
	kind := h["Content-Type"]
	if len(kind) == 0 || !isHTML(kind[0]) {
		return
	}
	if h.Get("Content-Security-Policy") == "" {
		h.Set("Content-Security-Policy", htmlPolicy)
	}
	h.Set("X-Content-Type-Options", "nosniff")
	if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors *;") { // a page made to be framed
		h.Set("X-Frame-Options", "SAMEORIGIN")
	}
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// isHTML reports whether browsers run scripts of a media type as a page: HTML, and XML in all its forms.
func isHTML(mediaType string) bool {
	name, _, _ := strings.Cut(mediaType, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	return name == "text/html" || name == "image/svg+xml" || name == "application/xhtml+xml" || name == "text/xml" ||
		name == "application/xml"
}
