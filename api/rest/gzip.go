package rest

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// gzipLevel is the level of compression of what is compressed once and sent often.
const gzipLevel = 6

// gzipPool holds writers for reuse: creating one takes as long as compressing a tile.
var gzipPool = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzipLevel) // the level is valid
	return z
}}

// Gzip returns a compressed copy of body.
func Gzip(body []byte) []byte {
	out := bytes.NewBuffer(make([]byte, 0, len(body)/2))
	z := gzipPool.Get().(*gzip.Writer)
	defer gzipPool.Put(z)
	z.Reset(out)
	_, _ = z.Write(body) // a buffer returns no error
	_ = z.Close()
	return out.Bytes()
}
