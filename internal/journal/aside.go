package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// maxAside is how many damaged segments are kept: enough to see whether it was one bad sector or
	// a dying disk.
	maxAside = 4
	// asideShare is the part of MaxBytes that they may take.
	asideShare = 4

	asideSuffix = ".bad"
)

// aside is a damaged segment that a release leaves on disk, for a human to look at.
type aside struct {
	first uint64
	path  string
	size  int64
	alone bool // its segment is deleted, so that the bytes are its own
}

// asideBytes returns the most bytes that damaged segments may take. Under a bound they must leave
// room for the newest segment and another.
func (o Options) asideBytes() int64 {
	if o.MaxBytes == 0 {
		return math.MaxInt64 // their number bounds them
	}
	return min(o.MaxBytes/asideShare, o.MaxBytes-minSegments*o.SegmentBytes)
}

// setAside gives a damaged segment a second name, which outlives its release and this process.
func (j *Journal) setAside(seg *segment) {
	path := strings.TrimSuffix(seg.path, segmentSuffix) + asideSuffix
	err := j.files.link(seg.path, path)
	if errors.Is(err, fs.ErrExist) {
		return // of another damage in it, or by an earlier opener
	}
	if err != nil {
		j.log.Warn("damaged journal segment can't be set aside", "segment", seg.path, "error", err)
		return
	}
	j.mu.Lock()
	j.aside = append(j.aside, &aside{first: seg.first, path: path, size: seg.disk})
	j.mu.Unlock()
	j.log.Error("damaged journal segment is set aside", "segment", seg.path, "kept_as", path)
	j.trimAside()
}

// trimAside deletes the oldest of the damaged segments while they are too many. One that can't be
// deleted stays counted, and is tried again when the next is set aside.
func (j *Journal) trimAside() {
	for a := j.excessAside(); a != nil; a = j.excessAside() {
		if err := j.files.remove(a.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			j.log.Warn("damaged journal segment can't be deleted", "segment", a.path, "error", err)
			return
		}
		j.forget(a)
	}
}

// excessAside returns the damaged segment that is to be deleted next, nil when none is.
func (j *Journal) excessAside() *aside {
	j.mu.Lock()
	defer j.mu.Unlock()
	var bytes int64
	for _, a := range j.aside {
		bytes += a.size
	}
	if len(j.aside) > maxAside || bytes > j.opts.asideBytes() {
		return j.aside[0]
	}
	return nil
}

func (j *Journal) forget(a *aside) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.aside = slices.DeleteFunc(j.aside, func(b *aside) bool { return a == b })
	j.recount()
}

// outlive says that seg is deleted: what was set aside of it is all that is left. It is called with
// mu held.
func (j *Journal) outlive(seg *segment) {
	for _, a := range j.aside {
		if a.first == seg.first {
			a.alone, a.size = true, seg.disk
		}
	}
}

// listAside finds what earlier openers set aside.
func (j *Journal) listAside() error {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	live := map[uint64]bool{}
	for _, seg := range j.segs {
		live[seg.first] = true
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), asideSuffix)
		first, known := parseSegmentName(name + segmentSuffix)
		if !ok || !known {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("damaged segment: %w", err)
		}
		j.aside = append(j.aside, &aside{
			first: first, path: filepath.Join(j.dir, e.Name()), size: info.Size(), alone: !live[first],
		})
	}
	j.trimAside()
	return nil
}
