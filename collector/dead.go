package collector

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
	"slices"
	"strings"

	"nhip"
	"nhip/internal/durable"
	"nhip/internal/pause"
)

// graveyard is the writer of one plot of dead letters: a file of JSON lines for each day of arrival.
// It belongs to one goroutine.
type graveyard struct {
	dir   string
	plot  plot
	name  string          // of the collector
	known map[string]bool // letters that a crash may make come again
	file  *os.File
	day   string
	size  int64 // of the file, up to its last whole letter
}

// openGraveyard takes a plot. Letters of records beyond settled may come again, and are not written
// twice: letters are kept by the day they arrived, so those are in the last two files.
func openGraveyard(dir, collector string, p plot, settled uint64) (*graveyard, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("can't make the folder of dead letters: %w", err)
	}
	g := &graveyard{dir: dir, plot: p, name: collector, known: make(map[string]bool)}
	files, err := plotFiles(dir, p)
	if err != nil {
		return nil, err
	}
	for _, f := range files[max(0, len(files)-2):] {
		if err := g.recover(filepath.Join(dir, f), settled); err != nil {
			return nil, err
		}
	}
	return g, nil
}

const letterSuffix = ".jsonl"

// fileName is the name of a plot's file of a day.
func (p plot) fileName(day string) string {
	if p == doorPlot {
		return day + letterSuffix
	}
	return day + "." + string(p) + letterSuffix
}

// plotFiles lists a plot's files by name, the oldest first.
func plotFiles(dir string, p plot) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("can't list the dead letters: %w", err)
	}
	var names []string
	for _, e := range entries {
		if day := dayOfFile(e.Name()); day != "" && e.Name() == p.fileName(day) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// dayOfFile returns the day that a file of letters belongs to; "" for another file.
func dayOfFile(name string) string {
	day, _, _ := strings.Cut(name, ".")
	if len(day) != len("2006-01-02") || !strings.HasSuffix(name, letterSuffix) {
		return ""
	}
	return day
}

// recover cuts a line that a crash left half written and notes which letters may come again.
func (g *graveyard) recover(path string, settled uint64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("can't read the dead letters: %w", err)
	}
	defer f.Close()
	r := bufio.NewReader(f)
	var whole int64
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
			if id, err := parseLetterID(l.ID); err == nil && id.seq > settled {
				g.known[l.ID] = true
			}
		}
		whole += int64(len(line))
	}
	return f.Truncate(whole)
}

// buryAll makes letters last, trying again while the disk does not take them; false when ctx ended
// first. It returns those that were not there yet.
func (g *graveyard) buryAll(ctx context.Context, letters []letter, log *slog.Logger) ([]nhip.DeadLetter, bool) {
	var fresh []nhip.DeadLetter
	for len(letters) > 0 {
		written, err := g.bury(letters, &fresh)
		letters = letters[written:]
		if err == nil {
			err = g.sync()
		}
		if err == nil {
			break
		}
		log.Error("can't keep dead letters", "error", err)
		if !pause.For(ctx, diskRetry) {
			return fresh, false
		}
	}
	return fresh, true
}

// bury appends letters, which last once sync returns, and tells how many it has seen to.
func (g *graveyard) bury(letters []letter, fresh *[]nhip.DeadLetter) (int, error) {
	for i := range letters {
		l := &letters[i]
		if g.known[l.ID] {
			continue
		}
		l.Collector = g.name
		if err := g.append(l.id.day, &l.DeadLetter); err != nil {
			return i, err
		}
		*fresh = append(*fresh, l.DeadLetter)
	}
	return len(letters), nil
}

// append writes a line to a day's file.
func (g *graveyard) append(day string, line any) error {
	if err := g.open(day); err != nil {
		return err
	}
	raw, err := json.Marshal(line)
	if err != nil {
		return fmt.Errorf("can't encode a dead letter: %w", err)
	}
	return g.write(append(raw, '\n'))
}

// write appends a line; what a full disk took of it is cut off again.
func (g *graveyard) write(line []byte) error {
	if _, err := g.file.WriteAt(line, g.size); err != nil {
		return errors.Join(fmt.Errorf("can't write a dead letter: %w", err), g.file.Truncate(g.size))
	}
	g.size += int64(len(line))
	return nil
}

func (g *graveyard) open(day string) error {
	if g.day == day {
		return nil
	}
	if err := g.close(); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(g.dir, g.plot.fileName(day)), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("can't open the dead letters: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(fmt.Errorf("can't open the dead letters: %w", err), f.Close())
	}
	g.file, g.day, g.size = f, day, size
	return durable.SyncDir(g.dir)
}

// sync makes what is buried last.
func (g *graveyard) sync() error {
	if g.file == nil {
		return nil
	}
	if err := g.file.Sync(); err != nil {
		return fmt.Errorf("can't sync the dead letters: %w", err)
	}
	return nil
}

func (g *graveyard) close() error {
	if g.file == nil {
		return nil
	}
	err := errors.Join(g.file.Sync(), g.file.Close())
	g.file, g.day = nil, ""
	return err
}

// tidyDead deletes the oldest letters: of days before the first that is kept, and further ones while
// all take more than most bytes. The newest day stays. It returns what it deleted.
func tidyDead(dir, firstDay string, most int64) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("can't list the dead letters: %w", err)
	}
	sizes := make(map[string]int64)
	var days []string
	var all int64
	for _, e := range entries {
		day := dayOfFile(e.Name())
		info, err := e.Info()
		if day == "" || err != nil {
			continue
		}
		if sizes[day] == 0 && !slices.Contains(days, day) {
			days = append(days, day)
		}
		sizes[day] += info.Size()
		all += info.Size()
	}
	var deleted []string
	for _, day := range days[:max(0, len(days)-1)] {
		if day >= firstDay && all <= most {
			break
		}
		if err := removeDay(dir, day); err != nil {
			return deleted, err
		}
		all -= sizes[day]
		deleted = append(deleted, day)
	}
	return deleted, nil
}

func removeDay(dir, day string) error {
	var errs []error
	for _, p := range []plot{doorPlot, databasePlot, replayPlot} {
		if err := os.Remove(filepath.Join(dir, p.fileName(day))); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("can't delete old dead letters: %w", err))
		}
	}
	return errors.Join(errs...)
}
