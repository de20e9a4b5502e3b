package air

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"

	"nhip"
	"nhip/internal/durable"
)

// reviewsFile holds every review, one a line.
const reviewsFile = "reviews.jsonl"

// Review applies a review of readings, which is durable when Review returns. A review that is already known changes
// nothing.
func (p *Processor) Review(r nhip.Review) error {
	p.mu.Lock()
	known := p.reviews[r.ID]
	p.mu.Unlock()
	if known != nil {
		return nil
	}
	if err := appendLine(p.path(reviewsFile), r); err != nil {
		return err
	}
	p.mu.Lock()
	p.addReview(r)
	s := p.station(r.Station)
	if r.Action == nhip.ActionBaseline || r.Action == nhip.ActionUndo && s.hasBaseline(r.Of) {
		p.comparison.markFrom(hourOf(r.To.UnixMilli()))
	}
	if s.first != 0 && r.ChangesFlags() {
		p.markForReassessment(s, r.From.UnixMilli(), min(r.To.UnixMilli(), endOf(s.last)))
	}
	p.mu.Unlock()
	p.signal()
	return nil
}

// FindReview returns the review with an id.
func (p *Processor) FindReview(id string) (nhip.Review, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.reviews[id]
	if s == nil {
		return nhip.Review{}, false
	}
	i := slices.IndexFunc(s.reviews, func(r nhip.Review) bool { return r.ID == id })
	return s.reviews[i], true
}

// StationReviews returns the reviews of a station in the order of their decisions.
func (p *Processor) StationReviews(id string) []nhip.Review {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.stations[id]; s != nil {
		return slices.Clone(s.reviews)
	}
	return nil
}

// addReview adds a review to its station in the order of decisions.
func (p *Processor) addReview(r nhip.Review) {
	s := p.station(r.Station)
	p.reviews[r.ID] = s
	i := len(s.reviews)
	for i > 0 && s.reviews[i-1].Time.After(r.Time) {
		i--
	}
	s.reviews = append(s.reviews[:i:i], append([]nhip.Review{r}, s.reviews[i:]...)...)
}

// hasBaseline reports whether a review of the station is a baseline.
func (s *station) hasBaseline(id string) bool {
	return slices.ContainsFunc(s.reviews, func(r nhip.Review) bool {
		return r.ID == id && r.Action == nhip.ActionBaseline
	})
}

func appendLine(path string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("can't save a review: %w", err)
	}
	_, err = f.Write(append(raw, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("can't save a review: %w", err)
	}
	return nil
}

// restoreReviews reads all reviews. An incomplete last line is removed: its message was not acknowledged, so it is
// processed again. Of a file with damaged lines a copy is kept; the others stay in use, and recoverReviews reads what
// is missing from the database.
func (p *Processor) restoreReviews() error {
	path := p.path(reviewsFile)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = nil, nil
	}
	if err != nil {
		p.o.Damage.SetAside(path, fmt.Errorf("can't read the reviews: %w", err))
		p.reviewsLost = true
		return nil
	}
	valid, fault := p.readReviews(raw)
	if known := len(p.reviews); fault == nil && known < p.savedReviews {
		fault = fmt.Errorf("%d reviews, %d expected", known, p.savedReviews)
	}
	if fault != nil {
		p.reviewsLost = true
		p.o.Damage.Copy(path, fmt.Errorf("damaged reviews; those that are missing are read from the database: %w", fault))
	}
	if len(valid) == len(raw) {
		return nil
	}
	if err := durable.WriteFile(path, valid); err != nil {
		return fmt.Errorf("can't mend the file of reviews: %w", err)
	}
	return nil
}

// readReviews adds the reviews of a file. It returns the lines that are complete and valid, and the first fault of the
// others.
func (p *Processor) readReviews(raw []byte) (valid []byte, fault error) {
	for number := 1; ; number++ {
		line, rest, complete := bytes.Cut(raw, []byte("\n"))
		if !complete {
			return valid, fault
		}
		raw = rest
		var r nhip.Review
		err := json.Unmarshal(line, &r)
		if err == nil && (r.ID == "" || r.Station == "") {
			err = errors.New("no review")
		}
		if err != nil {
			if fault == nil {
				fault = fmt.Errorf("line %d: %w", number, err)
			}
			continue
		}
		valid = append(append(valid, line...), '\n')
		if p.reviews[r.ID] == nil {
			p.addReview(r)
		}
	}
}

// reviewHistory is a History that has the reviews, too.
type reviewHistory interface {
	Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error)
}

// recoverReviews adds the reviews of the database that a damaged file has lost.
func (p *Processor) recoverReviews(ctx context.Context) error {
	history, ok := p.o.History.(reviewHistory)
	if !p.reviewsLost || !ok {
		return nil
	}
	p.mu.Lock()
	ids := slices.Sorted(maps.Keys(p.stations))
	before := len(p.reviews)
	p.mu.Unlock()
	for _, id := range ids {
		all, err := history.Reviews(ctx, id, p.o.Clock.Now().Add(nhip.FutureTolerance))
		if err != nil {
			return fmt.Errorf("can't read the reviews of station %s: %w", id, err)
		}
		for _, r := range all {
			if err := p.Review(r); err != nil {
				return err
			}
		}
	}
	p.mu.Lock()
	recovered := len(p.reviews) - before
	p.mu.Unlock()
	p.reviewsLost = false
	p.log.Info("reviews recovered from the database", "reviews", recovered, "stations", len(ids))
	return nil
}
