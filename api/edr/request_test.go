package edr

import (
	"testing"
	"time"

	"nhip"

	"github.com/paulmach/orb"
)

var noon = time.Date(2026, 2, 16, 12, 30, 0, 0, time.UTC)

func hour(h int) time.Time { return time.Date(2026, 2, 16, h, 0, 0, 0, time.UTC) }

func TestHoursOfSpan(t *testing.T) {
	for _, c := range []struct {
		name        string
		span        span
		first, last time.Time
		count       int
	}{
		{"present", span{}, time.Time{}, time.Time{}, 1},
		{"instant", span{hour(8), hour(8), true}, hour(8), hour(8), 1},
		{"interval", span{hour(8), hour(11), true}, hour(8), hour(11), 4},
		{"between full hours", span{hour(8).Add(time.Minute), hour(11).Add(time.Minute), true}, hour(9), hour(11), 3},
		{
			"within an hour",
			span{hour(8).Add(time.Minute), hour(8).Add(2 * time.Minute), true},
			hour(8).Add(time.Minute),
			hour(8).Add(time.Minute), 1,
		},
		{"until now", span{hour(10), hour(23), true}, hour(10), hour(12), 3},
		{"open end", span{from: hour(10), given: true}, hour(10), hour(12), 3},
		{"open start", span{to: hour(10), given: true}, hour(10).Add(-23 * time.Hour), hour(10), 24},
		{"both open", span{given: true}, hour(12).Add(-23 * time.Hour), hour(12), 24},
		{"years, open", span{from: noon.AddDate(-9, 0, 0), given: true}, hour(12).Add(-23 * time.Hour), hour(12), 24},
	} {
		got, err := hoursOf(c.span, noon)
		if err != nil || len(got) != c.count || !got[0].Equal(c.first) || !got[len(got)-1].Equal(c.last) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	for _, s := range []span{
		{hour(0).AddDate(0, 0, -1), hour(12), true}, {time.Time{}.Add(1), hour(12), true},
	} {
		if _, err := hoursOf(s, noon); nhip.ErrorCode(err) != nhip.CodeTooLarge {
			t.Errorf("%v: %v", s, err)
		}
	}
}

func TestStationHoursOfSpan(t *testing.T) {
	for _, c := range []struct {
		name  string
		span  span
		count int
	}{
		{"last day", span{}, 24},
		{"instant", span{hour(8), hour(8), true}, 1},
		{"interval", span{hour(8), hour(11), true}, 4},
		{"open start", span{to: hour(8), given: true}, 31 * 24},
		{"short, open", span{from: hour(8), given: true}, 5},
		{"years, open", span{from: noon.AddDate(-9, 0, 0), given: true}, 31 * 24},
	} {
		first, last, err := stationHours(c.span, noon)
		if n := int(last.Sub(first)/time.Hour) + 1; err != nil || n != c.count {
			t.Errorf("%s: %d hours, %v", c.name, n, err)
		}
	}
	if _, _, err := stationHours(span{noon.AddDate(-9, 0, 0), noon, true},
		noon); nhip.ErrorCode(err) != nhip.CodeTooLarge {
		t.Errorf("nine years: %v", err)
	}
}

func TestRegions(t *testing.T) {
	square := orb.Ring{{105, 21}, {106, 21}, {106, 22}, {105, 22}, {105, 21}}
	hole := orb.Ring{{105.4, 21.4}, {105.6, 21.4}, {105.6, 21.6}, {105.4, 21.6}, {105.4, 21.4}}
	where := polygons(orb.MultiPolygon{{square, hole}, {square}}) // the second one fills the hole of the first
	if !where.contains(orb.Point{105.5, 21.5}) || where.contains(orb.Point{106.5, 21.5}) {
		t.Error("polygons that overlap")
	}
	if where = polygons(orb.MultiPolygon{{square, hole}}); where.contains(orb.Point{105.5, 21.5}) {
		t.Error("a hole is inside")
	}
	round := circle(orb.Point{105, 21}, 1000)
	if !round.contains(orb.Point{105, 21.008}) || round.contains(orb.Point{105, 21.01}) {
		t.Error("circle")
	}
}

func TestSamplesOfTrajectory(t *testing.T) {
	line := []orb.Point{{105, 21}, {105, 21.01}, {105, 21.01}} // 1.1 km, then an hour's rest
	got := samplesOf(line, []time.Time{hour(8), hour(8).Add(10 * time.Minute), hour(9).Add(10 * time.Minute)})
	if len(got) != 1+5+6 || !got[len(got)-1].time.Equal(hour(9).Add(10*time.Minute)) {
		t.Errorf("%d samples: %v", len(got), got)
	}
	for k := 1; k < len(got); k++ {
		if got[k].time.Before(got[k-1].time) {
			t.Errorf("sample %d goes back", k)
		}
	}
	far := samplesOf([]orb.Point{{-180, 0}, {180, 0}, {-180, 10}}, nil)
	if len(far) > maxSamples+3 {
		t.Errorf("%d samples around the earth", len(far))
	}
	times := evenTimes([]orb.Point{{105, 21}, {105, 21.01}, {105, 21.04}}, span{hour(8), hour(12), true})
	if d := times[1].Sub(hour(9)).Abs(); d > time.Second || !times[2].Equal(hour(12)) {
		t.Errorf("times by length: %v", times)
	}
}
