package open311

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"nhip"

	"golang.org/x/text/unicode/norm"
)

// cleanProse returns a text of several lines without what can't be seen: control characters, marks that reverse the
// direction of text, bytes that are not UTF-8, spaces at the ends of lines, more than one empty line in a row.
func cleanProse(s string) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), isInvisible(r):
			return -1
		case r == '\u2028' || r == '\u2029': // separators of lines and paragraphs
			return '\n'
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	lines := strings.Split(norm.NFC.String(s), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	s = strings.TrimSpace(strings.Join(lines, "\n"))
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return s
}

// isInvisible reports whether a character only changes how others are shown: marks of direction, the byte order mark,
// tags, and non-characters.
func isInvisible(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff || r >= 0xe0000 && r <= 0xe0fff ||
		r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe
}

// cleanLine is cleanProse for a text of one line of at most nhip.MaxText bytes.
func cleanLine(field, s string) (string, error) {
	s = strings.Join(strings.Fields(cleanProse(s)), " ")
	return s, nhip.CheckText(field, s)
}
