package apitest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// Limits of the lists in an example.
const (
	shownElements = 2 // of a list of objects
	shownPoints   = 4 // of a list of lists, as of a polygon's points
	shownScalars  = 6
)

// Trim returns JSON with the first elements of its lists, in lines of at most width characters.
func Trim(raw []byte, width int) (string, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var b bytes.Buffer
	if err := trimValue(d, &b); err != nil {
		return "", err
	}
	return wrap(b.String(), width), nil
}

// trimValue copies one value.
func trimValue(d *json.Decoder, b *bytes.Buffer) error {
	token, err := d.Token()
	switch {
	case err != nil:
		return err
	case token == json.Delim('{'):
		return trimObject(d, b)
	case token == json.Delim('['):
		return trimList(d, b)
	}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	err = e.Encode(token)
	b.Truncate(b.Len() - 1) // the line's end
	return err
}

// A table of more than maxTable objects by id, such as the parameters of an EDR collection, is told by its first
// shownRows.
const (
	maxTable  = 20
	shownRows = 3
)

func trimObject(d *json.Decoder, b *bytes.Buffer) error {
	var members []string
	table := true
	for d.More() {
		var name, value bytes.Buffer
		if err := trimValue(d, &name); err != nil {
			return err
		}
		if err := trimValue(d, &value); err != nil {
			return err
		}
		table = table && value.Bytes()[0] == '{'
		members = append(members, name.String()+": "+value.String())
	}
	if table && len(members) > maxTable {
		members = members[:shownRows]
	}
	b.WriteString("{" + strings.Join(members, ", ") + "}")
	_, err := d.Token()
	return err
}

func trimList(d *json.Decoder, b *bytes.Buffer) error {
	b.WriteString("[")
	for i := 0; d.More(); i++ {
		var element bytes.Buffer
		if err := trimValue(d, &element); err != nil {
			return err
		}
		shown := shownScalars
		switch element.Bytes()[0] {
		case '{':
			shown = shownElements
		case '[':
			shown = shownPoints
		}
		if i < shown {
			if i > 0 {
				b.WriteString(", ")
			}
			b.Write(element.Bytes())
		}
	}
	b.WriteString("]")
	_, err := d.Token()
	return err
}

// pieces matches what must stay on one line: a member or an element up to its comma.
var pieces = regexp.MustCompile(`(?:"(?:[^"\\]|\\.)*"|[^,"])*,? ?`)

func wrap(s string, width int) string {
	var out strings.Builder
	column := 0
	for _, piece := range pieces.FindAllString(s, -1) {
		long := len([]rune(piece))
		if column > 0 && column+long > width {
			out.WriteString("\n")
			column = 0
		}
		out.WriteString(piece)
		column += long
	}
	return strings.ReplaceAll(out.String(), " \n", "\n")
}
