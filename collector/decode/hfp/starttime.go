package hfp

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// maxTripAge is the largest time between the start of a trip and a position of its vehicle; no trip takes longer.
const maxTripAge = 12 * time.Hour

// serviceDay reads a date as YYYY-MM-DD.
func serviceDay(s *jsonscan.Scanner) (time.Time, error) {
	text, err := s.View()
	if err != nil {
		return time.Time{}, err
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, nhip.Errorf(nhip.CodeMalformed, "", "must be a day as YYYY-MM-DD, got %q", text)
	}
	return day, nil
}

// setStart sets the service day and the start of the trip as in GTFS. In HFP the start is on the 24-hour clock; in GTFS
// hours continue after midnight of the service day, so that 00:10 of a night trip is 24:10. HFP does not distinguish
// the two; the one nearer to the time of the position is used. For this the zone may be wrong by some hours.
func (m *message) setStart(p *nhip.Position, zone *time.Location) {
	hour, minute, ok := clock(p.StartTime)
	if m.day.IsZero() {
		return // without a service day the start stays as it is
	}
	p.StartDate = m.day.Format("20060102")
	if !ok || hour >= 24 { // the decode stage drops a start that is no time
		return
	}
	if zone == nil {
		zone = time.UTC
	}
	start := time.Date(m.day.Year(), m.day.Month(), m.day.Day(), hour, minute, 0, 0, zone)
	if p.Time.Sub(start) > maxTripAge {
		p.StartTime = strconv.Itoa(24+hour) + p.StartTime[2:]
	}
}

// clock parses HH:MM. Hours over 23, which HFP does not have, are accepted as in GTFS.
func clock(s string) (hour, minute int, ok bool) {
	if len(s) != len("17:35") || s[2] != ':' {
		return 0, 0, false
	}
	for _, i := range [...]int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, 0, false
		}
	}
	hour, minute = int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	return hour, minute, minute < 60
}
