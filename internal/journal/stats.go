package journal

// Stats is what a journal holds and what happened to it since it was opened.
type Stats struct {
	Segments int
	Bytes    int64  // in segments, on disk
	Records  uint64 // on disk, released ones in kept segments included
	FirstSeq uint64 // see Journal.FirstSeq
	LastSeq  uint64 // see Journal.LastSeq

	Appended uint64 // records acknowledged
	Commits  uint64 // batches written and synced
	Failures uint64 // batches answered with an error

	CutBytes          int64  // torn tail that Open cut off
	QuarantinedFrames uint64 // damaged parts that were skipped; one to a segment's end counts as one
	QuarantinedBytes  int64
	LostRecords       uint64 // records that were in them
}

// Stats returns the journal's figures. Older segments are checked as they are read, so damage in
// them shows only then.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Segments = len(j.segs)
	s.FirstSeq, s.LastSeq = j.segs[0].first, j.last
	s.Records = s.LastSeq + 1 - s.FirstSeq
	for _, seg := range j.segs {
		s.Bytes += seg.size
	}
	return s
}

// quarantine counts and logs a damaged part of seg, once however many readers come by: each reads
// a segment from its start, so what lies below the last one seen was seen.
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
	}
}
