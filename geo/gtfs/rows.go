package gtfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// rowReader reads the rows of a CSV file, whatever is wrong with them: a flaw costs its row or less. A quoted value
// may go on over several lines only if it ends as RFC 4180 demands; otherwise its quote is part of the value, so that
// one stray quote does not swallow the rows after it.
type rowReader struct {
	r        io.Reader
	buf      []byte // a window of the file
	from, to int    // what is in the window and not used
	err      error  // at the end of the window
	columns  int    // of the header; 0 while the header is read
	line     int    // of the current row, the first one is 1
	lines    int    // that are used
	newline  byte   // ends a line
	comma    byte   // separates values
	utf16    bool   // the file is UTF-16
}

// Bounds of a row in bytes.
const (
	maxQuoted = 8 << 10 // of a quoted value with line breaks
	maxBreaks = 20      // quoted values with line breaks in one row
)

// rowFlaws are what is odd in a row that can be read.
type rowFlaws struct {
	quotes   bool // that are not closed or not doubled
	encoding bool // bytes that are not UTF-8
}

var errLongRecord = fmt.Errorf("a row must have at most %d bytes", maxRecord)

func newRowReader(r io.Reader) *rowReader {
	return &rowReader{r: r, buf: make([]byte, maxRecord), newline: '\n', comma: ','}
}

// fill reads more into the window. It returns false at the end of the file and if the window is full.
func (r *rowReader) fill() bool {
	if r.from > 0 {
		copy(r.buf, r.buf[r.from:r.to])
		r.from, r.to = 0, r.to-r.from
	}
	if r.err != nil || r.to == len(r.buf) {
		return false
	}
	n, err := r.r.Read(r.buf[r.to:])
	r.to, r.err = r.to+n, err
	return n > 0 || err == nil
}

// index returns the place of a byte at or after a place of the window, at most limit bytes from its beginning, or -1.
func (r *rowReader) index(b byte, at, limit int) int {
	for {
		if end := min(r.to-r.from, limit); at < end {
			if i := bytes.IndexByte(r.buf[r.from+at:r.from+end], b); i >= 0 {
				return at + i
			}
			at = end
		}
		if at >= limit || !r.fill() {
			return -1
		}
	}
}

// lineEnd returns the length of the line with its break that contains a place of the window. At the end of the file
// the break may be missing. It returns -1 if the line is longer than the window.
func (r *rowReader) lineEnd(at int) int {
	if i := r.index(r.newline, at, len(r.buf)); i >= 0 {
		return i + 1
	}
	if r.to-r.from == len(r.buf) {
		return -1
	}
	return r.to - r.from
}

// begin skips byte order marks, and finds out how the file is written: as UTF-8 or UTF-16, how lines end (in old files
// of the Macintosh with \r alone), and what separates values.
func (r *rowReader) begin() {
	r.detectUTF16()
	for r.skipMark() { // programs that write one before each file that they join may write two
		continue
	}
	if r.index('\n', 0, len(r.buf)) < 0 && r.index('\r', 0, len(r.buf)) >= 0 {
		r.newline = '\r'
	}
	if !r.declaredSeparator() {
		r.detectSeparator()
	}
}

// declaredSeparator passes over a first line as sep=; which tells Excel what separates values, and takes it from there.
func (r *rowReader) declaredSeparator() bool {
	n := r.lineEnd(0)
	if n < 0 {
		return false
	}
	line := strings.Trim(r.text(n), `"`)
	if len(line) != len("sep=,") || !strings.EqualFold(line[:len(line)-1], "sep=") {
		return false
	}
	r.comma = line[len(line)-1]
	r.use(n)
	return true
}

// skipMark skips one byte order mark and reports whether there was one.
func (r *rowReader) skipMark() bool {
	for r.to-r.from < len(byteOrderMark) && r.fill() {
		continue
	}
	if !bytes.HasPrefix(r.buf[r.from:r.to], []byte(byteOrderMark)) {
		return false
	}
	r.from += len(byteOrderMark)
	return true
}

// detectUTF16 makes the reader decode a file that is UTF-16, as spreadsheets write "Unicode text". Without a byte order
// mark, every other byte of the header is zero.
func (r *rowReader) detectUTF16() {
	const few = 4
	for r.to-r.from < few && r.fill() {
		continue
	}
	b := r.buf[r.from:r.to]
	if len(b) < few {
		return
	}
	order := unicode.LittleEndian
	switch {
	case b[0] == 0xff && b[1] == 0xfe, b[0] != 0 && b[1] == 0 && b[2] != 0 && b[3] == 0:
	case b[0] == 0xfe && b[1] == 0xff, b[0] == 0 && b[1] != 0 && b[2] == 0 && b[3] != 0:
		order = unicode.BigEndian
	default:
		return
	}
	rest := r.r
	if r.err != nil {
		rest = failedReader{r.err}
	}
	raw := io.MultiReader(bytes.NewReader(bytes.Clone(b)), rest)
	r.r = transform.NewReader(raw, unicode.UTF16(order, unicode.UseBOM).NewDecoder())
	r.from, r.to, r.err, r.utf16 = 0, 0, nil, true
}

// failedReader returns an error that was read already.
type failedReader struct{ err error }

// Read returns the error.
func (f failedReader) Read([]byte) (int, error) { return 0, f.err }

// detectSeparator finds what separates the names of the header most often. Spreadsheets write semicolons or tabs where
// the comma is the decimal point.
func (r *rowReader) detectSeparator() {
	n := r.lineEnd(0)
	if n < 0 {
		return
	}
	header := r.buf[r.from : r.from+n]
	most := bytes.Count(header, []byte{','})
	for _, c := range []byte{';', '\t', '|'} {
		if found := bytes.Count(header, []byte{c}); found > most {
			r.comma, most = c, found
		}
	}
}

// next returns the values of the next row that is not blank; record may be reused. The error is errLongRecord for a
// row that is passed over.
func (r *rowReader) next(record []string) ([]string, rowFlaws, error) {
	for {
		r.line = r.lines + 1
		n := r.lineEnd(0)
		switch {
		case n < 0:
			return nil, rowFlaws{}, r.skipLine()
		case r.err != nil && !errors.Is(r.err, io.EOF) && r.from+n == r.to:
			return nil, rowFlaws{}, r.err
		case n == 0:
			return nil, rowFlaws{}, io.EOF
		}
		text := r.text(n)
		if text == "" {
			r.use(n)
			continue
		}
		record, open, flaws := split(text, r.comma, record[:0], false)
		if open >= 0 {
			record, n, flaws = r.goOn(record, n, open, text)
		}
		r.use(n)
		return record, flaws, nil
	}
}

// text returns the first n bytes of the window without a line break at the end.
func (r *rowReader) text(n int) string {
	return strings.TrimRight(string(r.buf[r.from:r.from+n]), "\r\n")
}

// use passes over bytes of the window.
func (r *rowReader) use(n int) {
	r.lines += max(1, bytes.Count(r.buf[r.from:r.from+n], []byte{r.newline}))
	r.from += n
}

// skipLine passes over a line that is longer than the window.
func (r *rowReader) skipLine() error {
	for {
		r.from = r.to
		if i := r.index(r.newline, 0, len(r.buf)); i >= 0 {
			r.use(i + 1)
			return errLongRecord
		}
		if r.to-r.from < len(r.buf) {
			r.from = r.to
			if r.err != nil && !errors.Is(r.err, io.EOF) {
				return r.err
			}
			r.lines++
			return errLongRecord
		}
	}
}

// goOn reads a row whose quoted value at open does not end on the line of n bytes.
func (r *rowReader) goOn(record []string, n, open int, line string) ([]string, int, rowFlaws) {
	long := n
	for range maxBreaks {
		end := r.quoteEnd(open + 1)
		if r.columns == 0 || end < 0 {
			break
		}
		if long = r.lineEnd(end); long < 0 {
			break
		}
		var flaws rowFlaws
		if record, open, flaws = split(r.text(long), r.comma, record[:0], false); open >= 0 {
			continue
		}
		if len(record) == r.columns && !flaws.quotes {
			return record, long, flaws
		}
		break
	}
	record, _, flaws := split(line, r.comma, record[:0], true)
	return record, n, flaws
}

// quoteEnd returns the place of the quote that ends the value which begins at a place of the window, or -1.
func (r *rowReader) quoteEnd(at int) int {
	limit := min(at+maxQuoted, len(r.buf))
	for {
		i := r.index('"', at, limit)
		if i < 0 {
			return -1
		}
		if i+1 == r.to-r.from {
			r.fill()
		}
		if i+1 < r.to-r.from && r.buf[r.from+i+1] == '"' {
			at = i + 2
			continue
		}
		return i
	}
}

// split splits a row into its values. open is the place of a quote that begins a value and has no end, or -1;
// if literal is set such a quote is left out.
func split(s string, comma byte, fields []string, literal bool) (all []string, open int, flaws rowFlaws) {
	for at := 0; ; {
		begin := skipBlanks(s, comma, at)
		if begin < len(s) && s[begin] == '"' {
			value, end, odd := quoted(s, comma, begin)
			if end < 0 && !literal {
				return fields, begin, flaws
			}
			if end >= 0 {
				flaws.quotes = flaws.quotes || odd
				fields = append(fields, flaws.decode(value))
				if end == len(s) {
					return fields, -1, flaws
				}
				at = end + 1
				continue
			}
			flaws.quotes, at = true, begin+1
		}
		value, rest, more := s[at:], "", false
		if i := strings.IndexByte(value, comma); i >= 0 {
			value, rest, more = value[:i], value[i+1:], true
		}
		flaws.quotes = flaws.quotes || strings.Contains(value, `"`)
		fields = append(fields, flaws.decode(value))
		if !more {
			return fields, -1, flaws
		}
		at = len(s) - len(rest)
	}
}

// skipBlanks returns the place of the first byte at or after a place that is no blank.
func skipBlanks(s string, comma byte, at int) int {
	for at < len(s) && s[at] != comma && (s[at] == ' ' || s[at] == '\t') {
		at++
	}
	return at
}

// quoted returns the value whose quote begins at a place, and the place of the comma or the end after it; -1 if it has
// no end. A quote that is neither doubled nor before a comma is odd, and part of the value.
func quoted(s string, comma byte, begin int) (value string, end int, odd bool) {
	for at := begin + 1; ; {
		i := strings.IndexByte(s[at:], '"')
		if i < 0 {
			return "", -1, odd
		}
		at += i
		if at+1 < len(s) && s[at+1] == '"' {
			at += 2
			continue
		}
		if end = skipBlanks(s, comma, at+1); end == len(s) || s[end] == comma {
			value = s[begin+1 : at]
			if strings.Contains(value, `""`) {
				value = strings.ReplaceAll(value, `""`, `"`)
			}
			return value, end, odd
		}
		odd = true
		at++
	}
}

// decode returns a value as UTF-8. Bytes that are not UTF-8 are taken as Windows-1252, which Latin-1 is a part of.
func (f *rowFlaws) decode(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	f.encoding = true
	var b strings.Builder
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			r = charmap.Windows1252.DecodeByte(s[0])
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

// byteOrderMark is the UTF-8 byte order mark that Windows programs write.
const byteOrderMark = "\xef\xbb\xbf"
