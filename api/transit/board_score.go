package transit

import (
	"sync"

	"nhip/geo/backtest"
	"nhip/geo/predict"
)

// boardScore scores the boards of a timetable in use: what they tell, once a minute, against the arrivals.
type boardScore struct {
	mu     sync.Mutex
	score  *backtest.LiveBoard
	rivals *backtest.Rivals // ours and those of realtime feeds
	asked  int64            // Unix s of the last question
}

func newBoardScore(feeds *feedScores) *boardScore {
	return &boardScore{score: backtest.NewLiveBoard(), rivals: backtest.NewRivals(feeds.add)}
}

// arrived compares an arrival with what was told of it.
func (s *boardScore) arrived(a *predict.Arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.score.Arrived(a)
	s.rivals.Arrived(a)
}

// reports returns the score of all lines and of each, by route.
func (s *boardScore) reports() (all backtest.BoardReport, routes map[string]backtest.BoardReport) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.score.Total(), s.score.Routes()
}
