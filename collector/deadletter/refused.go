package deadletter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Refused counts the letters of kind Rows that have not been replayed: accepted facts that are missing in the database.
// Count and Replayed must be called by one goroutine at a time.
type Refused struct {
	dir        string
	days       map[string]*refusedDay
	unreplayed atomic.Int64
	done       atomic.Int64 // bytes
}

// refusedDay is what is known of a day's files.
type refusedDay struct {
	counted  int64 // bytes of the letters' file
	letters  int
	replays  int64 // size of the file of replays
	replayed int   // letters
}

// NewRefused returns a Refused that has not counted yet.
func NewRefused(dir string) *Refused { return &Refused{dir: dir, days: make(map[string]*refusedDay)} }

// Unreplayed returns the number of letters as of the last Count. It is safe for concurrent use.
func (r *Refused) Unreplayed() int64 { return r.unreplayed.Load() }

// Replayed reports whether all letters of a day had been replayed at the last Count.
func (r *Refused) Replayed(day string) bool {
	d := r.days[day]
	return d != nil && d.replayed >= d.letters
}

// Count reads what has changed since the last call.
func (r *Refused) Count() error {
	days, sizes, err := daySizes(r.dir)
	if err != nil {
		return err
	}
	for day := range r.days {
		if sizes[day][Rows] == 0 {
			delete(r.days, day)
		}
	}
	var sum, done int64
	for _, day := range days {
		if sizes[day][Rows] == 0 {
			continue
		}
		d := r.days[day]
		if d == nil || d.counted > sizes[day][Rows] { // the file was replaced
			d = new(refusedDay)
			r.days[day] = d
		}
		if err := d.count(r.dir, day, sizes[day][Replays]); err != nil {
			return err
		}
		sum += int64(max(0, d.letters-d.replayed))
		done += d.counted * int64(min(d.replayed, d.letters)) / int64(max(1, d.letters))
	}
	r.unreplayed.Store(sum)
	r.done.Store(done)
	return nil
}

func (d *refusedDay) count(dir, day string, replays int64) error {
	err := d.countLetters(filepath.Join(dir, Rows.fileName(day)))
	if err != nil || replays == d.replays {
		return err
	}
	results, err := readReplays(dir, day)
	if err != nil {
		return err
	}
	d.replays, d.replayed = replays, 0
	for id, result := range results {
		if parsed, err := parseID(id); err == nil && parsed.kind == Rows && result.Passed > 0 {
			d.replayed++
		}
	}
	return nil
}

// countLetters counts the lines that were appended since the last call.
func (d *refusedDay) countLetters(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // pruned in the meantime
	}
	if err != nil {
		return fmt.Errorf("can't count the refused rows: %w", err)
	}
	defer f.Close()
	buf := make([]byte, 256<<10)
	for {
		n, err := f.ReadAt(buf, d.counted)
		if whole := bytes.LastIndexByte(buf[:n], '\n') + 1; whole > 0 {
			d.letters += bytes.Count(buf[:whole], []byte{'\n'})
			d.counted += int64(whole)
		} else if err == nil { // a line longer than the buffer
			buf = make([]byte, 2*len(buf))
			continue
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("can't count the refused rows: %w", err)
		}
	}
}

// Bytes returns the size on disk of the letters that have not been replayed, about. It is safe for concurrent use, and
// includes letters since the last Count.
func (r *Refused) Bytes() int64 {
	_, sizes, err := daySizes(r.dir)
	if err != nil {
		return 0
	}
	var sum int64
	for _, size := range sizes {
		sum += size[Rows]
	}
	return sum - r.done.Load()
}

// letterBytes is the length of a letter of kind Rows without its texts, about.
const letterBytes = 300

// SizeOf returns the size on disk of letters of kind Rows, about.
func SizeOf(letters []Letter) (sum int64) {
	for i := range letters {
		l := &letters[i].DeadLetter
		sum += letterBytes + int64(len(l.Rule)+len(l.LineProtocol)+len(l.Device))
	}
	return sum
}
