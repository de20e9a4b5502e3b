package transit

import (
	"encoding/json"
	"time"

	"nhip"
	"nhip/api/scope"
)

// Boards that streams show: what GET /v1/stops/{id}/arrivals?limit=20 answers.
const (
	streamedAhead    = time.Hour
	streamedArrivals = 20
)

// StopSource makes the boards of stops for streams.
type StopSource struct{ Model *Model }

// Check returns an error with nhip.CodeNotFound if there is no such stop.
func (s StopSource) Check(id string) error {
	t, err := s.Model.Timetable()
	if err == nil && t.FindStop(id) == nil {
		err = nhip.Errorf(nhip.CodeNotFound, "", "there is no stop %q", id)
	}
	return err
}

// Content returns the board of a stop, without the buses of agencies that are out of scope. Data are nil if riders who
// see last, which is a *StopBoard, need no other.
func (s StopSource) Content(id string, sees scope.View, last any) (data []byte, state any, found bool) {
	t, err := s.Model.Timetable()
	if err != nil {
		return nil, nil, false
	}
	stop := t.FindStop(id)
	if stop == nil {
		return nil, nil, false
	}
	now := s.Model.o.Clock.Now()
	b := s.Model.StopBoard(t, stop, BoardQuery{Now: now, Until: now.Add(streamedAhead), View: sees}, streamedArrivals)
	if shown, ok := last.(*StopBoard); ok && !b.Differs(shown) {
		return nil, shown, true
	}
	data, err = json.Marshal(b)
	return data, b, err == nil
}
