package air

import (
	"bufio"
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

// stateFile is what is still to be made, by station; reviewsFile is every review, one a line.
const (
	stateFile   = "air.json"
	reviewsFile = "reviews.jsonl"
)

// kept is a station on disk.
type kept struct {
	ID     string              `json:"id"`
	Fleet  fleet.Station       `json:"fleet,omitzero"`
	At     nhip.Opt[orb.Point] `json:"at,omitzero"`
	First  int64               `json:"first"`
	Last   int64               `json:"last"`
	Dirty  spans               `json:"dirty,omitempty"`
	Days   spans               `json:"days,omitempty"`
	Months spans               `json:"months,omitempty"`
}

// keptState is the file.
type keptState struct {
	Stations []kept                  `json:"stations"`
	Around   map[nhip.Quantity]spans `json:"around,omitempty"`
}

// Save keeps on disk what is still to be made of all that was heard.
func (k *Keeper) Save() error {
	var state keptState
	k.mu.Lock()
	for _, s := range k.stations {
		// What is on its way may not arrive, and what is to be judged in memory only is so on disk as hours.
		state.Stations = append(state.Stations, kept{
			ID: s.id, Fleet: s.of, At: s.at, First: s.first, Last: s.last, Dirty: s.dirty.addAll(s.sending), Days: s.days, Months: s.months,
		})
	}
	state.Around = make(map[nhip.Quantity]spans)
	for n := range k.around {
		state.Around[n.quantity] = state.Around[n.quantity].add(n.hour, n.hour+1)
	}
	k.mu.Unlock()
	err := durable.Write(k.path(stateFile), func(w io.Writer) error { return json.NewEncoder(w).Encode(state) })
	if err == nil {
		err = k.saveAlarms()
	}
	if err != nil {
		return fmt.Errorf("can't save what is to be made of readings: %w", err)
	}
	return nil
}

func (k *Keeper) restore() error {
	if err := os.MkdirAll(k.o.Dir, 0o700); err != nil {
		return fmt.Errorf("can't make the folder of the air: %w", err)
	}
	raw, err := os.ReadFile(k.path(stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var state keptState
	if err == nil {
		err = json.Unmarshal(raw, &state)
	}
	if err != nil {
		return fmt.Errorf("can't read what is to be made of readings from %s: %w", k.path(stateFile), err)
	}
	for _, x := range state.Stations {
		s := k.station(x.ID)
		s.describe(x.Fleet, k.o.Zone)
		s.at, s.first, s.last, s.dirty, s.days, s.months = x.At, x.First, x.Last, x.Dirty, x.Days, x.Months
	}
	for q, hours := range state.Around {
		for _, x := range hours {
			for h := x.From; h < x.To; h++ {
				k.around[nearHour{q, h}] = true
			}
		}
	}
	return nil
}

// Review takes in what somebody decided. It is on disk when Review returns, and one that is known changes
// nothing.
func (k *Keeper) Review(r nhip.Review) error {
	k.mu.Lock()
	known := k.reviews[r.ID]
	k.mu.Unlock()
	if known {
		return nil
	}
	if err := appendLine(k.path(reviewsFile), r); err != nil {
		return err
	}
	k.mu.Lock()
	k.takeReview(r)
	s := k.station(r.Station)
	if s.first != 0 && r.Action != nhip.Annotate {
		k.redo(s, r.From.UnixMilli(), min(r.To.UnixMilli(), endOf(s.last)))
	}
	k.mu.Unlock()
	k.signal()
	return nil
}

// takeReview puts a review in its place: by when it was decided.
func (k *Keeper) takeReview(r nhip.Review) {
	k.reviews[r.ID] = true
	s := k.station(r.Station)
	i := len(s.reviews)
	for i > 0 && s.reviews[i-1].Time.After(r.Time) {
		i--
	}
	s.reviews = append(s.reviews[:i:i], append([]nhip.Review{r}, s.reviews[i:]...)...)
}

func appendLine(path string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("can't keep a review: %w", err)
	}
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("can't keep a review: %w", err)
	}
	return nil
}

// restoreReviews reads all that was decided. A last line that was not written to its end never was: it comes
// again, as its message was not judged.
func (k *Keeper) restoreReviews() error {
	f, err := os.Open(k.path(reviewsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't read the reviews: %w", err)
	}
	defer f.Close()
	whole := int64(0)
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if len(line) > 0 {
				return os.Truncate(k.path(reviewsFile), whole)
			}
			return nil
		}
		var r nhip.Review
		if err == nil {
			err = json.Unmarshal(line, &r)
		}
		if err != nil {
			return fmt.Errorf("can't read the reviews in %s: %w", k.path(reviewsFile), err)
		}
		whole += int64(len(line))
		if !k.reviews[r.ID] {
			k.takeReview(r)
		}
	}
}

// Recompute marks what stations said from one time on, exclusive, to another as to be judged and summed up again;
// "" is all stations. It returns how many hours that is.
func (k *Keeper) Recompute(q nhip.RecomputeQuery) (nhip.Recomputing, error) {
	if err := q.Validate(); err != nil {
		return nhip.Recomputing{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	known := false
	for id, s := range k.stations {
		if (q.Station == "" || q.Station == id) && s.last != 0 {
			known = true
			s.first = min(s.first, hourOf(q.From.UnixMilli()+1)) // the database may know of more
			k.redo(s, q.From.UnixMilli(), min(q.To.UnixMilli(), endOf(s.last)))
		}
	}
	if !known {
		return nhip.Recomputing{}, nhip.Errorf(nhip.NotFound, "station", "%q has said nothing", q.Station)
	}
	k.signal()
	return k.left(q.Station), nil
}

// Left tells how much is still to be made of a station, "" of all.
func (k *Keeper) Left(q nhip.LeftQuery) (nhip.Recomputing, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.left(q.Station), nil
}

// left counts the hours that have ended and are to be made, and those whose day is.
func (k *Keeper) left(station string) nhip.Recomputing {
	var out nhip.Recomputing
	now := k.o.Clock.Now()
	ended := now.UnixMilli()/hourMS + 1
	for id, s := range k.stations {
		if station != "" && station != id {
			continue
		}
		out.Hours += s.dirty.addAll(s.sending).within(0, ended).hours()
		if s.firstSummable(now) != 0 {
			out.Days += max((s.days.within(0, ended).hours()+23)/24, 1) // a month is one, too
		}
	}
	if station == "" || k.stations[station] != nil {
		out.Hours += int64(len(k.around))
	}
	return out
}
