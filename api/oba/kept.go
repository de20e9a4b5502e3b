package oba

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"nhip/api/cache"
	"nhip/api/rest"

	"github.com/prometheus/client_golang/prometheus"
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
func NewKept(r prometheus.Registerer) *Kept {
	k := cache.NewSized[keptKey](maxKept, func(b *body) int { return 2*len(b.plain) + 2*maxKeptKey })
	count := func(outcome string, of func(cache.Stats) int) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "nhip_api_oba_arrivals_total", ConstLabels: prometheus.Labels{"outcome": outcome},
			Help: "Answers with arrivals of OneBusAway's API: made, or kept from another request of the same second.",
		}, func() float64 { return float64(of(k.Stats())) })
	}
	r.MustRegister(
		count("made", func(s cache.Stats) int { return s.Built }), count("kept", func(s cache.Stats) int { return s.Hits }),
	)
	return k
}

// keptKey is what an answer depends on.
type keptKey struct {
	path, query, baseURL string
	timetable            uint64
	second               int64 // when it was made, Unix s
}

// keptBy are the parameters on which a kept answer depends.
var keptBy = [...]string{
	"emptyReturnsNotFound", "includeReferences", "lat", "latSpan", "lon", "lonSpan", "maxCount", "minutesAfter",
	"minutesBefore", "radius", "routeType", "time", "version",
}

// maxKeptKey bounds the texts of a key, bytes. An answer to a longer request is not kept.
const maxKeptKey = 512

// keptKey returns what the answer depends on, and reports whether it may be kept.
func (q *request) keptKey() (keptKey, bool) {
	var query strings.Builder
	for _, name := range keptBy {
		query.WriteString(q.query.Get(name))
		query.WriteByte('&')
	}
	k := keptKey{q.http.URL.Path, query.String(), q.baseURL, q.t.Version, q.now.Truncate(keepFor).Unix()}
	return k, len(k.path)+len(k.query)+len(k.baseURL) <= maxKeptKey
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
			b.zip.Do(func() { b.zipped = rest.Gzip(b.plain) })
			raw = b.zipped
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(raw) // fails if the client disconnected
}
