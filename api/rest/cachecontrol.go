package rest

// Cache policies (Cache-Control).
const (
	NoStore    = "no-store"                                          // staff data, errors, answers that depend on the host
	Revalidate = "no-cache"                                          // history that may still be revised
	CacheLive  = "public, max-age=1"                                 // the current state
	CacheBrief = "public, max-age=5"                                 // features of the current state
	CacheHour  = "public, max-age=30"                                // the air of the current hour
	CachePlan  = "public, max-age=300, stale-while-revalidate=86400" // what changes with the timetable
	CacheDay   = "public, max-age=86400"                             // what changes with a release
	CachePast  = "public, max-age=60, stale-while-revalidate=300"    // the recent past
	CacheDone  = "public, max-age=86400, immutable"                  // the past that no longer changes
)

// CachePolicy returns the policy of an answer about a moment: current for the present, else by whether the moment is
// settled.
func CachePolicy(past, settled bool, current string) string {
	switch {
	case settled:
		return CacheDone
	case past:
		return CachePast
	}
	return current
}
