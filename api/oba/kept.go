package oba

import (
	"bytes"
	"net/http"
	"sync"
	"time"

	"nhip/api/cache"
	"nhip/api/rest"

	"github.com/klauspost/compress/gzip"
)

// What is kept of the answers for others who ask the same: maxKept bytes, each for keepFor, which is as long as a
// shared cache may keep it, too.
const (
	maxKept = 32 << 20
	keepFor = time.Second
)

// Kept are the recent answers of methods that many ask for at a time, such as the arrivals at a terminal. It is safe
// for concurrent use.
type Kept = cache.Sized[keptKey, *body]

// NewKept returns a cache without answers.
func NewKept() *Kept {
	return cache.NewSized[keptKey](maxKept, func(b *body) int { return 2*len(b.plain) + 512 })
}

// keptKey is what an answer depends on.
type keptKey struct {
	path, query, baseURL string
	timetable            uint64
	second               int64 // when it was made, Unix s
}

// uncounted are the parameters that no answer depends on.
var uncounted = []string{"key", "app_uid", "app_ver"}

func (q *request) keptKey() keptKey {
	query := q.http.URL.Query()
	for _, name := range uncounted {
		query.Del(name)
	}
	return keptKey{q.http.URL.Path, query.Encode(), q.baseURL, q.t.Version, q.now.Truncate(keepFor).Unix()}
}

// body is an encoded answer.
type body struct {
	plain []byte

	zip    sync.Once
	zipped []byte
}

// minZipped is the size from which an answer is compressed.
const minZipped = 1400

// serve answers with the body, compressed if the client accepts that: it is compressed once for all.
func (b *body) serve(w http.ResponseWriter, r *http.Request, status int) {
	raw := b.plain
	if len(raw) >= minZipped { // the middleware compresses smaller ones
		w.Header().Add("Vary", "Accept-Encoding")
		if rest.AcceptsEncoding(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			raw = b.compressed()
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(raw) // fails if the client disconnected
}

func (b *body) compressed() []byte {
	b.zip.Do(func() {
		out := bytes.NewBuffer(make([]byte, 0, len(b.plain)/8))
		z := zippers.Get().(*gzip.Writer)
		defer zippers.Put(z)
		z.Reset(out)
		_, _ = z.Write(b.plain) // can't fail: the buffer grows
		_ = z.Close()
		b.zipped = out.Bytes()
	})
	return b.zipped
}

// zipLevel is the level of compression.
const zipLevel = 5

// zippers hold writers for reuse: creating one takes as long as compressing an answer.
var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, zipLevel) // the level is valid
	return z
}}
