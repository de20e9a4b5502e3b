package air

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"nhip/internal/durable"
)

// trainingFile is what was learned up to the end of a day, on disk. A start reads only the hours since then.
type trainingFile struct {
	Version  int       `json:"version"`
	At       time.Time `json:"at"`
	Learners learners  `json:"learners"`
}

const (
	// trainingVersion is increased whenever the same hours give something else than before.
	trainingVersion = 3
	// maxTrainingBytes bounds the file: a thousand stations and six quantities take 3 MB.
	maxTrainingBytes = 64 << 20
	// maxTrainingAge is the age from which all hours are read again.
	maxTrainingAge = 30 * day
)

// save writes the oldest checkpoint: a start learns the hours since then, so that it can also serve the last two days
// and learn changed hours anew.
func (t *trainer) save() {
	path := t.model.o.File
	if path == "" || len(t.checkpoints) < maxCheckpoints || t.checkpoints[0].at.Equal(t.saved) {
		return
	}
	c := t.checkpoints[0]
	data, err := json.Marshal(trainingFile{trainingVersion, c.at, c.learners})
	if err == nil {
		err = durable.WriteFile(path, data)
	}
	if err != nil {
		t.model.o.Logger.Warn("surface training not saved, the next start reads all hours", "error", err)
		return
	}
	t.saved = c.at
}

// resume continues from the file, and reports whether it did. settled is the newest hour that is going to be used.
func (t *trainer) resume(settled time.Time) bool {
	if t.model.o.File == "" {
		return false
	}
	f, err := readTraining(t.model.o.File)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			t.model.o.Logger.Warn("surface training not restored, all hours are read", "error", err)
		}
		return false
	}
	if f.At.After(settled) || settled.Sub(f.At) > maxTrainingAge {
		return false
	}
	t.restart(settled)
	t.learners, t.last, t.saved = f.Learners, f.At, f.At
	return true
}

func readTraining(path string) (*trainingFile, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(r, maxTrainingBytes))
	if err != nil {
		return nil, err
	}
	var f trainingFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, err
	}
	if f.Version != trainingVersion {
		return nil, fmt.Errorf("version %d, want %d", f.Version, trainingVersion)
	}
	if f.Learners == nil {
		return nil, errors.New("no learners")
	}
	for q, l := range f.Learners {
		if l == nil {
			return nil, fmt.Errorf("%s: no learner", q)
		}
		if err := l.Validate(f.At); err != nil {
			return nil, fmt.Errorf("%s: %w", q, err)
		}
	}
	return &f, nil
}
