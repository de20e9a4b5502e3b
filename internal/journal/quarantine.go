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
	// maxQuarantined is the number of damaged segments that are kept: enough to distinguish a bad sector from a failing
	// disk.
	maxQuarantined = 4
	// quarantineShare is the divisor of MaxBytes for the bytes that they may take.
	quarantineShare = 4

	quarantineSuffix = ".bad"
)

// quarantined is a damaged segment that Release leaves on disk for inspection.
type quarantined struct {
	first     uint64
	path      string
	size      int64
	exclusive bool // the segment is deleted, so that this is the only name of the file
}

// quarantineBytes returns the maximum size of all quarantined segments. With a bound they must leave space for the
// newest segment and another one.
func (o Options) quarantineBytes() int64 {
	if o.MaxBytes == 0 {
		return math.MaxInt64 // bounded by maxQuarantined only
	}
	return min(o.MaxBytes/quarantineShare, o.MaxBytes-minSegments*o.SegmentBytes)
}

// quarantine gives a damaged segment a second name, which remains after Release and after a restart.
func (j *Journal) quarantine(seg *segment) {
	path := strings.TrimSuffix(seg.path, segmentSuffix) + quarantineSuffix
	err := j.files.link(seg.path, path)
	if errors.Is(err, fs.ErrExist) {
		return // quarantined before, for other damage or by a previous process
	}
	if err != nil {
		j.log.Warn("damaged journal segment can't be quarantined", "segment", seg.path, "error", err)
		return
	}
	j.mu.Lock()
	j.quarantined = append(j.quarantined, &quarantined{first: seg.first, path: path, size: seg.disk})
	j.mu.Unlock()
	j.log.Error("damaged journal segment quarantined", "segment", seg.path, "kept_as", path)
	j.trimQuarantined()
}

// trimQuarantined deletes the oldest quarantined segments until the rest is within the limits. A segment that can't be
// deleted still counts; the next quarantine tries again.
func (j *Journal) trimQuarantined() {
	for q := j.excessQuarantined(); q != nil; q = j.excessQuarantined() {
		if err := j.files.remove(q.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			j.log.Warn("quarantined journal segment can't be deleted", "segment", q.path, "error", err)
			return
		}
		j.dropQuarantined(q)
	}
}

// excessQuarantined returns the quarantined segment to delete next, or nil if all are within the limits.
func (j *Journal) excessQuarantined() *quarantined {
	j.mu.Lock()
	defer j.mu.Unlock()
	var bytes int64
	for _, q := range j.quarantined {
		bytes += q.size
	}
	if len(j.quarantined) > maxQuarantined || bytes > j.opts.quarantineBytes() {
		return j.quarantined[0]
	}
	return nil
}

func (j *Journal) dropQuarantined(q *quarantined) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.quarantined = slices.DeleteFunc(j.quarantined, func(other *quarantined) bool { return other == q })
	j.recount()
}

// detachQuarantined records that seg is deleted, so that a quarantined copy no longer shares its bytes. The caller
// holds mu.
func (j *Journal) detachQuarantined(seg *segment) {
	for _, q := range j.quarantined {
		if q.first == seg.first {
			q.exclusive, q.size = true, seg.disk
		}
	}
}

// listQuarantined finds the segments that previous processes quarantined.
func (j *Journal) listQuarantined() error {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	live := map[uint64]bool{}
	for _, seg := range j.segs {
		live[seg.first] = true
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), quarantineSuffix)
		first, known := parseSegmentName(name + segmentSuffix)
		if !ok || !known {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("damaged segment: %w", err)
		}
		j.quarantined = append(j.quarantined, &quarantined{
			first: first, path: filepath.Join(j.dir, e.Name()), size: info.Size(), exclusive: !live[first],
		})
	}
	j.trimQuarantined()
	return nil
}
