package tiles

import (
	"bytes"
	"io"
	"strconv"
	"sync"

	"nhip/api/rest"

	"github.com/andybalholm/brotli"
	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/gzip"
)

// cachedTile is a tile with its encodings. The body of a compressed tile is stored as gzip; its other encodings are
// made when they are requested.
type cachedTile struct {
	body       []byte // gzip if compressed
	size       int    // bytes of the plain body
	etag       string // without quotes and the suffix of the encoding
	compressed bool

	stored variant // the body, ready to be sent

	mu       sync.Mutex
	requests int      // by clients that accept brotli
	brotli   *variant // nil before brotliFrom requests
	plainly  *variant // of a compressed tile; nil before its first request
}

// variant is a tile in one encoding, with the values of its headers, which all its answers share.
type variant struct {
	body                   []byte
	encoding, etag, length []string // encoding is nil for none
}

// variant returns a body with its headers. suffix tells the ETags of encodings apart.
func (t *cachedTile) variant(body []byte, encoding, suffix string) variant {
	v := variant{body: body, etag: []string{`"` + t.etag + suffix + `"`}, length: []string{strconv.Itoa(len(body))}}
	if encoding != "" {
		v.encoding = []string{encoding}
	}
	return v
}

// Compression. Brotli takes five times as long as gzip, so it is used only for tiles that are requested repeatedly.
const (
	brotliLevel   = 5
	brotliFrom    = 3  // number of requests
	minCompressed = 64 // bytes; smaller bodies are not compressed
)

// newCachedTile returns a tile. It is compressed if compressed is set and the body has at least minCompressed bytes.
func newCachedTile(body []byte, compressed bool) *cachedTile {
	t := &cachedTile{size: len(body), body: body, etag: strconv.FormatUint(xxhash.Sum64(body), 16)}
	if compressed && len(body) >= minCompressed {
		t.body, t.compressed = rest.Gzip(body), true
		t.stored = t.variant(t.body, "gzip", "g")
	} else {
		t.stored = t.variant(t.body, "", "")
	}
	return t
}

// tileOverhead is the memory that a tile uses besides its bodies, in bytes.
const tileOverhead = 512

// cost returns the memory of a tile in bytes, including encodings that may be added later. The brotli body is counted
// with the size of the gzip body, which is a little larger.
func (t *cachedTile) cost() int {
	if t.compressed {
		return 2*len(t.body) + t.size + tileOverhead
	}
	return len(t.body) + tileOverhead
}

// encoded returns the tile in an encoding that the client accepts.
func (t *cachedTile) encoded(acceptEncoding string) *variant {
	if !t.compressed {
		return &t.stored
	}
	if rest.AcceptsEncoding(acceptEncoding, "br") {
		if v := t.brotliBody(); v != nil {
			return v
		}
	}
	if rest.AcceptsEncoding(acceptEncoding, "gzip") {
		return &t.stored
	}
	return t.inflated()
}

// matchingETag returns the ETag of the tile that an If-None-Match header contains. The ETags of all encodings match,
// because the content is the same.
func (t *cachedTile) matchingETag(ifNoneMatch string) (etag string, ok bool) {
	for _, suffix := range [...]string{"", "g", "b"} {
		if etag = `"` + t.etag + suffix + `"`; rest.ETagMatches(ifNoneMatch, etag) {
			return etag, true
		}
	}
	return "", false
}

// inflated returns the plain form of a compressed tile. The caller must not change it.
func (t *cachedTile) inflated() *variant {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.plainly == nil {
		v := t.variant(inflate(t.body, t.size), "", "")
		t.plainly = &v
	}
	return t.plainly
}

// plain returns a copy of the plain body.
func (t *cachedTile) plain() []byte {
	if t.compressed {
		return inflate(t.body, t.size)
	}
	return append([]byte(nil), t.body...)
}

// brotliBody counts a request and returns the tile compressed with brotli, or nil before the request brotliFrom.
func (t *cachedTile) brotliBody() *variant {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.requests++; t.requests == brotliFrom {
		var out bytes.Buffer
		w := brotli.NewWriterLevel(&out, brotliLevel)
		_, _ = w.Write(inflate(t.body, t.size)) // a buffer returns no error
		_ = w.Close()
		v := t.variant(out.Bytes(), "br", "b")
		t.brotli = &v
	}
	return t.brotli
}

// inflate decompresses a body of rest.Gzip; size is its plain size in bytes.
func inflate(zipped []byte, size int) []byte {
	out := make([]byte, 0, size)
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return out // impossible: compress wrote it
	}
	b := bytes.NewBuffer(out)
	_, _ = io.Copy(b, z) // no error, as above
	return b.Bytes()
}
