package air

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"testing"
	"time"

	"nhip"
	"nhip/api/live"
	"nhip/api/livetest"
	geoair "nhip/geo/air"
	"nhip/geo/aqi"
	"nhip/internal/fleet"
	"nhip/internal/suitetest"
	"nhip/internal/topics"

	"github.com/paulmach/orb"
)

var (
	noon   = livetest.Noon
	middle = orb.Point{105.852, 21.028}
)

// hourlyHistory is a history of the test monitors, whose PM2.5 is given by pm25. It counts its queries.
type hourlyHistory struct {
	pm25    func(i int, end time.Time) float64
	since   time.Time // nothing before
	empty   bool
	mu      sync.Mutex // for queries
	queries int
	failsAt int           // number of the query that fails; 0: none
	held    chan struct{} // if not nil, all queries but the first wait until it is closed
}

func (h *hourlyHistory) HourlyRollups(_ context.Context, from, to time.Time, yield func(*nhip.Rollup) error) error {
	h.mu.Lock()
	h.queries++
	n := h.queries
	h.mu.Unlock()
	if n == h.failsAt {
		return errors.New("the database is away")
	}
	if h.held != nil && n > 1 {
		<-h.held
	}
	if h.empty {
		return nil
	}
	for end := from.Truncate(time.Hour).Add(time.Hour); !end.After(to); end = end.Add(time.Hour) {
		if end.Before(h.since) {
			continue
		}
		for i := range livetest.Monitors {
			r := nhip.Rollup{
				Station: livetest.MonitorID(i), Quantity: nhip.PM25, Period: nhip.PeriodHour, Time: end,
				RollupStats: nhip.RollupStats{Mean: h.pm25(i, end), Count: 12, Capture: 100, Flag: nhip.FlagGood},
			}
			if err := yield(&r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *hourlyHistory) StationReadings(context.Context, string, time.Time, time.Time,
	func(*nhip.AssessedReading) error,
) error {
	return nil
}

// newModel returns a model at noon and its state, which is empty.
func newModel(t testing.TB, h History) (*Model, *live.State) {
	t.Helper()
	log, clock := slog.New(slog.DiscardHandler), livetest.NewClock(noon)
	s := live.New(live.Options{Clock: clock, LineOf: func(string) string { return "" }, Logger: log})
	m := New(Options{Clock: clock, State: s, History: h, Interval: time.Nanosecond, Logger: log})
	s.Observe(m)
	t.Cleanup(m.Close)
	return m, s
}

// estimate returns the estimate of PM2.5 at a place.
func estimate(t testing.TB, s *Snapshot, place orb.Point) geoair.AverageEstimate {
	t.Helper()
	here, blank := s.Field(nhip.ScaleVNAQI).At(place)
	if blank != "" {
		t.Fatalf("no estimate at %v: %s", place, blank)
	}
	return here.Averages[0]
}

func TestTrainingYieldsKriging(t *testing.T) {
	wave := func(i int, end time.Time) float64 {
		p := livetest.MonitorPoint(i)
		day := float64(end.Unix()/3600) / 9
		return 50 + 300*math.Sin(day)*(p[0]-105.852) + 300*math.Cos(day*1.7)*(p[1]-21.028) + float64(i%3)
	}
	m, s := newModel(t, &hourlyHistory{pm25: wave})
	livetest.ReceiveMonitors(t, s)
	newTrainer(m).step(t.Context())
	if v := m.learned.Load().newest[nhip.PM25]; v == nil || v.Count < 700 {
		t.Fatalf("learned %+v", v)
	}
	pm := estimate(t, m.Current(), middle)
	if c := pm.Concentration; pm.Method != "kriging" || !(c.Low <= c.Value && c.Value <= c.High && c.Low < c.High) {
		t.Errorf("estimate %+v", pm)
	}
	if _, blank := m.Current().Field(nhip.ScaleWHO).At(middle); blank != "" {
		t.Error("no mean of 24 hours: the hours before the live ones are missing")
	}
}

func TestTrainingUsesHistoryThatIsFilledLater(t *testing.T) {
	h := &hourlyHistory{empty: true, pm25: func(i int, end time.Time) float64 {
		return 30 + float64(i)*math.Sin(float64(end.Unix()/3600)) + float64(end.Hour())
	}}
	m, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	tr := newTrainer(m)
	tr.step(t.Context())
	if m.learned.Load().any() {
		t.Fatal("something is learned from an empty history")
	}
	h.empty = false
	tr.step(t.Context())
	if v := m.learned.Load().newest[nhip.PM25]; v == nil || v.Count < 40 {
		t.Errorf("learned %+v", v)
	}
	before := h.queries
	tr.step(t.Context())
	if h.queries != before {
		t.Error("the history is read although no hour has passed")
	}
}

func TestFieldIgnoresImplausibleTimesAndPlaces(t *testing.T) {
	m, s := newModel(t, nil)
	livetest.ReceiveMonitors(t, s)
	livetest.ReceiveStation(t, s, livetest.Monitor(0, noon.Add(3*time.Hour), 60)) // ahead of the others
	far := livetest.Monitor(1, noon, 500)
	far.ID, far.Lon, far.Lat = "berlin", nhip.Some(13.4), nhip.Some(52.5)
	livetest.ReceiveStation(t, s, far)
	for i := range 5 { // another city
		there := livetest.Monitor(i, noon, 500)
		there.ID, there.Lat = fmt.Sprint("da-nang-", i), nhip.Some(16.05+0.01*float64(i))
		livetest.ReceiveStation(t, s, there)
	}
	if got := estimate(t, m.Current(), middle); got.Sites != 12 || got.Concentration.Value > 75 ||
		!m.Current().End.Equal(noon) {
		t.Errorf("%+v at %s", got, m.Current().End)
	}
	if l := m.Current().Field(nhip.ScaleVNAQI).IndexRasters(""); l.Index == nil {
		t.Error("no layer to draw")
	}
}

func TestSuspectHourIsExcludedLater(t *testing.T) {
	m, s := newModel(t, nil)
	hours := make([]float64, 12)
	for i := range hours {
		hours[i] = 40
	}
	hours[1] = math.NaN() // 11:00 is suspect in the history
	m.stored.Store(&stationHours{end: noon, byStation: map[string]aqi.Hours{livetest.MonitorID(0): {nhip.PM25: hours}}})
	x := livetest.Monitor(0, noon, 40)
	x.Hours.Means[nhip.PM25][1] = nhip.Some(500.0)
	livetest.ReceiveStation(t, s, x)
	if got := estimate(t, m.Current(), orb.Point{105.862, 21.028}); got.Concentration.Value != 40 {
		t.Errorf("%+v", got)
	}
}

func TestMobileReadingFollowsItsFlagAndPosition(t *testing.T) {
	m, s := newModel(t, nil)
	station := fleet.Station{ID: "bus", Position: fleet.Public, Mobile: true, Kind: fleet.LowCost}
	livetest.Receive(t, s, topics.FleetStationTopic("bus"), station)
	report := func(flag nhip.Flag) {
		livetest.ReceiveStation(t, s,
			nhip.Station{
				ID: "bus", Time: noon, Lat: nhip.Some(21.06), Lon: nhip.Some(105.80),
				Values: map[nhip.Quantity]nhip.LiveValue{
					nhip.PM25: {Value: 900, Time: noon, Period: 60, Flag: flag}, nhip.Temperature: {
						Value: 20, Time: noon, Period: 60, Flag: nhip.FlagGood,
					},
				},
			})
	}
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"not evaluated", func() { report(nhip.FlagNotEvaluated) }, 1},
		{"good", func() { report(nhip.FlagGood) }, 1},
		{"failed", func() { report(nhip.FlagFail) }, 0},
		{"good again", func() { report(nhip.FlagGood) }, 1},
		{"private", func() {
			station.Position = fleet.Private
			livetest.Receive(t, s, topics.FleetStationTopic("bus"), station)
		}, 0},
	} {
		if step.do(); len(m.mobile.since(time.Time{})) != step.want {
			t.Errorf("%s: %v", step.name, m.mobile.since(time.Time{}))
		}
	}
}

func TestPastSnapshotIsSettledOnceItIsOld(t *testing.T) {
	h := &hourlyHistory{pm25: func(_ int, end time.Time) float64 { return 10 + float64(end.Hour()) }}
	m, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	old := time.Date(2026, 1, 5, 3, 20, 0, 0, time.UTC)
	at := func(when time.Time) *Snapshot {
		t.Helper()
		got, err := m.At(t.Context(), when)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := at(old); !got.End.Equal(old.Truncate(time.Hour)) {
		t.Errorf("%s, want the hour that had ended at %s", got.End, old)
	}
	for when, want := range map[time.Time][2]bool{
		old:                      {true, true},
		noon.Add(-3 * time.Hour): {true, false},
		noon:                     {false, false},
		{}:                       {false, false},
	} {
		if got := at(when); [2]bool{got.Past, got.Settled} != want {
			t.Errorf("%s: past %t, settled %t, want %v", when, got.Past, got.Settled, want)
		}
	}
}

// wavyHistory returns a history of wavy air. The small form is of two weeks, the
// first days of which are in the older stack only.
func wavyHistory() *hourlyHistory {
	return &hourlyHistory{pm25: wavy, since: suitetest.Pick(noon.Add(-14*day), time.Time{})}
}

// wavy is air that differs from hour to hour and from place to place.
func wavy(i int, end time.Time) float64 {
	p, hour := livetest.MonitorPoint(i), float64(end.Unix()/3600)
	return 60 + 200*math.Sin(hour/9)*(p[0]-105.852) + 200*math.Cos(hour*1.7)*(p[1]-21.028) + 5*math.Sin(hour*float64(i+1))
}

// stepUntil runs a trainer as if each of the hours up to an end had passed.
func stepUntil(t *testing.T, tr *trainer, end time.Time) {
	t.Helper()
	if err := tr.read(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	tr.begun, tr.seen = true, end
}

// equalStacks fails the test if two models have not learned the same for an hour.
func equalStacks(t *testing.T, what string, a, b geoair.Stacks) {
	t.Helper()
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%s: %d and %d quantities", what, len(a), len(b))
	}
	for q, s := range a {
		got, errA := json.Marshal(s)
		want, errB := json.Marshal(b[q])
		if errA != nil || errB != nil || string(got) != string(want) {
			t.Errorf("%s: %s differs: %.200s\n%.200s", what, q, got, want)
		}
	}
}

// Two apis, one of which started a day later, and the past of a third one learn the same.
func TestWhatIsLearnedDependsOnTheHoursAlone(t *testing.T) {
	h := wavyHistory()
	early, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	tr := newTrainer(early)
	for back := 24; back >= 0; back-- {
		stepUntil(t, tr, noon.Add(-time.Duration(back)*time.Hour))
	}
	late, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	stepUntil(t, newTrainer(late), noon)
	equalStacks(t, "a start a day later", late.learned.Load().newest, early.learned.Load().newest)
	untrained, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	for _, back := range []int{0, 7, 30} {
		end := noon.Add(-time.Duration(back) * time.Hour)
		past, err := untrained.stacksAt(t.Context(), end)
		if err != nil {
			t.Fatal(err)
		}
		live, known := early.learned.Load().at(end)
		if !known {
			t.Fatalf("%s is not kept", end)
		}
		equalStacks(t, "the past at "+end.String(), past, live)
	}
}

// A past hour whose weeks before take long says so, and is answered once they are learned.
func TestPastHourSaysThatItsWeeksAreBeingLearned(t *testing.T) {
	h := wavyHistory()
	h.held = make(chan struct{})
	m, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	m.learnWait = time.Millisecond
	old := noon.Add(-5 * day)
	if _, err := m.At(t.Context(), old); nhip.ErrorCode(err) != nhip.CodeUnavailable || !errors.Is(err, errLearning) {
		t.Errorf("error %v", err)
	}
	close(h.held)
	m.learnWait = time.Minute
	if got, err := m.At(t.Context(), old); err != nil || got.stacks[nhip.PM25] == nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// Hours that arrive late, or are reviewed, are learned as if they had been there in time.
func TestLateHoursAreLearnedAnew(t *testing.T) {
	h := wavyHistory()
	m, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	tr := newTrainer(m)
	stepUntil(t, tr, noon.Add(-time.Hour))
	before := m.learned.Load().newest
	changed := noon.Add(-30 * time.Hour)
	h.pm25 = func(i int, end time.Time) float64 {
		if end.Equal(changed) && i == 3 {
			return 400
		}
		return wavy(i, end)
	}
	stepUntil(t, tr, noon)
	fresh, s := newModel(t, h)
	livetest.ReceiveMonitors(t, s)
	stepUntil(t, newTrainer(fresh), noon)
	equalStacks(t, "after a late value", m.learned.Load().newest, fresh.learned.Load().newest)
	if before[nhip.PM25].Squares == m.learned.Load().newest[nhip.PM25].Squares {
		t.Error("nothing has changed")
	}
}
