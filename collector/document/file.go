package document

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"nhip/internal/damage"
	"nhip/internal/durable"
)

// file is a file of states, one a line, in the order of their changes. The mark in the ledger says which file and how
// much of it counts: what was appended after the last checkpoint is written again from the journal.
type file struct {
	dir    string
	damage *damage.Log
	number int   // in its name
	size   int64 // bytes that count
	lines  int   // in them

	damaged bool // a new file must get all states
}

// mark is the JSON of what Save returns.
type mark struct {
	File  int   `json:"file"`
	Bytes int64 `json:"bytes"`
}

// minGarbage is the number of outdated lines below which a file is not written anew.
const minGarbage = 1000

const fileSuffix = ".jsonl"

func (f *file) path(number int) string { return filepath.Join(f.dir, strconv.Itoa(number)+fileSuffix) }

// open reads the file that the mark names. If that is missing or damaged, the states that can be read stay in use, and
// a copy is kept.
func (f *file) open(raw []byte, restore func(*state)) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	if raw == nil {
		return nil
	}
	var m mark
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("invalid mark of the documents: %q", raw)
	}
	f.number = m.File
	content, err := os.ReadFile(f.path(m.File))
	if errors.Is(err, fs.ErrNotExist) && m.Bytes == 0 {
		return nil
	}
	if err == nil && int64(len(content)) < m.Bytes {
		err = fmt.Errorf("%d bytes, %d expected", len(content), m.Bytes)
	}
	content = content[:min(int64(len(content)), m.Bytes)]
	if fault := f.read(content, restore); err == nil {
		err = fault
	}
	f.size = int64(len(content))
	if err != nil {
		f.damage.Copy(f.path(m.File), fmt.Errorf("documents, such as keys, may be lost or outdated: %w", err))
		f.number, f.size, f.lines = slices.Max(append(f.numbers(), f.number))+1, 0, 0
		f.damaged = true
	}
	return nil
}

// read restores the states of a file. It skips damaged lines and returns the first fault.
func (f *file) read(content []byte, restore func(*state)) (fault error) {
	r := bufio.NewReader(bytes.NewReader(content))
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if len(line) > 0 {
				fault = errors.Join(fault, errors.New("the last line is incomplete"))
			}
			return fault
		}
		f.lines++
		s := new(state)
		if err = json.Unmarshal(line, s); err == nil && (s.Kind == "" || s.ID == "") {
			err = errors.New("no document")
		}
		if err != nil {
			if fault == nil {
				fault = fmt.Errorf("line %d: %w", f.lines, err)
			}
			continue
		}
		restore(s)
	}
}

// append makes lines durable behind those that count.
func (f *file) append(lines []byte, count int) error {
	out, err := os.OpenFile(f.path(f.number), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = out.Truncate(f.size)
	if err == nil {
		_, err = out.WriteAt(lines, f.size)
	}
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	if f.size == 0 {
		err = durable.SyncDir(f.dir)
	}
	f.size, f.lines = f.size+int64(len(lines)), f.lines+count
	return err
}

// rewrite makes a new file durable that has only the given lines.
func (f *file) rewrite(lines []byte, count int) error {
	if err := durable.WriteFile(f.path(f.number+1), lines); err != nil {
		return err
	}
	f.number, f.size, f.lines, f.damaged = f.number+1, int64(len(lines)), count, false
	return nil
}

// removeOlder removes the files before the current one.
func (f *file) removeOlder() error {
	var errs []error
	for _, n := range f.numbers() {
		if n < f.number {
			errs = append(errs, os.Remove(f.path(n)))
		}
	}
	return errors.Join(errs...)
}

// numbers returns those of all files.
func (f *file) numbers() (out []int) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), fileSuffix)
		if n, err := strconv.Atoi(name); is && err == nil {
			out = append(out, n)
		}
	}
	return out
}

// Save makes all states durable and returns the mark that names them. The states count from the checkpoint of the
// ledger on that has the mark. The mark is nil while there has been no document.
func (s *Store) Save() ([]byte, error) {
	s.mu.Lock()
	total := len(s.states)
	whole := s.file.damaged || s.file.lines+len(s.unsaved) > 2*total+minGarbage
	var lines []byte
	count := 0
	for k, state := range s.states {
		if whole || s.unsaved[k] {
			lines = append(append(lines, encode(state)...), '\n')
			count++
		}
	}
	saved := s.unsaved
	s.unsaved = make(map[key]bool)
	s.mu.Unlock()
	err := s.write(whole, lines, count)
	if err != nil {
		s.mu.Lock()
		for k := range saved {
			s.unsaved[k] = true
		}
		s.mu.Unlock()
		return nil, fmt.Errorf("can't save the documents: %w", err)
	}
	if s.file.number == 0 && s.file.size == 0 {
		return nil, nil
	}
	return json.Marshal(mark{s.file.number, s.file.size})
}

func (s *Store) write(whole bool, lines []byte, count int) error {
	switch {
	case whole:
		return s.file.rewrite(lines, count)
	case count > 0:
		return s.file.append(lines, count)
	}
	return nil
}

// Release removes files that no checkpoint needs, after a checkpoint with the last mark.
func (s *Store) Release() {
	if err := s.file.removeOlder(); err != nil {
		s.log.Warn("can't remove an old file of documents", "error", err)
	}
}
