package ledger

// Stats are figures of a ledger, for metrics.
type Stats struct {
	Segments   int   // files
	Bytes      int64 // total size of the segments
	Facts      int   // in memory only, until the next checkpoint
	Cells      int   // counts of a device and hour that are in memory only, until the next checkpoint
	Devices    int   // in memory
	Damaged    int   // segments in which damage was found, including those renamed to .bad
	ReadErrors int64 // failed reads, after which facts on disk may have been classified as New
	Unbalanced int64 // rows read whose counts did not balance
}
