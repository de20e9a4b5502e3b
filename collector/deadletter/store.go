package deadletter

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"nhip"
	"nhip/internal/durable"
	"nhip/internal/wait"
)

// retryDelay is the time between two attempts to write to a failing disk.
const retryDelay = time.Second

// Store writes the letters of one kind. It must be used by one goroutine at a time.
type Store struct {
	dir       string
	kind      Kind
	collector string          // recorded in each letter
	written   map[string]bool // ids of letters that may be put again after a crash
	file      *os.File        // of day; nil before the first write
	day       string
	size      int64 // of the file up to its last complete line
	lastSeq   uint64

	syncFile func(*os.File) error // replaced in tests
}

// Open returns the writer of a kind and creates dir if necessary. Letters of records after settled may be put again
// after a crash; Open finds those in the two newest files, and PutAll skips them.
func Open(dir, collector string, kind Kind, settled uint64) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("can't create the folder of dead letters: %w", err)
	}
	s := &Store{dir: dir, kind: kind, collector: collector, written: make(map[string]bool), syncFile: (*os.File).Sync}
	files, err := kind.files(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files[max(0, len(files)-2):] {
		if err := s.recover(filepath.Join(dir, f), settled); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// recover notes the letters that may be put again and truncates an incomplete last line, which a crash leaves.
func (s *Store) recover(path string, settled uint64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("can't read the dead letters: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var complete int64
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("can't read the dead letters: %w", err)
		}
		var l struct{ ID string }
		if json.Unmarshal(line, &l) == nil {
			s.note(l.ID, settled)
		}
		complete += int64(len(line))
	}
	return f.Truncate(complete)
}

func (s *Store) note(letter string, settled uint64) {
	id, err := parseID(letter)
	if err != nil || id.kind != s.kind {
		return // a result of a replay has the id of the replayed letter
	}
	s.lastSeq = max(s.lastSeq, id.seq)
	if id.seq > settled {
		s.written[letter] = true
	}
}

// LastSeq returns the highest record that the letters found by Open refer to. Its number must not be assigned to
// another record, whose letters would have the same ids.
func (s *Store) LastSeq() uint64 { return s.lastSeq }

// PutAll writes letters to disk and syncs, and retries while the disk fails. It returns the letters that were not
// stored before, also with an error; the only error is that of ctx.
func (s *Store) PutAll(ctx context.Context, letters []Letter, log *slog.Logger) ([]nhip.DeadLetter, error) {
	var fresh []nhip.DeadLetter
	var lines []line
	for i := range letters {
		l := &letters[i]
		if s.written[l.ID] {
			continue
		}
		l.Collector = s.collector
		lines = append(lines, line{l.id.day, &l.DeadLetter})
		fresh = append(fresh, l.DeadLetter)
	}
	done, err := s.putLines(ctx, lines, log)
	return fresh[:done], err
}

// line is a value to write to the file of a day.
type line struct {
	day   string
	value any
}

// putLines writes lines to disk and returns the number of those that are synced. The only error is that of ctx.
func (s *Store) putLines(ctx context.Context, lines []line, log *slog.Logger) (done int, err error) {
	for done < len(lines) {
		end := done + 1
		for end < len(lines) && lines[end].day == lines[done].day {
			end++
		}
		if err := s.putDay(ctx, lines[done:end], log); err != nil {
			return done, err
		}
		done = end
	}
	return done, nil
}

// putDay writes and syncs lines of one day. After a failure it writes all of them again: the bytes of a failed sync may
// be lost, although a second sync reports success.
func (s *Store) putDay(ctx context.Context, lines []line, log *slog.Logger) error {
	synced := int64(-1) // size of the file before; unknown until it is open
	for {
		err := s.tryDay(lines, &synced)
		if err == nil {
			return nil
		}
		log.Error("can't store dead letters", "error", err)
		s.discard()
		if err := wait.Sleep(ctx, retryDelay); err != nil {
			return err
		}
	}
}

func (s *Store) tryDay(lines []line, synced *int64) error {
	if err := s.open(lines[0].day); err != nil {
		return err
	}
	if *synced < 0 {
		*synced = s.size
	}
	if err := s.cutTo(*synced); err != nil {
		return err
	}
	for _, l := range lines {
		raw, err := json.Marshal(l.value)
		if err != nil {
			return fmt.Errorf("can't encode a dead letter: %w", err)
		}
		if err := s.write(append(raw, '\n')); err != nil {
			return err
		}
	}
	return s.sync()
}

// cutTo removes what a failed attempt wrote.
func (s *Store) cutTo(size int64) error {
	if s.size == size {
		return nil
	}
	if err := s.file.Truncate(size); err != nil {
		return fmt.Errorf("can't truncate the dead letters: %w", err)
	}
	s.size = size
	return nil
}

// discard closes the file without a sync.
func (s *Store) discard() {
	if s.file != nil {
		_ = s.file.Close() // the next attempt writes everything again
	}
	s.file, s.day = nil, ""
}

// write appends a line, or truncates what a full disk accepted of it.
func (s *Store) write(line []byte) error {
	if _, err := s.file.WriteAt(line, s.size); err != nil {
		return errors.Join(fmt.Errorf("can't write a dead letter: %w", err), s.file.Truncate(s.size))
	}
	s.size += int64(len(line))
	return nil
}

func (s *Store) open(day string) error {
	if s.day == day {
		return nil
	}
	if err := s.Close(); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, s.kind.fileName(day)), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("can't open the dead letters: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(fmt.Errorf("can't open the dead letters: %w", err), f.Close())
	}
	s.file, s.day, s.size = f, day, size
	return durable.SyncDir(s.dir)
}

func (s *Store) sync() error {
	if s.file == nil {
		return nil
	}
	if err := s.syncFile(s.file); err != nil {
		return fmt.Errorf("can't sync the dead letters: %w", err)
	}
	return nil
}

// Close syncs and closes the current file. The Store may be used again.
func (s *Store) Close() error {
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Sync(), s.file.Close())
	s.file, s.day = nil, ""
	return err
}
