package stationfile

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"nhip"
)

// byteOrderMark is the byte order mark of UTF-8, which Windows programs write at the start of a file. In concatenated
// files it may be at the start of any line.
var byteOrderMark = []byte("\uFEFF")

// toUTF8 converts a file to UTF-8. A file that is not in UTF-8 has a single-byte encoding. The few characters outside
// ASCII that a file may contain have the same bytes in all encodings in use, so that it does not matter which.
func toUTF8(payload []byte) ([]byte, error) {
	if bytes.IndexByte(payload, 0) >= 0 {
		return nil, nhip.Errorf(nhip.CodeMalformed, "",
			"must be UTF-8 or a single-byte encoding: the file contains a zero byte, as UTF-16 does")
	}
	if utf8.Valid(payload) {
		return payload, nil
	}
	text := make([]byte, 0, len(payload)+len(payload)/8) // a few characters of a line need two bytes
	for _, c := range payload {
		text = utf8.AppendRune(text, rune(c))
	}
	return text, nil
}

// columns are the columns of a line after the name.
type columns struct{ value, unit, time, status []byte }

func split(rest []byte) (columns, error) {
	var c [5][]byte // one more than allowed
	n := 0
	for ; n < len(c); n++ {
		if c[n], rest = column(rest); len(c[n]) == 0 {
			break
		}
	}
	blank := n == 3 && isStamp(c[1]) // value or unit, which is not visible between white space
	if n < 3 || n > 4 || blank {
		return columns{}, nhip.Errorf(nhip.CodeMalformed, "",
			"must have the columns name, value, unit, time and status, of which only status is optional")
	}
	return columns{c[0], c[1], c[2], c[3]}, nil
}

// column splits the first column from a line; it is empty if there is none.
func column(line []byte) (first, rest []byte) {
	line = bytes.TrimPrefix(line, byteOrderMark)
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
