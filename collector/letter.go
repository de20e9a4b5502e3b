package collector

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"nhip"
)

// letterID names a dead letter within its collector: the day on which it arrived (UTC), which is also
// its file's, the record that it comes from and its place there.
type letterID struct {
	day  string // as 2026-02-16
	plot plot
	seq  uint64 // of the intake; of the outbox for what the database refused
	part int
}

// plot is whose letters they are: each has a writer of its own.
type plot string

const (
	doorPlot     plot = ""        // turned away at the door
	databasePlot plot = "refused" // by the database
	replayPlot   plot = "replays" // not letters, but what came of their replays
)

const refusedMark = "q" // before the seq of a letter of the databasePlot

func (id letterID) String() string {
	mark := ""
	if id.plot == databasePlot {
		mark = refusedMark
	}
	return strings.ReplaceAll(id.day, "-", "") + "-" + mark + strconv.FormatUint(id.seq, 10) + "." + strconv.Itoa(id.part)
}

// parseLetterID reads what String writes.
func parseLetterID(s string) (letterID, error) {
	day, rest, _ := strings.Cut(s, "-")
	at, err := time.Parse("20060102", day)
	rest, refused := strings.CutPrefix(rest, refusedMark)
	digits, part, _ := strings.Cut(rest, ".")
	seq, err2 := strconv.ParseUint(digits, 10, 64)
	n, err3 := strconv.Atoi(part)
	if err != nil || err2 != nil || err3 != nil || n < 0 {
		return letterID{}, nhip.Errorf(nhip.Invalid, "id", `must be the id of a dead letter, as in "20260216-1234.0", got %q`, s)
	}
	id := letterID{day: at.Format(time.DateOnly), seq: seq, part: n}
	if refused {
		id.plot = databasePlot
	}
	return id, nil
}

// letter is a dead letter on its way to its plot.
type letter struct {
	id letterID
	nhip.DeadLetter
}

// letters returns the dead letters of an outcome. A replay makes none: there is one already.
func (o *outcome) letters(seq uint64) []letter {
	if o.unkept || len(o.replayOf) > 0 {
		return nil
	}
	var out []letter
	for i, r := range o.rejections {
		l := newLetter(letterID{day: dayOf(o.received), seq: seq, part: i})
		l.Received, l.Topic, l.Device, l.Decoder, l.Unkept = o.received, o.topic, r.device, o.decoder, o.skipped
		l.Code, l.Field, l.Rule, l.Rows = r.err.Code, r.err.Field, r.err.Rule, r.rows
		l.setPayload(o.payload)
		out = append(out, l)
	}
	return out
}

func newLetter(id letterID) letter {
	return letter{id: id, DeadLetter: nhip.DeadLetter{ID: id.String()}}
}

func (l *letter) setPayload(b []byte) {
	l.Size = len(b)
	if utf8.Valid(b) {
		l.Payload = string(b)
	} else {
		l.PayloadB = slices.Clone(b)
	}
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// shownPayload is how much of a payload is told where nobody has asked for that letter, in bytes. The
// letter on disk has all of it; on the wire it would pass the broker's greatest packet.
const shownPayload = 1 << 10

// shorten cuts what is long and is there whole on disk.
func shorten(l nhip.DeadLetter) nhip.DeadLetter {
	if len(l.Payload) > shownPayload {
		l.Payload = strings.ToValidUTF8(l.Payload[:shownPayload], "")
	}
	l.PayloadB = l.PayloadB[:min(len(l.PayloadB), shownPayload)]
	if len(l.Line) > shownPayload {
		l.Line = strings.ToValidUTF8(l.Line[:shownPayload], "")
	}
	return l
}

// announcement is a dead letter on its way to nhip/dead/….
type announcement struct {
	code   nhip.Code
	letter []byte
}

func announcementOf(l nhip.DeadLetter) announcement {
	raw, err := json.Marshal(shorten(l))
	if err != nil {
		panic("a dead letter can't be encoded: " + err.Error()) // it holds nothing that JSON can't
	}
	return announcement{code: l.Code, letter: raw}
}
