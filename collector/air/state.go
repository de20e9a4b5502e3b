package air

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"nhip"
	"nhip/internal/durable"
	"nhip/internal/fleet"

	"github.com/paulmach/orb"
)

// stateFile holds the work that remains, by station.
const stateFile = "air.json"

// storedState is the content of stateFile.
type storedState struct {
	Stations []storedStation  `json:"stations"`
	Reviews  int              `json:"reviews,omitempty"` // in reviewsFile
	Compare  storedComparison `json:"compare,omitzero"`
}

// storedStation is a station in stateFile.
type storedStation struct {
	ID    string        `json:"id"`
	Fleet fleet.Station `json:"fleet,omitzero"`

	Calibrations calibrations `json:"calibrations,omitempty"` // over the web

	At     nhip.Opt[orb.Point] `json:"at,omitzero"`
	First  int64               `json:"first"`
	Last   int64               `json:"last"`
	Moved  int64               `json:"moved,omitempty"`
	Dirty  spans               `json:"dirty,omitempty"`
	Days   spans               `json:"days,omitempty"`
	Months spans               `json:"months,omitempty"`
}

// Save makes the work that remains for all observed readings durable.
func (p *Processor) Save() error {
	var state storedState
	p.mu.Lock()
	for _, s := range p.stations {
		// Rows in the buffer may be lost. Readings after assessFrom are in dirty hours.
		state.Stations = append(state.Stations, storedStation{
			ID: s.id, Fleet: s.fleet, Calibrations: s.web, At: s.reportedPosition, First: s.first, Last: s.last, Moved: s.moved,
			Dirty: s.open(), Days: s.days.addAll(s.summing.days), Months: s.months.addAll(s.summing.months),
		})
	}
	state.Reviews = len(p.reviews)
	state.Compare = p.comparison.stored()
	p.mu.Unlock()
	err := durable.Write(p.path(stateFile), func(w io.Writer) error { return json.NewEncoder(w).Encode(state) })
	if err == nil {
		err = p.saveAlerts()
	}
	if err != nil {
		return fmt.Errorf("can't save the state of the air processor: %w", err)
	}
	return nil
}

// rebuildHours is how many hours of each live station are processed again if stateFile is damaged: a week.
const rebuildHours = 7 * 24

// restore reads stateFile. A damaged one is set aside.
func (p *Processor) restore() error {
	p.o.Damage.Folder(p.o.Dir)
	if err := os.MkdirAll(p.o.Dir, 0o700); err != nil {
		return fmt.Errorf("can't create the folder of the air processor: %w", err)
	}
	raw, err := os.ReadFile(p.path(stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var state storedState
	if err == nil {
		err = json.Unmarshal(raw, &state)
	}
	if err != nil {
		p.o.Damage.SetAside(p.path(stateFile), fmt.Errorf("corrupt state of the air processor; "+
			"the last %d hours of each live station are processed again, nhip recompute does more: %w", rebuildHours, err))
		p.rebuild()
		return nil
	}
	p.savedReviews = state.Reviews
	for _, x := range state.Stations {
		s := p.station(x.ID)
		s.fleet, s.web = x.Fleet, x.Calibrations
		s.configure(p.o.Zone)
		s.reportedPosition, s.first, s.last, s.moved = x.At, x.First, x.Last, x.Moved
		s.dirty, s.days, s.months = x.Dirty, x.Days, x.Months
	}
	p.comparison.restore(state.Compare)
	return nil
}

// rebuild marks the last hours of the live stations to be processed again.
func (p *Processor) rebuild() {
	p.reviewsLost = true // their number is unknown
	if p.o.Stations == nil {
		return
	}
	for _, st := range p.o.Stations() {
		s := p.station(st.ID)
		s.last = hourOf(st.Time.UnixMilli())
		s.first = s.last - rebuildHours
		p.markForReassessment(s, startOf(s.first), endOf(s.last))
	}
}
