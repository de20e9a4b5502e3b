package nhip

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func TestBusState(t *testing.T) {
	for _, c := range []struct {
		name              string
		interval, latency float64
		age               time.Duration
		want              State
	}{
		{"at 90 s", 10, 0, 90 * time.Second, StateLive},
		{"over 90 s", 10, 0, 91 * time.Second, StateStale},
		{"slow, within three intervals", 60, 0, 180 * time.Second, StateLive},
		{"slow, over three intervals", 60, 0, 181 * time.Second, StateStale},
		{"with feed latency, within", 30, 120, 210 * time.Second, StateLive},
		{"with feed latency, over", 30, 120, 211 * time.Second, StateStale},
		{"device clock ahead", 10, 0, -time.Minute, StateLive},
	} {
		b := Bus{Time: noon.Add(-c.age), Interval: c.interval, Latency: c.latency}
		if got := b.State(noon); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	b := Bus{Time: noon}
	if b.Expired(noon.Add(BusExpiresAfter)) || !b.Expired(noon.Add(BusExpiresAfter+1)) {
		t.Error("bus does not expire after exactly two hours")
	}
}

func TestStationState(t *testing.T) {
	s := Station{Time: noon, Values: map[Quantity]LiveValue{
		PM25: {Time: noon, Period: 3600},
		PM10: {Time: noon.Add(-time.Hour), Period: 24 * 3600}, // an older value does not keep the station live
	}}
	if s.State(noon.Add(2*time.Hour)) != StateLive || s.State(noon.Add(2*time.Hour+1)) != StateStale {
		t.Error("station is not stale after exactly two report intervals")
	}
	if (&Station{Time: noon}).State(noon) != StateStale {
		t.Error("station without values is live")
	}
	if _, ok := s.Point(); ok {
		t.Error("station without coordinates has a position")
	}
	if s.Expired(noon.Add(StationExpiresAfter)) || !s.Expired(noon.Add(StationExpiresAfter+1)) {
		t.Error("station does not expire after exactly 30 days")
	}
}

func TestReplayClock(t *testing.T) {
	c := NewReplayClock(noon, 60)
	if !c.Now().Equal(noon) || c.Rate() != 60 {
		t.Errorf("before Begin: %s", c.Now())
	}
	before := time.Now()
	c.Begin()
	began := c.Now()
	c.Begin() // only the first counts
	if now := c.Now(); now.Before(began) || now.Sub(noon) > 60*time.Since(before) {
		t.Errorf("%s on the clock after %s", now.Sub(noon), time.Since(before))
	}
}

func TestParsePeriod(t *testing.T) {
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
		if _, err := ParsePeriod(text); ErrorCode(err) != CodeOutOfRange {
			t.Errorf("%q: %v", text, err)
		}
	}
}
