package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The names of cursor files; maxCursorName, in bytes, keeps them within the limit of file systems.
const (
	cursorSuffix  = ".cursor"
	maxCursorName = 64
)

// Cursor returns the last seq that was saved under name, or 0 if there is none. The error for a damaged cursor names
// its file.
func (j *Journal) Cursor(name string) (uint64, error) {
	if err := checkCursorName(name); err != nil {
		return 0, err
	}
	seq, err := readCursor(j.cursorPath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return seq, err
}

// SaveCursor durably saves seq, the last seq that a consumer has processed, under name. A name is 1 to 64 of a-z, 0-9,
// - and _; only one goroutine may use it at a time. seq must not exceed LastSeq.
func (j *Journal) SaveCursor(name string, seq uint64) error {
	if err := checkCursorName(name); err != nil {
		return err
	}
	if last := j.LastSeq(); seq > last {
		return fmt.Errorf("journal: cursor %s: seq must be at most the last one, %d, got %d", name, last, seq)
	}
	path := j.cursorPath(name)
	temp := path + ".tmp"
	if err := j.writeFile(temp, formatCursor(seq)); err != nil {
		_ = j.files.remove(temp) // otherwise the next save truncates it
		return fmt.Errorf("journal: cursor %s: %w", name, markFull(err))
	}
	err := j.files.rename(temp, path)
	if err == nil {
		err = j.files.syncDir(j.dir)
	}
	if err != nil {
		return fmt.Errorf("journal: cursor %s: %w", name, markFull(err))
	}
	return nil
}

func (j *Journal) cursorPath(name string) string { return filepath.Join(j.dir, name+cursorSuffix) }

// writeFile writes and syncs a file.
func (j *Journal) writeFile(path string, content []byte) error {
	f, err := j.files.open(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(content, 0); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// highestCursor returns the highest saved seq. It skips damaged cursors, which Cursor reports.
func (j *Journal) highestCursor() (uint64, error) {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return 0, err
	}
	var highest uint64
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), cursorSuffix) {
			continue
		}
		seq, err := readCursor(filepath.Join(j.dir, e.Name()))
		if err != nil {
			j.log.Warn("unreadable journal cursor skipped", "error", err)
			continue
		}
		highest = max(highest, seq)
	}
	return highest, nil
}

func formatCursor(seq uint64) []byte {
	digits := strconv.FormatUint(seq, 10)
	return fmt.Appendf(nil, "%s %08x\n", digits, crc32.Checksum([]byte(digits), castagnoli))
}

func readCursor(path string) (uint64, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("journal: read cursor: %w", err)
	}
	digits, _, _ := strings.Cut(string(content), " ")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || seq == math.MaxUint64 || string(formatCursor(seq)) != string(content) {
		return 0, fmt.Errorf("journal: cursor file %s is damaged", path)
	}
	return seq, nil
}

func checkCursorName(name string) error {
	bad := strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
	if name == "" || len(name) > maxCursorName || bad >= 0 {
		return fmt.Errorf("journal: cursor name: must be 1 to %d of a-z, 0-9, - and _, got %q", maxCursorName, name)
	}
	return nil
}
