package journal

// Stats is what a journal holds and what happened to it since it was opened.
type Stats struct {
	Segments int
	Bytes    int64  // of segments' files, on disk: what MaxBytes bounds
	MaxBytes int64  // see Options.MaxBytes; 0 when there is none
	Full     bool   // the last append found no room, under the bound or on the disk, and none came since
	Records  uint64 // on disk, released ones in kept segments included
	FirstSeq uint64 // see Journal.FirstSeq
	LastSeq  uint64 // see Journal.LastSeq

	Appended uint64 // records acknowledged
	Commits  uint64 // batches written and synced
	Failures uint64 // batches answered with an error
	Refused  uint64 // records answered with ErrFull at once

	CutBytes          int64  // torn tail that Open cut off
	QuarantinedFrames uint64 // damaged parts that were skipped; one to a segment's end counts as one
	QuarantinedBytes  int64
	LostRecords       uint64 // records that were in them
	AsideSegments     int    // damaged segments that are kept as .bad files, found by earlier openers too
	AsideBytes        int64
}

// Stats returns the journal's figures. Older segments are checked as they are read, so damage in
// them shows only then.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	newest := j.segs[len(j.segs)-1]
	s.Segments = len(j.segs)
	s.Bytes = j.space.kept + newest.disk + newest.zeros
	s.MaxBytes = j.opts.MaxBytes
	s.Full = j.space.diskFull || j.space.refused > 0 && !j.admits(j.space.refused)
	s.FirstSeq, s.LastSeq = j.segs[0].first, j.last
	s.Records = s.LastSeq + 1 - s.FirstSeq
	s.AsideSegments = len(j.aside)
	for _, a := range j.aside {
		s.AsideBytes += a.size
	}
	return s
}

// quarantine counts, logs and sets aside a damaged part of seg, once however many readers come by:
// each reads a segment from its start, so what lies below the last one seen was seen.
func (j *Journal) quarantine(seg *segment, bad span) {
	j.mu.Lock()
	known := bad.from < seg.seen
	if !known {
		seg.seen = bad.from + 1
		j.stats.QuarantinedFrames++
		j.stats.QuarantinedBytes += bad.to - bad.from
		j.stats.LostRecords += bad.lost
	}
	j.mu.Unlock()
	if !known {
		j.log.Error("damaged part of a journal segment is skipped",
			"segment", seg.path, "from_byte", bad.from, "to_byte", bad.to, "lost_records", bad.lost)
		j.setAside(seg)
	}
}
