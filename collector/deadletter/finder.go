package deadletter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"nhip"
)

// nearBytes is how far a Finder looks around the place of the letters that it found last, before it searches the file.
const nearBytes = 8 << 20

// Finder finds many letters, which are next to one another as a rule: a replay goes through them in the order of a
// list.
type Finder struct {
	dir string

	mu   sync.Mutex
	near map[string]int64 // end of the letters found last, by the name of their file
}

// NewFinder returns a Finder of the letters in a folder.
func NewFinder(dir string) *Finder { return &Finder{dir: dir, near: make(map[string]int64)} }

// Find returns the whole letters with the given ids, without the results of their replays. An id that is invalid or
// missing has no letter.
func (f *Finder) Find(ids []string) (map[string]nhip.DeadLetter, error) {
	wanted := make(map[string]map[string]bool) // ids by file
	for _, id := range ids {
		parsed, err := parseID(id)
		if err != nil {
			continue
		}
		name := parsed.kind.fileName(parsed.day)
		if wanted[name] == nil {
			wanted[name] = make(map[string]bool)
		}
		wanted[name][parsed.String()] = true
	}
	found := make(map[string]nhip.DeadLetter)
	for name, in := range wanted {
		if err := f.search(name, in, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// search moves letters of a file from wanted to found.
func (f *Finder) search(name string, wanted map[string]bool, found map[string]nhip.DeadLetter) error {
	file, err := os.Open(filepath.Join(f.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't read the dead letters: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("can't read the dead letters: %w", err)
	}
	f.mu.Lock()
	near, ok := f.near[name]
	f.mu.Unlock()
	if ok {
		from := min(near+nearBytes/8, info.Size())
		if err := f.scan(file, name, from, nearBytes, wanted, found); err != nil || len(wanted) == 0 {
			return err
		}
	}
	return f.scan(file, name, -1, info.Size(), wanted, found)
}

// scan reads the lines before an offset, at most so many bytes. The first line may be a part of one.
func (f *Finder) scan(
	file *os.File, name string, from, most int64, wanted map[string]bool, found map[string]nhip.DeadLetter,
) error {
	lines, err := newReverseLineReader(file, from)
	if err != nil {
		return fmt.Errorf("can't read the dead letters: %w", err)
	}
	for read := int64(0); len(wanted) > 0 && read <= most; {
		end := lines.end
		line, ok, err := lines.next()
		if err != nil {
			return fmt.Errorf("can't read the dead letters: %w", err)
		}
		if !ok {
			return nil
		}
		read += int64(len(line))
		id, ok := idOf(line)
		if !ok || !wanted[id] {
			continue
		}
		var l nhip.DeadLetter
		if err := json.Unmarshal(line, &l); err != nil {
			continue
		}
		found[id] = l
		delete(wanted, id)
		f.mu.Lock()
		f.near[name] = end
		f.mu.Unlock()
	}
	return nil
}

// idOf returns the id of an encoded letter, which is its first field.
func idOf(line []byte) (string, bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"id":"`))
	if !ok {
		return "", false
	}
	id, _, ok := bytes.Cut(rest, []byte{'"'})
	return string(id), ok
}
