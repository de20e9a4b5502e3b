package sim

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/geo/gtfs"

	"github.com/google/go-cmp/cmp"
	"github.com/paulmach/orb/geo"
)

// fixedClock is a clock that stands still.
type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }

var hanoi = time.FixedZone("+07", 7*hour)

// at returns a time on a Monday in winter.
func at(h, m int) time.Time { return time.Date(2026, 1, 12, h, m, 0, 0, hanoi) }

func newSim(t testing.TB, o Options, now time.Time) *Simulator {
	t.Helper()
	o.Clock = fixedClock(now)
	s, err := newOn(o, sharedFeed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	feedsMu sync.Mutex
	feeds   = make(map[int]*gtfs.Feed)
)

// sharedFeed returns the simulated timetable for a number of buses, which tests share and must not change: drawing one
// takes longer than most tests.
func sharedFeed(buses int) (*gtfs.Feed, error) {
	feedsMu.Lock()
	defer feedsMu.Unlock()
	if feeds[buses] == nil {
		f, err := drawFeed(buses)
		if err != nil {
			return nil, err
		}
		feeds[buses] = f
	}
	return feeds[buses], nil
}

// stepThrough calls Step at intervals between two times, inclusive, and passes each message to each.
func stepThrough(s *Simulator, from, to time.Time, step time.Duration, each func(nhip.Message)) {
	for now := from; now.Before(to.Add(step)); now = now.Add(step) {
		if now.After(to) {
			now = to
		}
		for _, m := range s.Step(now) {
			each(m)
		}
	}
}

func TestEveryMessageIsValid(t *testing.T) {
	start := at(7, 58)
	s := newSim(t, Options{}, start)
	count := map[bool]int{}
	end := start.Add(20 * time.Minute)
	stepThrough(s, start, end, 10*time.Second, func(m nhip.Message) {
		isBus := isPosition(m)
		count[isBus]++
		if isBus {
			position(t, m, m.Received)
		} else {
			readings(t, m, m.Received)
		}
		if len(m.Payload) > 320 {
			t.Errorf("payload of %d bytes: %s", len(m.Payload), m.Payload)
		}
	})
	for m := s.Backlog(1); m != nil; m = s.Backlog(500) {
		for _, m := range m {
			readings(t, m, end)
		}
	}
	if count[true] < 300*110 || count[false] < 39*4 {
		t.Errorf("%d positions and %d readings in 20 minutes", count[true], count[false])
	}
}

// TestAllBusesRunAtAnyHour checks that at any hour all 300 buses send within one interval, half of them without trip
// ids.
func TestAllBusesRunAtAnyHour(t *testing.T) {
	for h := 0; h < 24; h += 2 {
		start := at(h, 17)
		s := newSim(t, Options{Stations: None}, start)
		seen := map[string]bool{}
		withoutIDs, perSecond := 0, map[int64]int{}
		stepThrough(s, start, start.Add(DefaultInterval-time.Millisecond), 250*time.Millisecond, func(m nhip.Message) {
			p := position(t, m, m.Received)
			seen[p.Vehicle] = true
			perSecond[p.Time.Unix()]++
			if p.Route == "" && p.Trip == "" && p.StartDate == "" && p.Occupancy == "" && !p.Direction.Known() {
				withoutIDs++
			} else if p.Route == "" || p.Occupancy == "" || !p.Direction.Known() || (p.Trip == "") != (p.StartDate == "") {
				t.Fatalf("%s has only some of its ids", m.Payload)
			}
		})
		if len(seen) != 300 || withoutIDs != 150 {
			t.Errorf("at %d o'clock %d buses send, %d of them without ids", h, len(seen), withoutIDs)
		}
		for second, n := range perSecond {
			if n > 31 {
				t.Errorf("%d buses send in second %d, want 30", n, second)
			}
		}
	}
}

// TestMessagesAreReproducible checks that the same seed and start give the same messages, whatever the intervals of
// Step.
func TestMessagesAreReproducible(t *testing.T) {
	run := func(seed uint64, step time.Duration) []string {
		start := at(16, 55)
		var list []string
		stepThrough(newSim(t, Options{Seed: seed, Buses: 40}, start), start, start.Add(15*time.Minute), step,
			func(m nhip.Message) {
				list = append(list, m.Received.Format(time.RFC3339Nano)+" "+m.Topic+" "+string(m.Payload))
			})
		return list
	}
	want := run(1, 10*time.Second)
	if d := cmp.Diff(want, run(1, 300*time.Millisecond)); d != "" {
		t.Errorf("messages differ with shorter steps (-10s +0.3s):\n%s", d)
	}
	if cmp.Equal(want, run(2, 10*time.Second)) {
		t.Error("another seed gives the same messages")
	}
}

// TestBusesFollowShapes checks that buses are near their shapes, head along them, and do not jump.
func TestBusesFollowShapes(t *testing.T) {
	start := at(17, 0)
	s := newSim(t, Options{Buses: 60, Stations: None}, start)
	byID := map[string]*bus{}
	last := map[string]nhip.Position{}
	var sum, worst float64
	n, against := 0, 0
	stepThrough(s, start, start.Add(time.Hour), time.Second, func(m nhip.Message) {
		if len(byID) == 0 {
			for _, b := range s.buses {
				byID[b.id] = b
			}
		}
		p := position(t, m, m.Received)
		b := byID[p.Vehicle]
		point, _ := p.Point.Get()
		path := b.pattern.path
		d, off := path.project(point, max(b.d-100, 0), min(b.d+100, path.length()))
		sum, worst, n = sum+off, max(worst, off), n+1
		_, segment := path.at(d, b.segment)
		if b.speed > 3 && math.Abs(normalizeDifference(p.Bearing.Or(0)-path.bearing[segment])) > 60 {
			against++
		}
		if before, ok := last[p.Vehicle]; ok {
			old, _ := before.Point.Get()
			if v := geo.DistanceHaversine(old, point) / p.Time.Sub(before.Time).Seconds(); v > 22 {
				t.Errorf("%s moved at %.0f m/s between %s and %s", p.Vehicle, v, before.Time, p.Time)
			}
		}
		last[p.Vehicle] = p
	})
	if worst > 60 || sum/float64(n) < 1 || sum/float64(n) > 8 {
		t.Errorf("mean error of fixes is %.1f m, maximum %.0f m", sum/float64(n), worst)
	}
	if against > n/200 {
		t.Errorf("%d of %d fixes have a wrong bearing", against, n)
	}
}

func normalizeDifference(d float64) float64 { return normalizeDegrees(d+180) - 180 }

func TestBusesAreSlowerInRushHours(t *testing.T) {
	mean := func(h int) float64 {
		start, sum, n := at(h, 10), 0.0, 0
		stepThrough(newSim(t, Options{Stations: None, Buses: 100}, start), start, start.Add(15*time.Minute), 10*time.Second,
			func(m nhip.Message) {
				if v := position(t, m, m.Received).Speed.Or(0); v > 0 {
					sum, n = sum+v, n+1
				}
			})
		return sum / float64(n)
	}
	morning, noon, evening, night := mean(7), mean(13), mean(17), mean(1)
	if max(morning, evening) > 0.85*noon || noon > 0.95*night {
		t.Errorf("mean speeds are %.1f m/s at 7, %.1f at 13, %.1f at 17 and %.1f at 1 o'clock", morning, noon, evening, night)
	}
}

// TestTimetableIsDriven checks that the timetable's trips are driven, each by one bus and nearly on time.
func TestTimetableIsDriven(t *testing.T) {
	start := at(12, 0)
	s := newSim(t, Options{Stations: None}, start)
	s.Step(start)
	end := start.Add(90 * time.Minute)
	driver := map[string]*bus{}
	var lateness, worst float64
	n := 0
	for now := start; now.Before(end); now = now.Add(10 * time.Second) {
		s.Step(now)
		for _, b := range s.buses {
			if b.day == 0 {
				continue
			}
			if d := driver[b.trip.ID]; d != nil && d != b {
				t.Fatalf("trip %s is driven by two buses, %s and %s", b.trip.ID, d.id, b.id)
			}
			driver[b.trip.ID] = b
			if b.activity == standing && b.atStop && now.After(start.Add(30*time.Minute)) {
				late := float64(b.now - b.departure(b.next))
				lateness, worst, n = lateness+late, max(worst, math.Abs(late)), n+1
			}
		}
	}
	missed, all := 0, 0
	for _, trip := range s.Feed().Trips {
		if l := int(firstDeparture(trip)); l >= 12*hour && l < 13*hour {
			all++
			if driver[trip.ID] == nil {
				missed++
			}
		}
	}
	if all < 200 || missed > all/20 {
		t.Errorf("%d of %d trips were not driven", missed, all)
	}
	if mean := lateness / float64(n); math.Abs(mean) > 90 || worst > 15*60 {
		t.Errorf("mean delay at stops is %.0f s, maximum deviation %.0f s", mean, worst)
	}
}

// TestOutagesAreShort checks that connections fail sometimes, but not long enough for a bus to be considered gone.
func TestOutagesAreShort(t *testing.T) {
	start := at(10, 0)
	last := map[string]time.Time{}
	outages, longest := 0, time.Duration(0)
	stepThrough(newSim(t, Options{Stations: None}, start), start, start.Add(40*time.Minute), 10*time.Second,
		func(m nhip.Message) {
			if before, ok := last[m.Topic]; ok {
				gap := m.Received.Sub(before)
				if gap > DefaultInterval {
					outages++
				}
				longest = max(longest, gap)
			}
			last[m.Topic] = m.Received
		})
	if outages < 100 || outages > 600 || longest > 89*time.Second {
		t.Errorf("%d outages in 40 minutes, the longest of %s", outages, longest)
	}
}

// TestStepSkipsOldMessagesAfterClockJump checks that after a jump of the clock only recent messages are sent.
func TestStepSkipsOldMessagesAfterClockJump(t *testing.T) {
	start := at(9, 0)
	s := newSim(t, Options{}, start)
	s.Step(start)
	now := start.Add(5 * time.Hour)
	fixes, reports := map[string]int{}, 0
	for _, m := range s.Step(now) {
		if isPosition(m) {
			fixes[m.Topic]++
			if now.Sub(m.Received) > maxFixLag*DefaultInterval {
				t.Fatalf("fix of %s at %s", m.Received, now)
			}
			continue
		}
		reports++
		if now.Sub(m.Received) > maxReportLag {
			t.Fatalf("report of %s at %s", m.Received, now)
		}
	}
	if len(fixes) < 290 || reports < 11*39 {
		t.Errorf("%d buses and %d reports after the jump", len(fixes), reports)
	}
	if next := s.Next(); !next.After(now) || next.After(now.Add(time.Second)) {
		t.Errorf("next device is due at %s, the clock is at %s", next, now)
	}
}

func TestPlatesAreDistinct(t *testing.T) {
	seen := make(map[string]bool, MaxBuses)
	for i := range MaxBuses {
		id := plate(i)
		if seen[id] || len(id) != 8 || !strings.HasPrefix(id, "29B") {
			t.Fatalf("plate %d is %s", i, id)
		}
		seen[id] = true
	}
}

func TestNewRejectsInvalidOptions(t *testing.T) {
	for field, o := range map[string]Options{
		"buses":    {Buses: MaxBuses + 1},
		"stations": {Stations: -2},
		"interval": {Interval: time.Millisecond},
		"history":  {History: 2400 * time.Hour},
	} {
		_, err := New(o)
		if nhip.ErrorCode(err) != nhip.CodeInvalid || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: got %v", field, err)
		}
	}
	now := at(8, 0)
	if got := newSim(t, Options{Buses: None, Stations: None}, now).Step(now); got != nil {
		t.Errorf("without devices: got %v", got)
	}
}

// BenchmarkFix measures the cost of a fix with 10,000 buses; it should be at most 5 µs.
func BenchmarkFix(b *testing.B) {
	now := at(8, 0)
	s := newSim(b, Options{Buses: 10_000, Stations: None}, now)
	s.Step(now)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		now = now.Add(100 * time.Millisecond)
		n += len(s.Step(now))
	}
}
