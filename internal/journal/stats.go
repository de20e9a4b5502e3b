package journal

// Stats describes a journal's content and counts events since Open.
type Stats struct {
	Segments int
	Bytes    int64  // size of all files that MaxBytes bounds
	MaxBytes int64  // Options.MaxBytes; 0 without a bound
	Full     bool   // the last append failed because of the bound or a full disk, and no space has been freed since
	Records  uint64 // records on disk, including released ones in remaining segments
	FirstSeq uint64 // see Journal.FirstSeq
	LastSeq  uint64 // see Journal.LastSeq

	Appended uint64 // records acknowledged
	Commits  uint64 // batches written and synced
	Failures uint64 // failed batches
	Rejected uint64 // records rejected with ErrBound

	MissingSeqs         uint64 // known seqs beyond the end that Open found, see Options.KnownSeq; processed ones included
	CutBytes            int64  // size of the torn end that Open cut off
	DamagedParts        uint64 // skipped damaged parts; damage to a segment's end counts as one
	DamagedBytes        int64
	LostRecords         uint64 // records in the damaged parts
	QuarantinedSegments int    // damaged segments that are kept as .bad files, including those of previous processes
	QuarantinedBytes    int64
}

// Stats returns the journal's statistics. Damage in older segments is counted only when they are read.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	newest := j.segs[len(j.segs)-1]
	s.Segments = len(j.segs)
	s.Bytes = j.space.kept + newest.disk + newest.zeros
	s.MaxBytes = j.opts.MaxBytes
	s.Full = j.space.diskFull || j.space.lastRejected > 0 && !j.fitsBound(j.space.lastRejected)
	s.FirstSeq, s.LastSeq = j.segs[0].first, j.last
	s.Records = s.LastSeq + 1 - s.FirstSeq
	s.QuarantinedSegments = len(j.quarantined)
	for _, q := range j.quarantined {
		s.QuarantinedBytes += q.size
	}
	return s
}

// reportDamage counts and logs a damaged part of seg and quarantines the segment, only once for all readers: each
// reader reads a segment from its start, so damage below damageSeen is already counted.
func (j *Journal) reportDamage(seg *segment, bad damage) {
	j.mu.Lock()
	known := bad.from < seg.damageSeen
	if !known {
		seg.damageSeen = bad.from + 1
		j.stats.DamagedParts++
		j.stats.DamagedBytes += bad.to - bad.from
		j.stats.LostRecords += bad.lost
	}
	j.mu.Unlock()
	if !known {
		j.log.Error("damaged part of a journal segment skipped",
			"segment", seg.path, "from_byte", bad.from, "to_byte", bad.to, "lost_records", bad.lost)
		j.quarantine(seg)
	}
}
