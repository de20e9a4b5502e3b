package transit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"nhip"
	"nhip/internal/durable"
	"nhip/internal/wait"
)

// The file of the scores of realtime feeds.
const (
	scoresVersion  = 1
	scoresMaxBytes = 8 << 20 // 200 feeds with 22 days take 1 MB
	saveEvery      = 10 * time.Minute
)

type scoresFile struct {
	Version int                   `json:"version"`
	Decided string                `json:"decided"` // UTC date
	Feeds   map[string]*feedScore `json:"feeds"`
}

// keep saves the scores to a file now and then, and once more when ctx ends. It returns ctx's error.
func (s *feedScores) keep(ctx context.Context, file string, log *slog.Logger) error {
	for {
		err := wait.Sleep(ctx, saveEvery)
		s.save(file, log)
		if err != nil {
			return err
		}
	}
}

// save writes the scores to a file, which may be "", if they have changed.
func (s *feedScores) save(file string, log *slog.Logger) {
	if file == "" {
		return
	}
	data, changed, err := s.encode()
	if err == nil && changed {
		err = durable.WriteFile(file, data)
	}
	if err != nil {
		s.mu.Lock()
		s.changed = true
		s.mu.Unlock()
		log.Warn("scores of realtime feeds not saved", "error", err)
	}
}

// encode returns the scores as a file, and whether they have changed since the last call.
func (s *feedScores) encode() (data []byte, changed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed, s.changed = s.changed, false
	if changed {
		data, err = json.Marshal(scoresFile{scoresVersion, s.decided, s.feeds})
	}
	return data, changed, err
}

// load reads the scores from a file, which may be "". One that can't be read is logged and not used.
func (s *feedScores) load(file string, log *slog.Logger) {
	if file == "" {
		return
	}
	f, err := readScores(file)
	switch {
	case err == nil:
		s.feeds, s.decided = f.Feeds, f.Decided
	case !errors.Is(err, fs.ErrNotExist):
		log.Warn("scores of realtime feeds not restored, they begin anew", "error", err)
	}
}

func readScores(path string) (*scoresFile, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(r, scoresMaxBytes))
	if err != nil {
		return nil, err
	}
	var f scoresFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if f.Version != scoresVersion {
		return nil, fmt.Errorf("version %d, want %d", f.Version, scoresVersion)
	}
	if f.Feeds == nil || len(f.Feeds) > maxScored {
		return nil, fmt.Errorf("%d feeds, want at most %d", len(f.Feeds), maxScored)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Feeds)) {
		if err := f.Feeds[name].validate(); err != nil {
			return nil, fmt.Errorf("feed %q: %w", name, err)
		}
	}
	return &f, nil
}

// validate returns an error for what add and decide can't have made.
func (x *feedScore) validate() error {
	if x == nil || x.Days == nil || x.Told != nhip.PredictionsOurs && x.Told != nhip.PredictionsTheirs {
		return errors.New("no score")
	}
	for day, d := range x.Days {
		if _, err := time.Parse(time.DateOnly, day); err != nil || d == nil {
			return fmt.Errorf("day %q", day)
		}
		for i, all := range d.All {
			if ours, theirs := d.Ours[i], d.Theirs[i]; min(ours, theirs) < 0 || max(ours, theirs) > all {
				return fmt.Errorf("day %s: more right than there are", day)
			}
		}
	}
	return nil
}
