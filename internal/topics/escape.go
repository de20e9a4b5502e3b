package topics

import (
	"strings"
	"unicode/utf8"
)

const hex = "0123456789ABCDEF"

// special are the printable bytes that have a meaning in a topic, or in an escaped level.
const special = "/+#%$"

// Escape turns any text into one topic level that every broker accepts: it replaces each special byte, each byte of a
// character that is forbidden in a topic, and each byte that is not UTF-8 by "%" and two hex digits, as URLs do.
func Escape(id string) string {
	if escapedSize(id) == len(id) {
		return id
	}
	var b strings.Builder
	for i := 0; i < len(id); {
		n, escaped := next(id[i:])
		for _, c := range []byte(id[i : i+n]) {
			if escaped {
				b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			} else {
				b.WriteByte(c)
			}
		}
		i += n
	}
	return b.String()
}

// escapedSize returns the length of Escape(id).
func escapedSize(id string) int {
	size := len(id)
	for i := 0; i < len(id); {
		n, escaped := next(id[i:])
		if escaped {
			size += n * (len("%2F") - 1)
		}
		i += n
	}
	return size
}

// next returns the length of the first character of a text, and whether it must be escaped. A byte that is not UTF-8
// counts as a character.
func next(s string) (n int, escaped bool) {
	if c := s[0]; c < utf8.RuneSelf {
		return 1, forbidden(rune(c)) || strings.IndexByte(special, c) >= 0
	}
	r, n := utf8.DecodeRuneInString(s)
	return n, r == utf8.RuneError && n == 1 || forbidden(r)
}

// forbidden reports whether a character must not be in a topic. MQTT 3.1.1 §1.5.3 forbids U+0000, and lets a broker
// close the connection of a client that sends a control or a non-character; Mosquitto does.
func forbidden(r rune) bool {
	return r < 0x20 || r >= 0x7f && r <= 0x9f || r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe
}

// Unescape reverses Escape. It leaves "%" alone if two upper-case hex digits do not follow.
func Unescape(level string) string {
	if !strings.Contains(level, "%") {
		return level
	}
	var b strings.Builder
	for i := 0; i < len(level); i++ {
		if level[i] == '%' && i+2 < len(level) {
			hi, lo := strings.IndexByte(hex, level[i+1]), strings.IndexByte(hex, level[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(level[i])
	}
	return b.String()
}
