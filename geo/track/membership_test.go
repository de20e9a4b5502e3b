package track

import (
	"math"
	"testing"
	"time"

	"nhip/geo/network"
)

var nine = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func TestMembershipPrefersTheServedRoute(t *testing.T) {
	var m memberships
	if s := m.score("A"); s != 0 {
		t.Errorf("a vehicle of which nothing is known: %.2f", s)
	}
	m.decay(nine)
	m.add("A", m.decay(nine.Add(3*time.Minute)))
	if a, b := m.score("A"), m.score("B"); a <= 0 || b >= 0 || b < -1 {
		t.Errorf("after three minutes: %.2f and %.2f of another route", a, b)
	}
	for i := range 600 {
		m.add("A", m.decay(nine.Add(time.Duration(i+4)*time.Minute)))
	}
	if a, b := m.score("A"), m.score("B"); a < 4 || b > -2.5 {
		t.Errorf("after ten hours: %.2f and %.2f of another route", a, b)
	}
	for i := range 120 { // it changes its line
		m.add("B", m.decay(nine.Add(time.Duration(604+i)*time.Minute)))
	}
	if b, c := m.score("B"), m.score("C"); b < 2 || c > -2.5 {
		t.Errorf("two hours after a change: %.2f, and %.2f of a third route", b, c)
	}
}

func TestMembershipsAreBounded(t *testing.T) {
	var m memberships
	m.decay(nine)
	for i := range 10_000 {
		m.add(string(rune('A'+i%50)), m.decay(nine.Add(time.Duration(i)*time.Hour)))
		sum := 0.0
		for k, r := range m.of {
			if sum += r.Minutes; k > 0 && r.Minutes > m.of[k-1].Minutes {
				t.Fatalf("%v are not in order", m.of)
			}
		}
		if len(m.of) > maxMemberships || math.Abs(sum-m.sum) > 1e-6 || sum > 60 {
			t.Fatalf("%d routes with %.2f min, sum %.2f", len(m.of), sum, m.sum)
		}
	}
	if gap := m.decay(nine.Add(-time.Hour)); gap != 0 {
		t.Errorf("a clock that goes back adds %.1f min", gap)
	}
}

func TestServedSurvivesARestart(t *testing.T) {
	trk := &Tracker{vehicles: map[string]*vehicle{"b": {time: nine}}}
	trk.RestoreServed("unknown", []RouteService{{"A", 5}})
	trk.RestoreServed("b", []RouteService{
		{"A", 90}, {"B", math.NaN()}, {"C", -4}, {"D", 1e9}, {"E", math.Inf(1)}, {"F", 10}, {"G", 0},
	})
	got := trk.Served("b")
	if len(got) != 2 || got[0] != (RouteService{"A", 90}) || got[1] != (RouteService{"F", 10}) {
		t.Errorf("served %v", got)
	}
	if gap := trk.vehicles["b"].serves.decay(nine.Add(time.Hour)); gap != maxServiceGap.Minutes() {
		t.Errorf("an hour without positions counts %.1f min", gap)
	}
}

// TestLineIsChangedAtAnEnd checks from where a bus may change to another pattern.
func TestLineIsChangedAtAnEnd(t *testing.T) {
	a := &network.Pattern{ID: "a", Along: []float64{0, 5000, 10_000}}
	b := &network.Pattern{ID: "b", Along: []float64{0, 5000, 10_000}}
	a.Stops, b.Stops = a.Stops[:0:0], b.Stops[:0:0]
	for range 3 {
		a.Stops, b.Stops = append(a.Stops, nil), append(b.Stops, nil)
	}
	to := func(p *network.Pattern, along float64) *network.Candidate {
		return &network.Candidate{Pattern: p, Match: network.Match{Along: along}}
	}
	for _, c := range []struct {
		name   string
		on     []hypothesis
		none   float64
		change *network.Candidate
		want   float64
	}{
		{"midway", []hypothesis{{pattern: a, along: 5000}}, -9, to(b, 100), switchMidway},
		{"at the end, to another pattern", []hypothesis{{pattern: a, along: 9700}}, -9, to(b, 4000), switchTerminal},
		{"at the end, to its own start", []hypothesis{{pattern: a, along: 9700}}, -9, to(a, 100), switchTerminal},
		{"at the end, back on the line", []hypothesis{{pattern: a, along: 9700}}, -9, to(a, 4000), switchMidway},
		{
			"an unlikely end",
			[]hypothesis{{pattern: a, along: 9700, score: -3}, {pattern: b, along: 5000}},
			-9, to(b, 4000),
			-3 + switchTerminal,
		},
		{
			"two ends",
			[]hypothesis{{pattern: a, along: 9700}, {pattern: b, along: 9900, score: -1}},
			-9, to(a, 4000),
			-1 + switchTerminal,
		},
		{
			"two ends, the better one later",
			[]hypothesis{{pattern: b, along: 9900, score: -1}, {pattern: a, along: 9700}},
			-9,
			to(a, 4000), -1 + switchTerminal,
		},
		{"away from all lines", []hypothesis{{pattern: a, along: 5000, score: -7}}, 0, to(b, 4000), switchTerminal},
	} {
		v := &vehicle{hypotheses: c.on, noPattern: c.none}
		tops := topsOf(v.hypotheses, v.noPattern)
		if got := tops.change(c.change); got != c.want {
			t.Errorf("%s: %.1f, want %.1f", c.name, got, c.want)
		}
	}
}
