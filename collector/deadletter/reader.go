package deadletter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"nhip"
)

// Find returns a whole letter by its id. Its error has CodeNotFound if there is no such letter.
func Find(dir, id string) (nhip.DeadLetter, error) {
	var l nhip.DeadLetter
	parsed, err := parseID(id)
	if err != nil {
		return l, err
	}
	raw, err := findLine(dir, parsed)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return l, fmt.Errorf("can't read the dead letter %s: %w", id, err)
	}
	replays, err := readReplays(dir, parsed.day)
	if r, ok := replays[id]; ok {
		l.Replay = &r
	}
	return l, err
}

// Missing returns the error of Find for an id without a letter, or for an invalid one.
func Missing(id string) error {
	if _, err := parseID(id); err != nil {
		return err
	}
	return nhip.Errorf(nhip.CodeNotFound, "id", "there is no dead letter %s; it may have expired", id)
}

// findLine returns a letter as encoded in its file.
func findLine(dir string, id ID) ([]byte, error) {
	missing := Missing(id.String())
	f, err := os.Open(filepath.Join(dir, id.kind.fileName(id.day)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("can't read the dead letters: %w", err)
	}
	defer f.Close()
	lines, err := newReverseLineReader(f, -1)
	if err != nil {
		return nil, fmt.Errorf("can't read the dead letters: %w", err)
	}
	prefix := []byte(`{"id":"` + id.String() + `"`)
	for {
		line, ok, err := lines.next()
		if err != nil {
			return nil, fmt.Errorf("can't read the dead letters: %w", err)
		}
		if !ok {
			return nil, missing
		}
		if bytes.HasPrefix(line, prefix) {
			return line, nil
		}
	}
}
