package deadletter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"nhip"
	"nhip/collector/record"
)

// Replay is the stored result of replaying a letter.
type Replay struct {
	ID string `json:"id"`
	nhip.Replay
}

// ReplaysOf returns the results for the letters that an outcome replays.
func ReplaysOf(o *record.Outcome, now time.Time) []Replay {
	var out []Replay
	for _, id := range o.ReplayOf {
		out = append(out, Replay{id, Result(o, now)})
	}
	return out
}

// Result summarises an outcome as the result of a replay.
func Result(o *record.Outcome, now time.Time) nhip.Replay {
	f := &o.Facts
	r := nhip.Replay{Time: now, Passed: len(f.Positions) + len(f.Readings) + len(f.UserActions) + f.Service.Rows()}
	if o.Resubmission != nil {
		r.Passed++
	}
	if len(o.Rejections) > 0 {
		why := o.Rejections[0].Err
		r.Code, r.Rule = why.Code, why.Error()
	}
	return r
}

// PutReplays writes results to disk, each in the file of its letter's day, and syncs. It retries while the disk fails;
// its only error is that of ctx. s must be the Store of Replays.
func (s *Store) PutReplays(ctx context.Context, replays []Replay, log *slog.Logger) error {
	var lines []line
	for _, r := range replays {
		id, err := parseID(r.ID)
		if err != nil {
			log.Error("result of a replay with an invalid id skipped", "id", r.ID, "error", err)
			continue
		}
		lines = append(lines, line{id.day, r})
	}
	_, err := s.putLines(ctx, lines, log)
	return err
}

// readReplays returns the last result for each letter of a day, by id.
func readReplays(dir, day string) (map[string]nhip.Replay, error) {
	raw, err := os.ReadFile(filepath.Join(dir, Replays.fileName(day)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("can't read the results of replays: %w", err)
	}
	replays := make(map[string]nhip.Replay)
	for line := range bytes.Lines(raw) {
		var r Replay
		if json.Unmarshal(line, &r) == nil {
			replays[r.ID] = r.Replay
		}
	}
	return replays, nil
}
