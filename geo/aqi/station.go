package aqi

import (
	"math"
	"time"

	"nhip"
)

// How long the last complete hour of a station yields its current index. A NowCast needs two of the last three hours.
const (
	StationIndexStaleAfter   = 2 * time.Hour // from then on the index is stale
	StationIndexExpiresAfter = 3 * time.Hour // from then on the station has no index
)

// StationIndex returns the index of the station's last complete hour and its freshness at now. It reports false if the
// hour has expired or does not suffice for an index.
func StationIndex(s *nhip.Station, scale nhip.Scale, now time.Time) (nhip.AQI, nhip.State, bool) {
	if s.Hours == nil || now.Sub(s.Hours.End) >= StationIndexExpiresAfter {
		return nhip.AQI{}, "", false
	}
	hours := make(Hours, len(s.Hours.Means))
	for q, means := range s.Hours.Means {
		of := make([]float64, len(means))
		for i, m := range means {
			of[i] = m.Or(math.NaN())
		}
		hours[q] = of
	}
	index, ok := HourlyIndex(scale, s.Hours.End, hours)
	state := nhip.StateLive
	if now.Sub(s.Hours.End) > StationIndexStaleAfter {
		state = nhip.StateStale
	}
	return index, state, ok
}
