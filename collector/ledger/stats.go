package ledger

// Stats are a book's figures, for metrics.
type Stats struct {
	Runs       int   // files
	Bytes      int64 // of them
	Facts      int   // remembered in memory only, until the next checkpoint
	Cells      int   // counts of a device and hour that are in memory only, until the next checkpoint
	Devices    int   // in memory
	Damaged    int   // runs in which damage was found, those set aside included
	Unread     int64 // times that the disk failed a read, so that facts it holds were taken for unknown
	Unbalanced int64 // times that a row was found whose sum does not hold
}
