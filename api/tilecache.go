package api

import (
	"bytes"
	"container/list"
	"io"
	"strconv"
	"strings"
	"sync"

	"nhip"

	"github.com/andybalholm/brotli"
	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/paulmach/orb/maptile"
)

// tileKey tells tiles apart: the same key is the same tile, for ever.
type tileKey struct {
	kind     string
	at       maptile.Tile
	quantity nhip.Quantity
	scale    nhip.Scale
	version  uint64 // of what it is made of
}

// stored is a tile as it goes out. One that is squeezed is kept so, and only so.
type stored struct {
	ready  chan struct{} // closed when the rest is there
	err    error
	body   []byte // gzip, where squeezed
	size   int    // of the plain body
	etag   string // without its suffix and quotes
	zipped bool

	mu    sync.Mutex
	asked int
	small []byte // brotli, once it is worth it
	flat  []byte // not squeezed, once somebody wants it so
}

// How tiles are kept and squeezed. Brotli takes five times what gzip does, so only what is asked for again gets it.
const (
	tileCacheBytes = 64 << 20
	gzipLevel      = 6
	brotliLevel    = 5
	brotliFrom     = 3  // times asked for
	leastSqueezed  = 64 // bytes
)

// tileCache keeps the tiles that were asked for last. Whoever asks for one that is being made waits for it.
type tileCache struct {
	mu    sync.Mutex
	tiles map[tileKey]*list.Element // of *keptTile
	order *list.List                // the latest first
	bytes int
	hits  int
	made  int
}

type keptTile struct {
	key  tileKey
	tile *stored
}

func newTileCache() *tileCache {
	return &tileCache{tiles: make(map[tileKey]*list.Element), order: list.New()}
}

// get returns the tile of a key, made if need be, once however many ask.
func (c *tileCache) get(key tileKey, squeeze bool, draw func() ([]byte, error)) *stored {
	c.mu.Lock()
	if e := c.tiles[key]; e != nil {
		c.order.MoveToFront(e)
		c.hits++
		c.mu.Unlock()
		t := e.Value.(*keptTile).tile
		<-t.ready
		return t
	}
	t := &stored{ready: make(chan struct{})}
	e := c.order.PushFront(&keptTile{key, t})
	c.tiles[key] = e
	c.made++
	c.mu.Unlock()
	defer c.settle(e)
	t.fill(squeeze, draw)
	return t
}

var errTileFault = nhip.Errorf(nhip.Internal, "", "the tile can't be made")

// settle counts a tile that is made, and makes room. One that failed is not kept.
func (c *tileCache) settle(e *list.Element) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := e.Value.(*keptTile)
	if t.tile.err != nil {
		c.order.Remove(e)
		delete(c.tiles, t.key)
		return
	}
	c.bytes += t.tile.cost()
	for back := c.order.Back(); c.bytes > tileCacheBytes && back != nil; {
		old, before := back.Value.(*keptTile), back.Prev()
		select {
		case <-old.tile.ready:
			c.bytes -= old.tile.cost()
			c.order.Remove(back)
			delete(c.tiles, old.key)
		default: // it is being made
		}
		back = before
	}
}

// overhead is what a tile costs beside its bytes.
const overhead = 512

// cost is how many bytes a tile is counted as, with what it may become: brotli's are a little fewer than gzip's.
func (t *stored) cost() int {
	if t.zipped {
		return 2*len(t.body) + t.size + overhead
	}
	return len(t.body) + overhead
}

func (t *stored) fill(squeeze bool, draw func() ([]byte, error)) {
	defer close(t.ready)
	t.err = errTileFault // of those who wait where drawing it panics
	body, err := draw()
	if t.err = err; err != nil {
		return
	}
	t.size, t.body = len(body), body
	t.etag = strconv.FormatUint(xxhash.Sum64(body), 16)
	if squeeze && len(body) >= leastSqueezed {
		t.body, t.zipped = compress(body), true
	}
}

// answer returns the body in an encoding that the client takes, its name and the tag of these very bytes.
func (t *stored) answer(accepts string) (body []byte, encoding, etag string) {
	if !t.zipped {
		return t.body, "", `"` + t.etag + `"`
	}
	if takes(accepts, "br") {
		if small := t.brotli(); small != nil {
			return small, "br", `"` + t.etag + `b"`
		}
	}
	if takes(accepts, "gzip") {
		return t.body, "gzip", `"` + t.etag + `g"`
	}
	return t.flattened(), "", `"` + t.etag + `"`
}

// known returns the tag by which an If-None-Match header names the tile: in any encoding, for what is in it is the same.
func (t *stored) known(asked string) (etag string, same bool) {
	for _, encoded := range [...]string{"", "g", "b"} {
		if etag = `"` + t.etag + encoded + `"`; matches(asked, etag) {
			return etag, true
		}
	}
	return "", false
}

// takes reports whether an Accept-Encoding header names an encoding and does not refuse it.
func takes(accepts, encoding string) bool {
	for part := range strings.SplitSeq(accepts, ",") {
		name, weight, weighed := strings.Cut(part, ";")
		if strings.TrimSpace(name) != encoding {
			continue
		}
		q, _ := strings.CutPrefix(strings.ToLower(strings.TrimSpace(weight)), "q=")
		return !weighed || strings.Trim(q, "0.") != ""
	}
	return false
}

// flattened returns the body as it is; it must not be changed.
func (t *stored) flattened() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.flat == nil {
		t.flat = inflate(t.body, t.size)
	}
	return t.flat
}

// plain returns the body as it is, in a slice of the caller's own.
func (t *stored) plain() []byte {
	if t.zipped {
		return inflate(t.body, t.size)
	}
	return append([]byte(nil), t.body...)
}

// brotli returns the body squeezed harder, nil as long as it is not worth it.
func (t *stored) brotli() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asked++; t.asked == brotliFrom {
		var out bytes.Buffer
		w := brotli.NewWriterLevel(&out, brotliLevel)
		_, _ = w.Write(inflate(t.body, t.size)) // a buffer takes everything
		_ = w.Close()
		t.small = out.Bytes()
	}
	return t.small
}

// zippers are at rest: to make one costs as much as to squeeze a tile.
var zippers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzipLevel) // the level is one
	return z
}}

func compress(body []byte) []byte {
	out := bytes.NewBuffer(make([]byte, 0, len(body)/2))
	z := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(out)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return out.Bytes()
}

func inflate(zipped []byte, size int) []byte {
	out := make([]byte, 0, size)
	z, err := gzip.NewReader(bytes.NewReader(zipped))
	if err != nil {
		return out // it is our own
	}
	b := bytes.NewBuffer(out)
	_, _ = io.Copy(b, z) // the same
	return b.Bytes()
}
