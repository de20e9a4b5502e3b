package sim

import (
	"encoding/json"
	"strconv"
	"time"

	"nhip"
)

// Payloads are formatted without encoding/json, because a city's buses send a thousand a second.

// positionPayload returns the bus's position at b.now in the platform's own format.
func (b *bus) positionPayload(w *world) []byte {
	f := b.fix()
	p := make([]byte, 0, 288) // the longest of the simulated network has 260 bytes
	p = appendTime(append(p, '{'), time.Unix(b.now, 0))
	p = appendNumber(p, "lat", f.at.Lat(), 6)
	p = appendNumber(p, "lon", f.at.Lon(), 6)
	p = appendNumber(p, "speed", f.speed, 1)
	p = appendNumber(p, "bearing", wholeBearing(f.bearing), 0)
	if b.sendsTrip {
		p = b.appendJourney(p)
		p = appendText(p, "occupancy", string(b.occupancy(w)))
	}
	p = appendText(p, "origin", string(nhip.OriginSimulated))
	return append(p, '}')
}

// appendJourney appends the route and the trip; extra service has no trip.
func (b *bus) appendJourney(p []byte) []byte {
	t := b.journey.trip
	p = appendText(p, "route", t.Route.ID)
	if b.day != 0 {
		p = appendText(p, "trip", t.ID)
	}
	if d, ok := t.Direction.Get(); ok {
		p = appendNumber(p, "direction", float64(d), 0)
	}
	if b.day != 0 {
		p = appendText(p, "start_date", b.day.String())
	}
	return p
}

// wholeBearing maps bearings that would be rounded to 360 to 0.
func wholeBearing(b float64) float64 {
	if b >= 359.5 {
		return 0
	}
	return b
}

func appendTime(p []byte, t time.Time) []byte {
	p = append(p, `"time":"`...)
	return append(t.UTC().AppendFormat(p, time.RFC3339), '"')
}

func appendKey(p []byte, key string) []byte {
	if p[len(p)-1] != '{' {
		p = append(p, ',')
	}
	return append(append(append(p, '"'), key...), `":`...)
}

func appendNumber(p []byte, key string, v float64, decimals int) []byte {
	return strconv.AppendFloat(appendKey(p, key), v, 'f', decimals, 64)
}

func appendText(p []byte, key, s string) []byte {
	p = appendKey(p, key)
	if isPlainJSON(s) {
		return append(append(append(p, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // never fails for a string
	return append(p, quoted...)
}

// isPlainJSON reports whether s needs no escapes in JSON.
func isPlainJSON(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
