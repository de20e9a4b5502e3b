package nhip

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func TestABusIsStale(t *testing.T) {
	for _, c := range []struct {
		name              string
		interval, latency float64
		age               time.Duration
		want              State
	}{
		{"just within 90 s", 10, 0, 90 * time.Second, Live},
		{"over 90 s", 10, 0, 91 * time.Second, Stale},
		{"slow, within three intervals", 60, 0, 180 * time.Second, Live},
		{"slow, over three intervals", 60, 0, 181 * time.Second, Stale},
		{"late by law", 30, 120, 210 * time.Second, Live},
		{"too late by law", 30, 120, 211 * time.Second, Stale},
		{"from a clock that runs ahead", 10, 0, -time.Minute, Live},
	} {
		b := Bus{Time: noon.Add(-c.age), Interval: c.interval, Latency: c.latency}
		if got := b.State(noon); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	b := Bus{Time: noon}
	if b.Gone(noon.Add(BusLeavesAfter)) || !b.Gone(noon.Add(BusLeavesAfter+1)) {
		t.Error("a bus leaves the map after two hours")
	}
}

func TestAStationIsStale(t *testing.T) {
	s := Station{Time: noon, Values: map[Quantity]LiveValue{
		PM25: {Time: noon, Period: 3600},
		PM10: {Time: noon.Add(-time.Hour), Period: 24 * 3600}, // an older one does not keep it live
	}}
	if s.State(noon.Add(2*time.Hour)) != Live || s.State(noon.Add(2*time.Hour+1)) != Stale {
		t.Error("a station is stale after two reporting periods")
	}
	if (&Station{Time: noon}).State(noon) != Stale {
		t.Error("a station without values is live")
	}
	if _, ok := s.Point(); ok {
		t.Error("a station without coordinates has a place")
	}
	if s.Gone(noon.Add(StationLeavesAfter)) || !s.Gone(noon.Add(StationLeavesAfter+1)) {
		t.Error("a station leaves the map after 30 days")
	}
}

func TestAReplayedClock(t *testing.T) {
	c := NewReplayClock(noon, 60)
	if !c.Now().Equal(noon) || c.Rate() != 60 {
		t.Errorf("before it begins: %s", c.Now())
	}
	before := time.Now()
	c.Begin()
	began := c.Now()
	c.Begin() // only the first counts
	if now := c.Now(); now.Before(began) || now.Sub(noon) > 60*time.Since(before) {
		t.Errorf("%s on the clock after %s", now.Sub(noon), time.Since(before))
	}
}

func TestPeriods(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1h": time.Hour, "5m": 5 * time.Minute, "30s": 30 * time.Second, "1d": 24 * time.Hour, "60m": time.Hour,
	} {
		got, err := ParsePeriod(text)
		if err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
		if again, err := ParsePeriod(FormatPeriod(got)); err != nil || again != got {
			t.Errorf("%s is written as %s", text, FormatPeriod(got))
		}
	}
	for _, text := range []string{"", "h", "1", "0h", "-1h", "1.5h", "367d", "99999999999999h", "1w", "1h30m"} {
		if _, err := ParsePeriod(text); ErrorCode(err) != OutOfRange {
			t.Errorf("%q: %v", text, err)
		}
	}
}
