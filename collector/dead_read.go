package collector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// What one page of dead letters may cost.
const (
	pageLetters = 200
	pageBytes   = 40 << 10 // of JSON: an answer must fit a packet
	pageScanned = 32 << 20 // bytes of files; a search that goes on is asked again from there
)

// deadFiles read the dead letters on disk.
type deadFiles struct{ dir string }

// letterPlace is where a search goes on: before a byte of a file.
type letterPlace struct {
	file   string
	before int64
}

func (p letterPlace) String() string { return p.file + ":" + strconv.FormatInt(p.before, 10) }

func parseLetterPlace(s string) (letterPlace, error) {
	file, digits, _ := strings.Cut(s, ":")
	before, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || before < 0 || dayOfFile(file) == "" || filepath.Base(file) != file {
		return letterPlace{}, nhip.Errorf(nhip.Invalid, "after", "must be the next of the page before, got %q", s)
	}
	return letterPlace{file, before}, nil
}

// bytes returns the size of all files together, as far as it can be told.
func (s deadFiles) bytes() (sum int64) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // it may have been deleted meanwhile
			sum += info.Size()
		}
	}
	return sum
}

// page returns letters, the newest days first, and in a day the newest letters first.
func (s deadFiles) page(ctx context.Context, q nhip.LetterQuery) (nhip.LetterPage, error) {
	files, err := s.files(q)
	if err != nil {
		return nhip.LetterPage{}, err
	}
	p := letterPager{q: q, limit: pageLetters}
	if q.Limit > 0 {
		p.limit = min(p.limit, q.Limit)
	}
	for _, at := range files {
		if err := ctx.Err(); err != nil {
			return nhip.LetterPage{}, err
		}
		if err := p.file(s.dir, at); err != nil {
			return nhip.LetterPage{}, err
		}
		if p.page.Next != "" {
			break
		}
	}
	return p.page, nil
}

// files lists where to look, in order.
func (s deadFiles) files(q nhip.LetterQuery) ([]letterPlace, error) {
	first := letterPlace{}
	if q.After != "" {
		var err error
		if first, err = parseLetterPlace(q.After); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("can't list the dead letters: %w", err)
	}
	var files []letterPlace
	for _, e := range slices.Backward(entries) {
		name := e.Name()
		day := dayOfFile(name)
		if name != doorPlot.fileName(day) && name != databasePlot.fileName(day) {
			continue
		}
		if !q.From.IsZero() && day < dayOf(q.From) || !q.To.IsZero() && day > dayOf(q.To) {
			continue
		}
		if first.file != "" && name > first.file {
			continue
		}
		at := letterPlace{file: name, before: -1}
		if name == first.file {
			at.before = first.before
		}
		files = append(files, at)
	}
	return files, nil
}

// letterPager fills a page.
type letterPager struct {
	q       nhip.LetterQuery
	limit   int
	bytes   int
	scanned int64
	page    nhip.LetterPage
}

// file goes through one file from its end, or from where the last page stopped.
func (p *letterPager) file(dir string, at letterPlace) error {
	f, err := os.Open(filepath.Join(dir, at.file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("can't read the dead letters: %w", err)
	}
	defer f.Close()
	replays, err := readReplays(dir, dayOfFile(at.file))
	if err != nil {
		return err
	}
	lines, err := newBackward(f, at.before)
	if err != nil {
		return fmt.Errorf("can't read the dead letters: %w", err)
	}
	for {
		end := lines.end
		line, ok, err := lines.next()
		if err != nil {
			return fmt.Errorf("can't read the dead letters: %w", err)
		}
		if !ok {
			return nil
		}
		if !p.take(line, replays) {
			p.page.Next = letterPlace{at.file, end}.String()
			return nil
		}
		if p.scanned += int64(len(line)); p.scanned > pageScanned {
			p.page.Next = letterPlace{at.file, lines.end}.String()
			return nil
		}
	}
}

// take adds a letter to the page where it is asked for; false when the page is full before it.
func (p *letterPager) take(line []byte, replays map[string]nhip.Replay) bool {
	var l nhip.DeadLetter
	if json.Unmarshal(line, &l) != nil || !wanted(&l, &p.q) {
		return true
	}
	if r, ok := replays[l.ID]; ok {
		l.Replay = &r
	}
	l = shorten(l)
	raw, err := json.Marshal(l)
	if err != nil {
		return true
	}
	if len(p.page.Letters) == p.limit || p.bytes+len(raw) > pageBytes && len(p.page.Letters) > 0 {
		return false
	}
	p.bytes += len(raw)
	p.page.Letters = append(p.page.Letters, l)
	return true
}

func wanted(l *nhip.DeadLetter, q *nhip.LetterQuery) bool {
	return (q.Device == "" || l.Device == q.Device || strings.HasSuffix(l.Device, "/"+q.Device)) &&
		(q.Code == "" || l.Code == q.Code) &&
		(q.From.IsZero() || !l.Received.Before(q.From)) &&
		(q.To.IsZero() || l.Received.Before(q.To))
}

// replayNote is what came of a replay, as it is kept.
type replayNote struct {
	ID string `json:"id"`
	nhip.Replay
}

// notes returns what came of the replay that an outcome is.
func (o *outcome) notes(now time.Time) []replayNote {
	var out []replayNote
	for _, id := range o.replayOf {
		out = append(out, replayNote{id, o.replayed(now)})
	}
	return out
}

// replayed sums up an outcome.
func (o *outcome) replayed(now time.Time) nhip.Replay {
	r := nhip.Replay{Time: now, Passed: len(o.facts.Positions) + len(o.facts.Readings) + len(o.facts.Sayings)}
	if o.resubmit != nil {
		r.Passed++
	}
	if len(o.rejections) > 0 {
		why := o.rejections[0].err
		r.Code, r.Rule = why.Code, why.Error()
	}
	return r
}

// keep writes notes of replays, each beside the letters of its day.
func (g *graveyard) keep(notes []replayNote) error {
	for _, n := range notes {
		id, err := parseLetterID(n.ID)
		if err != nil {
			return err
		}
		if err := g.append(id.day, n); err != nil {
			return err
		}
	}
	return g.sync()
}

// readReplays returns the last replay of each letter of a day.
func readReplays(dir, day string) (map[string]nhip.Replay, error) {
	raw, err := os.ReadFile(filepath.Join(dir, replayPlot.fileName(day)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("can't read what came of replays: %w", err)
	}
	replays := make(map[string]nhip.Replay)
	for line := range bytes.Lines(raw) {
		var n replayNote
		if json.Unmarshal(line, &n) == nil {
			replays[n.ID] = n.Replay
		}
	}
	return replays, nil
}

// find returns a letter whole.
func (s deadFiles) find(name string) (nhip.DeadLetter, error) {
	var l nhip.DeadLetter
	id, err := parseLetterID(name)
	if err != nil {
		return l, err
	}
	raw, err := s.line(id)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return l, fmt.Errorf("the dead letter %s can't be read: %w", name, err)
	}
	replays, err := readReplays(s.dir, id.day)
	if r, ok := replays[name]; ok {
		l.Replay = &r
	}
	return l, err
}

// line returns a letter as it stands in its file.
func (s deadFiles) line(id letterID) ([]byte, error) {
	missing := nhip.Errorf(nhip.NotFound, "id", "there is no dead letter %s; it may have become too old", id)
	f, err := os.Open(filepath.Join(s.dir, id.plot.fileName(id.day)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	if err != nil {
		return nil, fmt.Errorf("can't read the dead letters: %w", err)
	}
	defer f.Close()
	lines, err := newBackward(f, -1)
	if err != nil {
		return nil, fmt.Errorf("can't read the dead letters: %w", err)
	}
	begin := []byte(`{"id":"` + id.String() + `"`)
	for {
		line, ok, err := lines.next()
		if err != nil {
			return nil, fmt.Errorf("can't read the dead letters: %w", err)
		}
		if !ok {
			return nil, missing
		}
		if bytes.HasPrefix(line, begin) {
			return line, nil
		}
	}
}

// payload returns what the device said.
func payloadOf(l *nhip.DeadLetter) []byte {
	if l.PayloadB != nil {
		return l.PayloadB
	}
	return []byte(l.Payload)
}
