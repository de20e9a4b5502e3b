package collector

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"nhip"
	"nhip/internal/durable"
)

// letter is a dead letter: what was turned away, and why. Journal record and place in it are its
// identity, so that writing it twice can be told.
type letter struct {
	Seq       uint64    `json:"seq,omitempty"`
	Part      int       `json:"part,omitempty"` // of several in one record
	Received  time.Time `json:"received"`
	Topic     string    `json:"topic"`
	Code      nhip.Code `json:"code"`
	Field     string    `json:"field,omitempty"`
	Rule      string    `json:"rule"`
	Rows      int       `json:"rows"`
	Decoder   string    `json:"decoder,omitempty"`
	Payload   string    `json:"payload,omitempty"`
	PayloadB  []byte    `json:"payload_b64,omitempty"` // where the payload is not UTF-8
	Cut       int       `json:"cut,omitempty"`         // bytes of the payload that an announcement leaves out
	Statement string    `json:"line,omitempty"`        // the row of line protocol that the database refused
}

func (l *letter) place() place { return place{l.Seq, l.Part} }

// announcement is a dead letter on its way to nhip/dead/….
type announcement struct {
	code   nhip.Code
	letter []byte
}

// letters returns the dead letters of an outcome.
func (o *outcome) letters(seq uint64) []letter {
	var out []letter
	for i, r := range o.rejections {
		l := letter{
			Seq: seq, Part: i, Received: o.received, Topic: o.topic, Code: r.err.Code, Field: r.err.Field,
			Rule: r.err.Rule, Rows: r.rows, Decoder: o.decoder,
		}
		if utf8.Valid(o.payload) {
			l.Payload = string(o.payload)
		} else {
			l.PayloadB = slices.Clone(o.payload)
		}
		out = append(out, l)
	}
	return out
}

// announcedPayload is how much of a payload is announced, in bytes. The letter on disk has all of
// it; on the wire it would pass the broker's greatest packet, which ends the connection.
const announcedPayload = 1 << 10

func announcements(o *outcome) []announcement {
	if len(o.rejections) == 0 {
		return nil
	}
	short := *o
	short.payload = o.payload[:min(len(o.payload), announcedPayload)]
	var out []announcement
	for _, l := range short.letters(0) {
		l.Cut = len(o.payload) - len(short.payload)
		raw, err := json.Marshal(l)
		if err == nil { // a letter holds nothing that JSON can't
			out = append(out, announcement{code: l.Code, letter: raw})
		}
	}
	return out
}

// graveyard keeps dead letters on disk, one file of JSON lines for each day of arrival (UTC).
type graveyard struct {
	dir  string
	last place // of the newest letter: what is at or before it is written already
	file *os.File
	day  string
	size int64 // of the file, up to its last whole letter
}

// place is where in the journal a letter comes from.
type place struct {
	seq  uint64
	part int
}

func (p place) after(q place) bool { return p.seq > q.seq || p.seq == q.seq && p.part > q.part }

func openGraveyard(dir string) (*graveyard, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("can't make the folder of dead letters: %w", err)
	}
	g := &graveyard{dir: dir}
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	// Letters are kept by the day they arrived, in the journal's order: only around midnight can the
	// newest be in the file before the last.
	for _, f := range files[max(0, len(files)-2):] {
		if err := g.recover(f); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// recover cuts a line that a crash left half written and notes the newest letter.
func (g *graveyard) recover(path string) error {
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
		var l letter
		if json.Unmarshal(line, &l) == nil && l.place().after(g.last) {
			g.last = l.place()
		}
		whole += int64(len(line))
	}
	return f.Truncate(whole)
}

// bury appends letters; they last once sync returns.
func (g *graveyard) bury(letters []letter) error {
	for _, l := range letters {
		if l.Statement == "" && !l.place().after(g.last) {
			continue
		}
		if err := g.open(l.Received.UTC().Format(time.DateOnly)); err != nil {
			return err
		}
		raw, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("can't encode a dead letter: %w", err)
		}
		if err := g.write(append(raw, '\n')); err != nil {
			return err
		}
		if l.place().after(g.last) {
			g.last = l.place()
		}
	}
	return nil
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
	f, err := os.OpenFile(filepath.Join(g.dir, day+".jsonl"), os.O_CREATE|os.O_WRONLY, 0o600)
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
