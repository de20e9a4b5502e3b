package ledger

import "time"

const (
	msPerHour   = int64(time.Hour / time.Millisecond)
	hourSeconds = int64(time.Hour / time.Second)

	// hourLayout is the format of hours in file names and page cursors.
	hourLayout = "2006-01-02T15"
)

// The range of hours that hourLayout can format: the years 0000 to 9999. Times outside of it count for the nearest
// hour within.
const (
	firstHour = -17268672
	lastHour  = 70389527
)

// hourOf returns the hour, in hours since 1970, of a time in ms since 1970.
func hourOf(ms int64) int64 {
	hour := ms / msPerHour
	if ms%msPerHour < 0 {
		hour--
	}
	return clampHour(hour)
}

func clampHour(hour int64) int64 { return min(max(hour, firstHour), lastHour) }

// hourTime returns the start of an hour.
func hourTime(hour int64) time.Time { return time.Unix(hour*hourSeconds, 0).UTC() }

// formatHour returns an hour as "2026-02-16T07".
func formatHour(hour int64) string { return hourTime(hour).Format(hourLayout) }

func parseHour(s string) (int64, bool) {
	t, err := time.Parse(hourLayout, s)
	if err != nil {
		return 0, false
	}
	return t.Unix() / hourSeconds, true
}
