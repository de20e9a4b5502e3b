package officetable

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A workbook is a zip of XML parts (ECMA-376, part 1). This reader knows what a table of readings needs: the values of
// one sheet, shared strings, and which number formats are dates.

type workbook struct {
	Properties struct {
		Date1904 string `xml:"date1904,attr"`
	} `xml:"workbookPr"`
	Sheets []struct {
		Name  string `xml:"name,attr"`
		State string `xml:"state,attr"`
		ID    string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
	} `xml:"sheets>sheet"`
}

type relations struct {
	Relations []struct {
		ID     string `xml:"Id,attr"`
		Target string `xml:"Target,attr"`
	} `xml:"Relationship"`
}

// richText is a string of one or more runs.
type richText struct {
	Text string `xml:"t"`
	Runs []struct {
		Text string `xml:"t"`
	} `xml:"r"`
}

func (r *richText) String() string {
	text := r.Text
	for _, run := range r.Runs {
		text += run.Text
	}
	return text
}

type styles struct {
	Formats []struct {
		ID   int    `xml:"numFmtId,attr"`
		Code string `xml:"formatCode,attr"`
	} `xml:"numFmts>numFmt"`
	Cells []struct {
		Format int `xml:"numFmtId,attr"`
	} `xml:"cellXfs>xf"`
}

type sheetRow struct {
	Number int `xml:"r,attr"`
	Cells  []struct {
		Ref    string   `xml:"r,attr"`
		Type   string   `xml:"t,attr"`
		Style  int      `xml:"s,attr"`
		Value  string   `xml:"v"`
		Inline richText `xml:"is"`
	} `xml:"c"`
}

// book holds what the cells of a sheet refer to.
type book struct {
	zip     *zip.Reader
	strings []string
	dates   []bool // by style
	epoch   time.Time
	left    int64 // bytes that may still be unpacked
}

// readWorkbook returns the rows of a sheet: the named one, or the only one that is visible.
func readWorkbook(content []byte, sheet string) ([]line, error) {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil, fmt.Errorf("is not a workbook (.xlsx): %w", err)
	}
	b := &book{zip: z, left: 4 * maxBytes}
	part, err := b.open(sheet)
	if err != nil {
		return nil, err
	}
	return b.rows(part)
}

// open reads the parts beside the sheets and returns the name of the sheet's part.
func (b *book) open(sheet string) (string, error) {
	var w workbook
	if err := b.read("xl/workbook.xml", &w); err != nil {
		return "", err
	}
	b.epoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	if w.Properties.Date1904 == "1" || w.Properties.Date1904 == "true" {
		b.epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	id, visible := "", []string{}
	for _, s := range w.Sheets {
		if sheet != "" && s.Name == sheet {
			id, visible = s.ID, []string{s.Name}
			break
		}
		if sheet == "" && s.State != "hidden" && s.State != "veryHidden" {
			id, visible = s.ID, append(visible, s.Name)
		}
	}
	switch {
	case sheet != "" && id == "":
		return "", fmt.Errorf("the workbook has no sheet %s", quote(sheet))
	case len(visible) != 1:
		return "", fmt.Errorf("the workbook has the sheets %q: choose one with --sheet", visible)
	}
	return b.partOf(id)
}

func (b *book) partOf(id string) (string, error) {
	var r relations
	if err := b.read("xl/_rels/workbook.xml.rels", &r); err != nil {
		return "", err
	}
	if err := b.readStrings(); err != nil {
		return "", err
	}
	if err := b.readStyles(); err != nil {
		return "", err
	}
	for _, rel := range r.Relations {
		if rel.ID == id {
			if strings.HasPrefix(rel.Target, "/") {
				return strings.TrimPrefix(rel.Target, "/"), nil
			}
			return path.Join("xl", rel.Target), nil
		}
	}
	return "", errors.New("the workbook's sheet is missing")
}

// part opens a part, bounded.
func (b *book) part(name string) (io.ReadCloser, error) {
	f, err := b.zip.Open(name)
	if err != nil {
		return nil, fmt.Errorf("is not a workbook (.xlsx): %w", err)
	}
	return struct {
		io.Reader
		io.Closer
	}{&bounded{f, &b.left}, f}, nil
}

// bounded fails once more has been read than left: a zip may unpack to any size.
type bounded struct {
	in   io.Reader
	left *int64
}

// Read reads from the part.
func (r *bounded) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if *r.left -= int64(n); *r.left < 0 {
		return 0, fmt.Errorf("the workbook unpacks to more than %d MiB", 4*maxBytes>>20)
	}
	return n, err
}

func (b *book) read(name string, to any) error {
	in, err := b.part(name)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := xml.NewDecoder(in).Decode(to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// has reports whether the workbook has an optional part.
func (b *book) has(name string) bool {
	for _, f := range b.zip.File {
		if f.Name == name {
			return true
		}
	}
	return false
}

func (b *book) readStrings() error {
	const name = "xl/sharedStrings.xml"
	if !b.has(name) {
		return nil
	}
	var all struct {
		Items []richText `xml:"si"`
	}
	if err := b.read(name, &all); err != nil {
		return err
	}
	for i := range all.Items {
		b.strings = append(b.strings, all.Items[i].String())
	}
	return nil
}

func (b *book) readStyles() error {
	const name = "xl/styles.xml"
	if !b.has(name) {
		return nil
	}
	var s styles
	if err := b.read(name, &s); err != nil {
		return err
	}
	codes := make(map[int]bool)
	for _, f := range s.Formats {
		codes[f.ID] = isDateFormat(f.Code)
	}
	for _, c := range s.Cells {
		date, own := codes[c.Format]
		// the built-in formats of dates and times, also those of East Asia
		builtIn := c.Format >= 14 && c.Format <= 22 || c.Format >= 27 && c.Format <= 36 || c.Format >= 45 && c.Format <= 58
		b.dates = append(b.dates, date || !own && builtIn)
	}
	return nil
}

var literal = regexp.MustCompile(`"[^"]*"|\\.|\[[^\]]*\]|_.|\*.`)

// isDateFormat reports whether a number format shows a date or a time.
func isDateFormat(code string) bool {
	code, _, _ = strings.Cut(code, ";")
	return strings.ContainsAny(strings.ToLower(literal.ReplaceAllString(code, "")), "ymdhs")
}

func (b *book) rows(part string) ([]line, error) {
	in, err := b.part(part)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	d := xml.NewDecoder(in)
	var rows []line
	for number := 1; ; number++ {
		token, err := nextRow(d)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		var r sheetRow
		if err := d.DecodeElement(&r, token); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		if r.Number > 0 {
			number = r.Number
		}
		l, err := b.line(&r, number)
		if err != nil {
			return nil, err
		}
		if rows = append(rows, l); len(rows) > maxRows {
			return nil, fmt.Errorf("more than %d rows: divide the table", maxRows)
		}
	}
}

// nextRow returns the start of the next row.
func nextRow(d *xml.Decoder) (*xml.StartElement, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "row" {
			return &start, nil
		}
	}
}

func (b *book) line(r *sheetRow, number int) (line, error) {
	l := line{number: number}
	for i := range r.Cells {
		c := &r.Cells[i]
		at := len(l.cells)
		if n := columnOf(c.Ref); n >= 0 {
			at = n
		}
		if at >= maxCells {
			return l, fmt.Errorf("row %d: more than %d columns", number, maxCells)
		}
		for len(l.cells) <= at {
			l.cells = append(l.cells, cell{})
		}
		var text cell
		switch c.Type {
		case "s":
			n, err := strconv.Atoi(c.Value)
			if err != nil || n < 0 || n >= len(b.strings) {
				return l, fmt.Errorf("row %d: no shared string %s", number, quote(c.Value))
			}
			text.text = b.strings[n]
		case "inlineStr":
			text.text = c.Inline.String()
		case "", "n":
			text = b.number(c.Value, c.Style)
		default: // text of a formula, an error, an ISO date
			text.text = c.Value
		}
		text.text = strings.TrimSpace(text.text)
		l.cells[at] = text
	}
	return l, nil
}

// number returns a numeric cell, and a date as text.
func (b *book) number(value string, style int) cell {
	days, err := strconv.ParseFloat(value, 64)
	if err != nil || style < 0 || style >= len(b.dates) || !b.dates[style] {
		return cell{value, value != ""}
	}
	if !(days >= 0 && days < 200_000) { // up to the year 2447
		return cell{value, true}
	}
	t := b.epoch.Add(time.Duration(math.Round(days*24*60*60)) * time.Second)
	if days < 1 {
		return cell{t.Format(time.TimeOnly), true}
	}
	return cell{t.Format(time.DateTime), true}
}

// columnOf returns the index of a cell's column, from 0, in a reference as in "AB12"; -1 if there is none.
func columnOf(ref string) int {
	n := 0
	for i := 0; i < len(ref) && ref[i] >= 'A' && ref[i] <= 'Z' && n < maxCells*26; i++ {
		n = n*26 + int(ref[i]-'A') + 1
	}
	return n - 1
}
