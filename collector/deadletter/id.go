package deadletter

import (
	"strconv"
	"strings"
	"time"

	"nhip"
)

// Kind is the origin of letters. Each kind has its own files and its own writer.
type Kind string

// Kinds. Replays are not letters but the results of replaying some.
const (
	Messages Kind = ""        // messages, or rows of them, that failed decoding or a check
	Rows     Kind = "refused" // rows that the database rejected
	Replays  Kind = "replays"
)

// rowMark precedes the record number in the id of a letter of kind Rows.
const rowMark = "q"

// ID identifies a dead letter within its collector.
type ID struct {
	day  string // of arrival (UTC), as in 2026-02-16
	kind Kind
	seq  uint64
	part int
}

// NewID returns the id of a letter that arrived at a time. For Messages seq is a record of the intake and part a
// rejection in it; for Rows seq is a record of the outbox and part a row of it.
func NewID(received time.Time, kind Kind, seq uint64, part int) ID {
	return ID{day: dayOf(received), kind: kind, seq: seq, part: part}
}

// String returns the id as in "20260216-1234.0", or "20260216-q1234.0" for Rows.
func (id ID) String() string {
	mark := ""
	if id.kind == Rows {
		mark = rowMark
	}
	day := strings.ReplaceAll(id.day, "-", "")
	return day + "-" + mark + strconv.FormatUint(id.seq, 10) + "." + strconv.Itoa(id.part)
}

// parseID is the inverse of String.
func parseID(s string) (ID, error) {
	day, rest, _ := strings.Cut(s, "-")
	at, dayErr := time.Parse("20060102", day)
	rest, isRow := strings.CutPrefix(rest, rowMark)
	digits, part, _ := strings.Cut(rest, ".")
	seq, seqErr := strconv.ParseUint(digits, 10, 64)
	n, partErr := strconv.Atoi(part)
	if dayErr != nil || seqErr != nil || partErr != nil || n < 0 {
		return ID{}, nhip.Errorf(nhip.CodeInvalid, "id",
			`must be the id of a dead letter, as in "20260216-1234.0", got %q`, s)
	}
	id := ID{day: at.Format(time.DateOnly), seq: seq, part: n}
	if isRow {
		id.kind = Rows
	}
	return id, nil
}

// ReplayKey returns the part of a letter's id that all letters replayed together have in common: the letters of one
// message, or one row.
func ReplayKey(id string) string {
	if strings.Contains(id, rowMark) {
		return id
	}
	return messageOf(id)
}

// OfSameMessage returns those of ids that are letters of the same message as id.
func OfSameMessage(id string, ids []string) []string {
	var same []string
	for _, other := range ids {
		if messageOf(other) == messageOf(id) {
			same = append(same, other)
		}
	}
	return same
}

func messageOf(id string) string {
	message, _, _ := strings.Cut(id, ".")
	return message
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }
