package hfp

import (
	"strconv"
	"time"

	"nhip"
	"nhip/collector/decode/jsonscan"
)

// halfDay is how far the start of a vehicle's trip can be from now; no trip takes longer.
const halfDay = 12 * time.Hour

// serviceDay reads a day as YYYY-MM-DD.
func serviceDay(s *jsonscan.Scanner) (time.Time, error) {
	text, err := s.View()
	if err != nil {
		return time.Time{}, err
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, nhip.Errorf(nhip.Malformed, "", "must be a day as YYYY-MM-DD, got %q", text)
	}
	return day, nil
}

// start gives p the service day and the trip's start as GTFS writes them. HFP's start is on the 24-hour
// clock, GTFS's counts on after midnight of the service day: 00:10 of a trip of the night is 24:10. HFP
// does not say which of the two is meant; it is the one nearer to the vehicle's own time. The zone
// only has to be right within hours.
func (m *message) start(p *nhip.Position, zone *time.Location) error {
	hour, minute, ok := clock(p.StartTime)
	if !ok && p.StartTime != "" {
		return nhip.Errorf(nhip.Malformed, "start", "must be a time of day as HH:MM, got %q", p.StartTime)
	}
	if m.day.IsZero() {
		return nil // without a day there is no midnight to be behind of
	}
	p.StartDate = m.day.Format("20060102")
	if !ok || hour >= 24 {
		return nil
	}
	if zone == nil {
		zone = time.UTC
	}
	start := time.Date(m.day.Year(), m.day.Month(), m.day.Day(), hour, minute, 0, 0, zone)
	if p.Time.Sub(start) > halfDay {
		p.StartTime = strconv.Itoa(24+hour) + p.StartTime[2:]
	}
	return nil
}

// clock reads HH:MM. Hours beyond 23 are not HFP's but GTFS's, and as clear.
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
