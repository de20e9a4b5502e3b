package live

import (
	"log/slog"
	"time"

	"nhip/geo/track"
)

// shifts are the agencies whose positions are full hours off the timetable.
type shifts struct {
	of      map[string]time.Duration // by agency
	untold  map[string]time.Duration // changes that the log does not have yet
	metrics *Metrics
}

func newShifts(m *Metrics) *shifts {
	return &shifts{of: make(map[string]time.Duration), untold: make(map[string]time.Duration), metrics: m}
}

// note notes a change. The log gets it later, because the caller holds the State's lock.
func (s *shifts) note(x track.Shift) {
	if s.untold[x.Agency] = x.By; x.By != 0 {
		s.of[x.Agency] = x.By
	} else {
		delete(s.of, x.Agency)
	}
	s.metrics.shifted(x.Agency, x.By)
}

// clear forgets all shifts, for a tracker that begins anew.
func (s *shifts) clear() {
	for agency := range s.of {
		s.note(track.Shift{Agency: agency})
	}
}

// take returns the changes that the log does not have yet.
func (s *shifts) take() map[string]time.Duration {
	if s == nil || len(s.untold) == 0 {
		return nil
	}
	all := s.untold
	s.untold = make(map[string]time.Duration)
	return all
}

// logShifts logs changes.
func logShifts(log *slog.Logger, all map[string]time.Duration) {
	for agency, by := range all {
		if by == 0 {
			log.Info("positions of an agency on the timetable's time again", "agency", agency)
			continue
		}
		log.Warn("positions of an agency hours off the timetable: wrong clock or time zone", "agency", agency, "late", by)
	}
}
