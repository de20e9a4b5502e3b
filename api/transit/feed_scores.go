package transit

import (
	"maps"
	"math"
	"sync"
	"time"

	"nhip"
	"nhip/geo/backtest"
)

// How the better predictions are chosen: by the days before this one, so that the choice changes at most once a day;
// not before so many questions were answered; and only for one that was right so much more often, and then for so long.
const (
	scoredDays  = 21
	minOutcomes = 1000
	minLead     = 2.0 // percent points of the benchmark
	minTerm     = 7   // days
	maxScored   = 200 // feeds; a collector has no more
)

// feedScores scores the expected times of realtime feeds against ours on the same questions. It outlives timetables.
type feedScores struct {
	mu      sync.RWMutex
	feeds   map[string]*feedScore // by name
	decided string                // the day of the last decisions
	changed bool                  // since the last save
}

// feedScore is the score of one feed.
type feedScore struct {
	Days  map[string]*dayScore `json:"days"`            // by UTC date
	Told  nhip.Predictions     `json:"told"`            // by the last decision: ours or theirs
	Since string               `json:"since,omitempty"` // UTC date of the last change
}

// dayScore counts the answered questions of a day, and how many each was right about, by bin.
type dayScore struct {
	All    [backtest.RivalBins]int `json:"all"`
	Ours   [backtest.RivalBins]int `json:"ours"`
	Theirs [backtest.RivalBins]int `json:"theirs"`
}

func newFeedScores() *feedScores { return &feedScores{feeds: make(map[string]*feedScore)} }

// told returns whose times of a feed are told where both have one: ours or theirs.
func (s *feedScores) told(f *nhip.ServiceFeed) nhip.Predictions {
	switch f.Predictions {
	case nhip.PredictionsTheirs:
		return nhip.PredictionsTheirs
	case nhip.PredictionsBetter:
		s.mu.RLock()
		defer s.mu.RUnlock()
		if x := s.feeds[f.Feed]; x != nil && x.Told == nhip.PredictionsTheirs {
			return nhip.PredictionsTheirs
		}
	}
	return nhip.PredictionsOurs
}

// add counts an answered question.
func (s *feedScores) add(feed string, at time.Time, o backtest.RivalOutcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.feeds[feed]
	if x == nil {
		if len(s.feeds) >= maxScored {
			return
		}
		x = &feedScore{Days: make(map[string]*dayScore), Told: nhip.PredictionsOurs}
		s.feeds[feed] = x
	}
	day := at.UTC().Format(time.DateOnly)
	if x.Days[day] == nil {
		x.Days[day] = new(dayScore)
	}
	x.Days[day].add(o)
	s.changed = true
}

func (d *dayScore) add(o backtest.RivalOutcome) {
	d.All[o.Bin]++
	if o.Ours {
		d.Ours[o.Bin]++
	}
	if o.Theirs {
		d.Theirs[o.Bin]++
	}
}

// decide decides for each feed who told better in the days before this one, once a day, and forgets older days.
func (s *feedScores) decide(now time.Time) {
	today := now.UTC().Format(time.DateOnly)
	s.mu.RLock()
	done := s.decided == today
	s.mu.RUnlock()
	if done {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decided, s.changed = today, true
	first := now.UTC().AddDate(0, 0, -scoredDays).Format(time.DateOnly)
	for name, x := range s.feeds {
		maps.DeleteFunc(x.Days, func(day string, _ *dayScore) bool { return day < first || day > today })
		x.decide(today)
		if len(x.Days) == 0 {
			delete(s.feeds, name)
		}
	}
}

// decide changes whose times are told if the other's were clearly better and the last change is some days ago.
func (x *feedScore) decide(today string) {
	sum := x.sum(func(day string) bool { return day < today })
	if sum.outcomes() < minOutcomes {
		return
	}
	if since, err := time.Parse(time.DateOnly, x.Since); err == nil && today < since.AddDate(0, 0, minTerm).Format(
		time.DateOnly) {
		return
	}
	lead := sum.report(&sum.Theirs).Board - sum.report(&sum.Ours).Board
	better := x.Told
	switch {
	case lead >= minLead:
		better = nhip.PredictionsTheirs
	case lead <= -minLead:
		better = nhip.PredictionsOurs
	}
	if better != x.Told {
		x.Told, x.Since = better, today
	}
}

// sum returns the counts of some days together.
func (x *feedScore) sum(of func(day string) bool) (sum dayScore) {
	for day, d := range x.Days {
		if !of(day) {
			continue
		}
		for i := range d.All {
			sum.All[i] += d.All[i]
			sum.Ours[i] += d.Ours[i]
			sum.Theirs[i] += d.Theirs[i]
		}
	}
	return sum
}

func (d *dayScore) outcomes() (n int) {
	for _, all := range d.All {
		n += all
	}
	return n
}

// RivalScore is how right the expected times of a feed were, or ours of the same arrivals, by the ETA Accuracy
// Benchmark.
type RivalScore struct {
	Board     float64                     `json:"board"` // mean of the bins with outcomes, %
	BoardBins [backtest.RivalBins]float64 `json:"board_bins"`
}

func (d *dayScore) report(right *[backtest.RivalBins]int) (r RivalScore) {
	bins := 0
	for i, all := range d.All {
		if all > 0 {
			share := 100 * float64(right[i]) / float64(all)
			r.Board, bins = r.Board+share, bins+1
			r.BoardBins[i] = math.Round(100*share) / 100
		}
	}
	r.Board = math.Round(100*r.Board/float64(max(bins, 1))) / 100
	return r
}
