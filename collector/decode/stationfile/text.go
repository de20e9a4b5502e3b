package stationfile

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"nhip"
)

// mark is the byte order mark of UTF-8, which Windows programs put first; in files that were put
// together from several it stands at the head of a line.
var mark = []byte("\uFEFF")

// plain returns a file in UTF-8. What is not UTF-8 is in one byte a character; the few beyond ASCII
// that a file can hold stand at the same places in all encodings in use, so it does not matter which.
func plain(payload []byte) ([]byte, error) {
	if bytes.IndexByte(payload, 0) >= 0 {
		return nil, nhip.Errorf(nhip.Malformed, "", "must be UTF-8 or in one byte a character: the file holds a zero byte, as UTF-16 does")
	}
	if utf8.Valid(payload) {
		return payload, nil
	}
	text := make([]byte, 0, len(payload)+len(payload)/8) // a few characters a line grow
	for _, c := range payload {
		text = utf8.AppendRune(text, rune(c))
	}
	return text, nil
}

// columns are those of a line after its name.
type columns struct{ value, unit, time, status []byte }

func split(rest []byte) (columns, error) {
	var c [5][]byte // one more than there may be
	n := 0
	for ; n < len(c); n++ {
		if c[n], rest = column(rest); len(c[n]) == 0 {
			break
		}
	}
	empty := n == 3 && isStamp(c[1]) // value or unit: white space leaves no trace of it
	if n < 3 || n > 4 || empty {
		return columns{}, nhip.Errorf(nhip.Malformed, "", "must have the columns name, value, unit, time and status, of which only status may be left out")
	}
	return columns{c[0], c[1], c[2], c[3]}, nil
}

// column cuts the first column off a line; it is empty when there is none.
func column(line []byte) (first, rest []byte) {
	line = bytes.TrimPrefix(line, mark)
	start := len(line)
	for i := 0; i < len(line); {
		r, size := rune(line[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(line[i:])
		}
		switch space := unicode.IsSpace(r); {
		case space && start < i:
			return line[start:i], line[i:]
		case !space && start == len(line):
			start = i
		}
		i += size
	}
	return line[start:], nil
}
