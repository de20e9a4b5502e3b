package journal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	newSegment    = "segment.tmp" // name of a segment's file while it is created
	segmentSuffix = ".seg"
)

// segment is one file of the journal. Journal.mu guards the fields after path.
type segment struct {
	first uint64 // seq of its first record, which may not be written yet; immutable
	path  string // immutable

	size       int64 // bytes that readers may read
	disk       int64 // bytes of the file without preallocated zeros
	zeros      int64 // preallocated zeros; only the newest segment has any
	damageSeen int64 // damage below this offset is already counted
}

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", first, segmentSuffix))
}

// listSegments returns dir's segments, oldest first.
func listSegments(dir string) ([]*segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segs []*segment
	for _, e := range entries {
		first, ok := parseSegmentName(e.Name())
		if !ok {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		segs = append(segs, &segment{first: first, path: filepath.Join(dir, e.Name()), size: info.Size(), disk: info.Size()})
	}
	slices.SortFunc(segs, func(a, b *segment) int { return strings.Compare(a.path, b.path) })
	return segs, nil
}

func parseSegmentName(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	first, err := strconv.ParseUint(digits, 10, 64)
	return first, err == nil && first > 0
}

// checkVersion returns an error for a segment of another format version: truncating or skipping it would lose intact
// records. A damaged header passes, because its version is unknown.
func checkVersion(files fileSystem, seg *segment) error {
	if seg.size < headerSize {
		return nil
	}
	f, err := files.open(seg.path, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	h := make([]byte, headerSize)
	if _, err := f.ReadAt(h, 0); err != nil && err != io.EOF {
		return err
	}
	if v, ok := headerVersion(h); ok && v != version {
		return fmt.Errorf("%s has format version %d, this program reads version %d", seg.path, v, version)
	}
	return nil
}
