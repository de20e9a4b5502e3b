package ledger

import "errors"

// Limits of the cache. An index has about a hundredth of the size of its segment's leaves.
const (
	maxOpenSegments = 256
	maxOpenBytes    = 32 << 20
)

// segmentCache holds the most recently used segments open for lookups.
type segmentCache struct {
	files fileSystem
	open  map[*segment]*openSegment
	bytes int
	uses  uint64
}

// openSegment is an entry of the cache.
type openSegment struct {
	file    file
	reader  *segmentReader
	bytes   int
	lastUse uint64
}

func newSegmentCache(files fileSystem) *segmentCache {
	return &segmentCache{files: files, open: map[*segment]*openSegment{}}
}

// get returns an open segment, and opens it if needed.
func (c *segmentCache) get(seg *segment) (*openSegment, error) {
	c.uses++
	if it := c.open[seg]; it != nil {
		it.lastUse = c.uses
		return it, nil
	}
	f, reader, err := openSegmentFile(c.files, seg)
	if err != nil {
		return nil, err
	}
	it := &openSegment{file: f, reader: reader, bytes: reader.bytes(), lastUse: c.uses}
	c.bytes += it.bytes
	for len(c.open) >= maxOpenSegments || len(c.open) > 0 && c.bytes > maxOpenBytes {
		c.evict(c.leastRecent())
	}
	c.open[seg] = it
	return it, nil
}

func (c *segmentCache) leastRecent() *segment {
	var oldest *segment
	for seg, it := range c.open {
		if oldest == nil || it.lastUse < c.open[oldest].lastUse {
			oldest = seg
		}
	}
	return oldest
}

// evict closes a segment if it is open. The error of Close is ignored, because nothing was written.
func (c *segmentCache) evict(seg *segment) {
	it := c.open[seg]
	if it == nil {
		return
	}
	delete(c.open, seg)
	c.bytes -= it.bytes
	_ = it.file.Close()
}

func (c *segmentCache) close() error {
	var err error
	for seg, it := range c.open {
		err = errors.Join(err, it.file.Close())
		delete(c.open, seg)
	}
	return err
}

// openSegmentFile opens a segment and reads its index.
func openSegmentFile(files fileSystem, seg *segment) (file, *segmentReader, error) {
	f, err := files.open(seg.path)
	if err != nil {
		return nil, nil, err
	}
	size, err := files.size(f)
	if err == nil {
		var reader *segmentReader
		if reader, err = newSegmentReader(f, size, seg.hour); err == nil {
			return f, reader, nil
		}
	}
	return nil, nil, errors.Join(err, f.Close())
}
