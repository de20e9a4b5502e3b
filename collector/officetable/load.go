package officetable

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// cell is a cell of a table. The text of a numeric cell of a workbook has a decimal point, whatever the language.
type cell struct {
	text    string
	numeric bool
}

// line is a row with its number in the table.
type line struct {
	number int
	cells  []cell
}

func (l *line) cell(at int) cell {
	if at < 0 || at >= len(l.cells) {
		return cell{}
	}
	return l.cells[at]
}

func (l *line) text(at int) string { return l.cell(at).text }

func (l *line) blank() bool { return l.filled() == 0 }

// filled returns the number of cells with text.
func (l *line) filled() (n int) {
	for _, c := range l.cells {
		if c.text != "" {
			n++
		}
	}
	return n
}

// extra returns the first text beyond the columns of the header.
func (l *line) extra(columns int) string {
	for i := columns; i < len(l.cells); i++ {
		if l.cells[i].text != "" {
			return quote(l.cells[i].text)
		}
	}
	return ""
}

// clip returns the row as text for a dead letter.
func (l *line) clip() string {
	var b strings.Builder
	for i, c := range l.cells {
		if i > 0 {
			b.WriteByte(';')
		}
		b.WriteString(c.text)
		if b.Len() > 200 {
			break
		}
	}
	return strings.ToValidUTF8(b.String(), "")
}

// load returns the rows of a file.
func load(content []byte, o *Options) ([]line, error) {
	if len(content) > maxBytes {
		return nil, fmt.Errorf("larger than %d MiB: divide the file", maxBytes>>20)
	}
	if bytes.HasPrefix(content, []byte("PK\x03\x04")) {
		return readWorkbook(content, o.Sheet)
	}
	if bytes.HasPrefix(content, []byte{0xd0, 0xcf, 0x11, 0xe0}) {
		return nil, errors.New("is a workbook of Excel 97-2003 (.xls): save it as .xlsx or CSV")
	}
	text, err := decodeText(content, o.Encoding)
	if err != nil {
		return nil, err
	}
	return splitText(text)
}

// decodeText returns a text as UTF-8.
func decodeText(content []byte, encoding string) (string, error) {
	utf8BOM := bytes.HasPrefix(content, []byte("\xef\xbb\xbf"))
	order := utf16Order(content)
	switch {
	case encoding == "utf-16" && order == nil:
		order = binary.LittleEndian
	case encoding != "" && encoding != "utf-16":
		order = nil
	}
	if order != nil {
		return decodeUTF16(content, order)
	}
	content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
	if bytes.IndexByte(content, 0) >= 0 {
		return "", errors.New("contains zero bytes: is not a text table")
	}
	switch {
	case encoding == "windows-1258":
		return single(content, charmap.Windows1258)
	case encoding == "windows-1252":
		return single(content, charmap.Windows1252)
	case utf8.Valid(content):
		return norm.NFC.String(string(content)), nil
	case encoding == "utf-8" || utf8BOM:
		return "", errors.New("is not valid UTF-8")
	}
	for _, c := range content {
		if c >= utf8.RuneSelf && !strings.ContainsRune("\u00a0°²³µº", rune(c)) {
			return "", errors.New("is not UTF-8: set --encoding to windows-1258 (Vietnamese) or windows-1252 (Western), " +
				"or save the table as CSV UTF-8")
		}
	}
	return single(content, charmap.Windows1252) // these characters have the same bytes in all
}

func single(content []byte, set *charmap.Charmap) (string, error) {
	out, err := set.NewDecoder().Bytes(content)
	return norm.NFC.String(string(out)), err
}

// utf16Order returns the byte order of UTF-16, or nil for another encoding. Without a byte order mark, the zero bytes
// of ASCII characters at the start show it.
func utf16Order(content []byte) binary.ByteOrder {
	if len(content) < 4 {
		return nil
	}
	var zeros [2]int
	start := content[:min(len(content), 512)]
	for i, c := range start {
		if c == 0 {
			zeros[i%2]++
		}
	}
	enough := len(start) / 8
	switch {
	case content[0] == 0xff && content[1] == 0xfe, zeros[1] > enough && zeros[0] == 0:
		return binary.LittleEndian
	case content[0] == 0xfe && content[1] == 0xff, zeros[0] > enough && zeros[1] == 0:
		return binary.BigEndian
	}
	return nil
}

func decodeUTF16(content []byte, order binary.ByteOrder) (string, error) {
	if len(content)%2 != 0 {
		return "", errors.New("is UTF-16 with an odd number of bytes: the file is incomplete")
	}
	units := make([]uint16, len(content)/2)
	for i := range units {
		units[i] = order.Uint16(content[2*i:])
	}
	return norm.NFC.String(strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")), nil
}

// splitText splits a text into rows.
func splitText(text string) ([]line, error) {
	first := 1
	separator := rune(0)
	if rest, ok := strings.CutPrefix(text, "sep="); ok { // the line that tells Excel the separator
		if r, size := utf8.DecodeRuneInString(rest); strings.ContainsRune(";,\t|", r) {
			separator, first = r, 2
			_, text, _ = strings.Cut(rest[size:], "\n")
		}
	}
	// A lone \r ends lines in files of old programs; encoding/csv knows only \n and \r\n.
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	if separator == 0 {
		separator = findSeparator(text)
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes = separator, -1, true
	var rows []line
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		if len(rows) == maxRows || len(row) > maxCells {
			return nil, fmt.Errorf("more than %d rows or %d columns: divide the table", maxRows, maxCells)
		}
		at, _ := r.FieldPos(0)
		l := line{number: at + first - 1, cells: make([]cell, len(row))}
		for i, text := range row {
			l.cells[i].text = strings.TrimSpace(text)
		}
		rows = append(rows, l)
	}
}

// findSeparator returns the separator of which most of the first rows have the same number, at least one. Tabs and
// semicolons come before the comma, which is also a decimal sign.
func findSeparator(text string) rune {
	best, bestScore := ',', 0
	for _, candidate := range []rune{'\t', ';', ',', '|'} {
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord, r.LazyQuotes = candidate, -1, true
		counts, score := make(map[int]int), 0
		for range maxTitles + 20 {
			row, err := r.Read()
			if err != nil {
				break
			}
			if len(row) > 1 {
				counts[len(row)]++
				score = max(score, counts[len(row)])
			}
		}
		// A comma must fit clearly better, because decimals contain commas too.
		if score > bestScore && (bestScore == 0 || candidate == ',' && score > 2*bestScore) {
			best, bestScore = candidate, score
		}
	}
	return best
}
