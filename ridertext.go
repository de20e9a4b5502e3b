package nhip

import (
	"strings"
	"unicode/utf8"
)

// checkRiderText checks a text that programs of others show to riders, some of them as HTML: printable UTF-8 without
// markup, and without marks that turn the direction in which the rest is read.
func checkRiderText(field, s string, most int, lines bool) error {
	if n := utf8.RuneCountInString(s); n > most {
		return Errorf(CodeOutOfRange, field, "must be at most %d characters, got %d", most, n)
	}
	if !lines && strings.ContainsAny(s, "\r\n") {
		return Errorf(CodeOutOfRange, field, "must be one line")
	}
	if err := CheckProse(field, s, most); err != nil {
		return err
	}
	for i, r := range s {
		switch {
		case unseen(r):
			return Errorf(CodeOutOfRange, field, "must not have the invisible character %U", r)
		case r == utf8.RuneError:
			return Errorf(CodeOutOfRange, field, "must not have the replacement character %U", r)
		case r == '<' && opensTag(s[i+1:]):
			return Errorf(CodeOutOfRange, field, "must be plain text without markup, got %.20q", s[i:])
		}
	}
	return nil
}

// unseen reports whether a character is invisible and changes how others are shown: controls of the direction,
// separators of lines and paragraphs, the byte order mark, tags, and what takes no width except for the two joiners.
func unseen(r rune) bool {
	switch {
	case r == '\u061C', r == '\u200B', r == '\u200E', r == '\u200F', r == '\u2028', r == '\u2029', r == '\uFEFF',
		r >= '\u202A' && r <= '\u202E', r >= '\u2060' && r <= '\u206F', r >= '\U000E0000' && r <= '\U000E007F':
		return true
	}
	return false
}

// opensTag reports whether a browser reads what follows a "<" as markup.
func opensTag(rest string) bool {
	if rest == "" {
		return false
	}
	c := rest[0] | 0x20 // in lower case if it is a letter
	return c >= 'a' && c <= 'z' || strings.IndexByte("/!?", rest[0]) >= 0
}

func checkRiderURL(field, s string) error {
	if len(s) > MaxAlertURL {
		return Errorf(CodeOutOfRange, field, "must be at most %d bytes, got %d", MaxAlertURL, len(s))
	}
	secure := s
	if rest, plain := strings.CutPrefix(s, "http://"); plain {
		secure = "https://" + rest
	}
	if err := checkRiderText(field, s, MaxAlertURL, false); err != nil {
		return err
	}
	if CheckMediaURL(field, secure) != nil || strings.ContainsAny(s, "'`{}|^") {
		return Errorf(CodeInvalid, field, "must be an http or https address without a user, got %.80q", s)
	}
	return nil
}
