// Package jsonscan reads JSON payloads field by field, without reflection and without allocating unused values: a bus
// position takes one microsecond instead of six. It accepts exactly the JSON of RFC 8259 in UTF-8. Its errors contain
// the position and what was expected there.
package jsonscan

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"nhip"
)

// maxDepth limits the nesting of values, so that a malicious payload can't exhaust the stack.
const maxDepth = 64

// Scanner reads one JSON text. Use New to create one.
type Scanner struct {
	data  []byte
	pos   int
	depth int
}

// New returns a Scanner at the start of data, which must not change while the Scanner is in use.
func New(data []byte) Scanner { return Scanner{data: data} }

// Object reads an object and calls field for each key with the scanner at the value, which field must read or Skip.
// The key is valid only during the call. If the error of field is an *nhip.Error, the key is added to its field name.
// A key that occurs twice is an error, because it is not clear which value is meant.
func (s *Scanner) Object(field func(key []byte) error) error {
	var seen keySet
	return s.object(func(key []byte) error {
		if !seen.add(key) {
			return nhip.Errorf(nhip.CodeMalformed, "", "occurs twice")
		}
		return field(key)
	})
}

func (s *Scanner) object(field func(key []byte) error) error {
	if err := s.open('{', "an object"); err != nil {
		return err
	}
	if s.consume('}') {
		s.depth--
		return nil
	}
	for {
		key, err := s.text()
		if err != nil {
			return err
		}
		if !s.consume(':') {
			return s.fail("':' after a key")
		}
		if err := field(key); err != nil {
			return InField(err, string(key))
		}
		if s.consume(',') {
			continue
		}
		if s.consume('}') {
			s.depth--
			return nil
		}
		return s.fail("',' or '}'")
	}
}

// Array reads an array and calls item with the scanner at each element.
func (s *Scanner) Array(item func() error) error {
	if err := s.open('[', "an array"); err != nil {
		return err
	}
	if s.consume(']') {
		s.depth--
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.consume(',') {
			continue
		}
		if s.consume(']') {
			s.depth--
			return nil
		}
		return s.fail("',' or ']'")
	}
}

// End checks that only white space follows.
func (s *Scanner) End() error {
	if s.skipSpace(); s.pos < len(s.data) {
		return s.fail("the end of the payload")
	}
	return nil
}

// Next returns the first byte of the next value without reading it, which shows the type of the value: '{', '[', '"',
// 't', 'f', 'n', or the first byte of a number. It returns 0 at the end.
func (s *Scanner) Next() byte {
	s.skipSpace()
	return s.peek()
}

// Null reads null if it is next, and reports whether it was.
func (s *Scanner) Null() bool { return s.literal("null") }

// Bool reads true or false.
func (s *Scanner) Bool() (bool, error) {
	if s.literal("true") {
		return true, nil
	}
	if s.literal("false") {
		return false, nil
	}
	return false, s.fail("true or false")
}

// Float reads a number.
func (s *Scanner) Float() (float64, error) {
	raw, err := s.number()
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(view(raw), 64)
	if err != nil {
		return 0, nhip.Errorf(nhip.CodeOutOfRange, "", "exceeds the range of a 64-bit float: %s", raw)
	}
	return f, nil
}

// Int reads a whole number.
func (s *Scanner) Int() (int, error) {
	raw, err := s.number()
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(view(raw))
	if err != nil {
		return 0, nhip.Errorf(nhip.CodeMalformed, "", "must be a whole number, got %s", raw)
	}
	return n, nil
}

// Text reads a string. The bytes may share the payload's memory.
func (s *Scanner) Text() ([]byte, error) { return s.text() }

// View reads a string that may share the payload's memory. The caller must copy or drop it before the payload changes.
func (s *Scanner) View() (string, error) {
	b, err := s.text()
	return view(b), err
}

// StringOrNumber reads a string, or the text of a number, for ids that senders write in both ways. The result may share
// the payload's memory, as that of View.
func (s *Scanner) StringOrNumber() (string, error) {
	if s.isText() {
		return s.View()
	}
	b, err := s.number()
	return view(b), err
}

// FloatOrString reads a number that may be in quotes.
func (s *Scanner) FloatOrString() (float64, error) {
	if !s.isText() {
		return s.Float()
	}
	text, err := s.text()
	if err != nil {
		return 0, err
	}
	inner := New(text)
	f, err := inner.Float()
	if err != nil || inner.End() != nil {
		return 0, nhip.Errorf(nhip.CodeMalformed, "", "must be a number, got %q", text)
	}
	return f, nil
}

func (s *Scanner) isText() bool {
	s.skipSpace()
	return s.peek() == '"'
}

// IsArray reports whether an array comes next.
func (s *Scanner) IsArray() bool {
	s.skipSpace()
	return s.peek() == '['
}

// String reads a string and copies it.
func (s *Scanner) String() (string, error) {
	b, err := s.text()
	return string(b), err
}

// Skip skips a value of any type.
func (s *Scanner) Skip() error {
	s.skipSpace()
	switch s.peek() {
	case '{':
		return s.object(func([]byte) error { return s.Skip() })
	case '[':
		return s.Array(s.Skip)
	case '"':
		_, err := s.text()
		return err
	case 't', 'f':
		_, err := s.Bool()
		return err
	case 'n':
		if s.Null() {
			return nil
		}
		return s.fail("null")
	default:
		_, err := s.number()
		return err
	}
}

func (s *Scanner) open(c byte, what string) error {
	if !s.consume(c) {
		return s.fail(what)
	}
	if s.depth++; s.depth > maxDepth {
		return nhip.Errorf(nhip.CodeMalformed, "", "nests deeper than %d", maxDepth)
	}
	return nil
}

func (s *Scanner) skipSpace() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

func (s *Scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func (s *Scanner) consume(c byte) bool {
	s.skipSpace()
	if s.peek() != c || s.pos >= len(s.data) {
		return false
	}
	s.pos++
	return true
}

func (s *Scanner) literal(word string) bool {
	s.skipSpace()
	if !bytes.HasPrefix(s.data[s.pos:], []byte(word)) {
		return false
	}
	s.pos += len(word)
	return true
}

// text reads a string. A string without escapes, which nearly all are, is not copied.
func (s *Scanner) text() ([]byte, error) {
	if !s.consume('"') {
		return nil, s.fail("a string")
	}
	start := s.pos
	escaped, wide := false, false
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			raw := s.data[start:s.pos]
			s.pos++
			if wide && !utf8.Valid(raw) {
				return nil, nhip.Errorf(nhip.CodeMalformed, "", "must be UTF-8")
			}
			if escaped {
				return unescape(s.data[start-1 : s.pos])
			}
			return raw, nil
		case c == '\\':
			escaped = true
			s.pos++ // an escaped character can't end the string
		case c < 0x20:
			return nil, s.fail("no control character in a string")
		case c >= utf8.RuneSelf:
			wide = true
		}
		s.pos++
	}
	return nil, s.fail("the end of a string")
}

func unescape(quoted []byte) ([]byte, error) {
	var out string
	if err := json.Unmarshal(quoted, &out); err != nil {
		return nil, nhip.Errorf(nhip.CodeMalformed, "", "holds an unknown escape")
	}
	return []byte(out), nil
}

// number reads a number as in RFC 8259 §6; strconv would accept more.
func (s *Scanner) number() ([]byte, error) {
	s.skipSpace()
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	switch {
	case s.peek() == '0':
		s.pos++
	case !s.digits():
		s.pos = start
		return nil, s.fail("a number")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return nil, s.fail("a digit after the point")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return nil, s.fail("a digit in the exponent")
		}
	}
	return s.data[start:s.pos], nil
}

func (s *Scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}

func (s *Scanner) fail(want string) error {
	if s.pos >= len(s.data) {
		return nhip.Errorf(nhip.CodeMalformed, "", "the JSON ends at byte %d where %s was expected", s.pos, want)
	}
	return nhip.Errorf(nhip.CodeMalformed, "", "expected %s at byte %d, got %q", want, s.pos, s.data[s.pos])
}

// InField adds an outer name to the field of an error, as Object does for its keys. The name of an array element is
// "[3]".
func InField(err error, name string) error {
	e, ok := err.(*nhip.Error)
	if !ok {
		return err
	}
	switch {
	case e.Field == "":
		e.Field = name
	case e.Field[0] == '[':
		e.Field = name + e.Field
	case e.Field != name:
		e.Field = name + "." + e.Field
	}
	return e
}

// view returns bytes as a string without a copy.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
