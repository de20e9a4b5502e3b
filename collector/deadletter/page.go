package deadletter

import (
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

	"nhip"
)

// Bounds of one page.
const (
	pageLetters = 200
	pageBytes   = 40 << 10 // of JSON: the answer must fit into an MQTT packet
	pageScanned = 32 << 20 // bytes of files read; the next page continues the search from there
)

// cursor is a position in the files: just before a byte of one.
type cursor struct {
	file   string
	before int64 // -1: the end of the file
}

func (c cursor) String() string { return c.file + ":" + strconv.FormatInt(c.before, 10) }

func parseCursor(s string) (cursor, error) {
	file, digits, _ := strings.Cut(s, ":")
	before, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || before < 0 || fileDay(file) == "" || filepath.Base(file) != file {
		return cursor{}, nhip.Errorf(nhip.CodeInvalid, "after", "must be the next of the page before, got %q", s)
	}
	return cursor{file, before}, nil
}

// Page returns letters that match q: the newest days first, and the newest letters of a day first. Long payloads are
// cut to MaxExcerpt.
func Page(ctx context.Context, dir string, q nhip.DeadLetterQuery) (nhip.DeadLetterPage, error) {
	cursors, err := searchOrder(dir, q)
	if err != nil {
		return nhip.DeadLetterPage{}, err
	}
	p := pager{q: q, limit: pageLetters}
	if q.Limit > 0 {
		p.limit = min(p.limit, q.Limit)
	}
	for _, at := range cursors {
		if err := ctx.Err(); err != nil {
			return nhip.DeadLetterPage{}, err
		}
		if err := p.file(dir, at); err != nil {
			return nhip.DeadLetterPage{}, err
		}
		if p.page.Next != "" {
			break
		}
	}
	return p.page, nil
}

// searchOrder returns the files to search for q, each with the position to start from.
func searchOrder(dir string, q nhip.DeadLetterQuery) ([]cursor, error) {
	first := cursor{}
	if q.After != "" {
		var err error
		if first, err = parseCursor(q.After); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("can't list the dead letters: %w", err)
	}
	var cursors []cursor
	for _, e := range slices.Backward(entries) {
		name := e.Name()
		day := fileDay(name)
		if name != Messages.fileName(day) && name != Rows.fileName(day) {
			continue
		}
		if !q.From.IsZero() && day < dayOf(q.From) || !q.To.IsZero() && day > dayOf(q.To) {
			continue
		}
		if first.file != "" && name > first.file {
			continue
		}
		at := cursor{file: name, before: -1}
		if name == first.file {
			at.before = first.before
		}
		cursors = append(cursors, at)
	}
	return cursors, nil
}

// pager fills a page.
type pager struct {
	q       nhip.DeadLetterQuery
	limit   int
	bytes   int // JSON of page.Letters
	scanned int64
	page    nhip.DeadLetterPage
}

// file searches one file backwards. It sets page.Next if the page is full.
func (p *pager) file(dir string, at cursor) error {
	f, err := os.Open(filepath.Join(dir, at.file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // pruned in the meantime
	}
	if err != nil {
		return fmt.Errorf("can't read the dead letters: %w", err)
	}
	defer f.Close()
	replays, err := readReplays(dir, fileDay(at.file))
	if err != nil {
		return err
	}
	lines, err := newReverseLineReader(f, at.before)
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
		if !p.add(line, replays) {
			p.page.Next = cursor{at.file, end}.String()
			return nil
		}
		if p.scanned += int64(len(line)); p.scanned > pageScanned {
			p.page.Next = cursor{at.file, lines.end}.String()
			return nil
		}
	}
}

// add adds a letter if it matches the query. It reports whether the page had room for it.
func (p *pager) add(line []byte, replays map[string]nhip.Replay) bool {
	var l nhip.DeadLetter
	if json.Unmarshal(line, &l) != nil || !matches(&l, &p.q) {
		return true
	}
	if r, ok := replays[l.ID]; ok {
		l.Replay = &r
	}
	l = excerpt(l)
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

func matches(l *nhip.DeadLetter, q *nhip.DeadLetterQuery) bool {
	return (q.Device == "" || l.Device == q.Device || strings.HasSuffix(l.Device, "/"+q.Device)) &&
		(q.Code == "" || l.Code == q.Code) &&
		(q.From.IsZero() || !l.Received.Before(q.From)) &&
		(q.To.IsZero() || l.Received.Before(q.To))
}
