package air

import "time"

// Timing of the work in the background.
const (
	tickEvery  = time.Second
	retryAfter = 2 * time.Second // after an error of the database
	logEvery   = time.Minute     // interval of log entries about an unavailable database

	// The comparison of the newest hours takes at most one part in comparisonShare of the time, so that readings that
	// come late one by one do not keep a core busy.
	comparisonShare = 5
	comparisonPause = time.Second
)
