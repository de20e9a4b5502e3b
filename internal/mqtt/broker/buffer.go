package broker

import "sync"

// bufferSize is the size of pooled buffers, in bytes: some 60 positions of a bus.
const bufferSize = 16 << 10

// buffer holds bytes that were read and not handled yet: data[r:w].
type buffer struct {
	data []byte
	r, w int
}

var buffers = sync.Pool{New: func() any { return &buffer{data: make([]byte, bufferSize)} }}

func getBuffer() *buffer { return buffers.Get().(*buffer) }

// release returns the buffer to the pool, unless it has grown.
func (b *buffer) release() {
	if len(b.data) == bufferSize {
		b.r, b.w = 0, 0
		buffers.Put(b)
	}
}

func (b *buffer) unread() []byte { return b.data[b.r:b.w] }

// makeRoom makes room for more bytes of a packet of size bytes that begins at r. It never more than doubles the buffer,
// so that memory follows what has arrived, and not what a client announces.
func (b *buffer) makeRoom(size int) {
	have := b.w - b.r
	if b.r > 0 {
		copy(b.data, b.unread())
		b.r, b.w = 0, have
	}
	if b.w == len(b.data) {
		grown := make([]byte, min(max(size, b.w+1), 2*len(b.data)))
		copy(grown, b.data[:b.w])
		b.data = grown
	}
}
