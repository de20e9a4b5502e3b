package officetable

import (
	"errors"
	"regexp"
	"strings"
)

// nones are the words for "no value" in cells, as fold writes them.
var nones = map[string]bool{
	"": true, "-": true, "--": true, "---": true, "–": true, "—": true, "n/a": true, "na": true, "#n/a": true,
	"nan": true, "null": true, "none": true, "nil": true, ".": true, "..": true, "...": true, "x": true, "unknown": true,
	"unavailable": true, "no data": true, "nodata": true, "missing": true, "khong co": true, "khong co so lieu": true,
	"khong do": true, "mat so lieu": true, "thieu": true, "mat du lieu": true,
}

func isNone(text string) bool {
	if text == "" {
		return true
	}
	if c := text[0]; c >= '0' && c <= '9' {
		return false
	}
	return nones[fold(text)]
}

var (
	plainNumber = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$`)
	// groups of thousands, and one group that may be a fraction of three digits as well
	pointGroups = regexp.MustCompile(`^[+-]?[1-9]\d{0,2}(\.\d{3})+$`)
	commaGroups = regexp.MustCompile(`^[+-]?[1-9]\d{0,2}(,\d{3})+$`)
)

// decimalSigns is what the numbers of a table show about their decimal sign.
type decimalSigns struct{ comma, point, unclearComma, unclearPoint string } // an example of each

func (d *decimalSigns) see(text string) {
	text = spaceless(text)
	comma, point := strings.LastIndexByte(text, ','), strings.LastIndexByte(text, '.')
	switch {
	case !looksNumeric(text) || comma < 0 && point < 0:
	case comma >= 0 && point >= 0:
		if comma > point {
			d.comma = text
		} else {
			d.point = text
		}
	case comma >= 0 && strings.Count(text, ",") > 1:
		d.point = text // groups of thousands have commas
	case point >= 0 && strings.Count(text, ".") > 1:
		d.comma = text
	case commaGroups.MatchString(text):
		d.unclearComma = text
	case pointGroups.MatchString(text):
		d.unclearPoint = text
	case comma >= 0:
		d.comma = text
	default:
		d.point = text
	}
}

func looksNumeric(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.,+-eE") == "" && strings.ContainsAny(text, "0123456789")
}

// findDecimal determines the decimal sign from all numbers of the table.
func (t *Table) findDecimal() error {
	var seen decimalSigns
	for i := range t.rows {
		for _, c := range t.columns.values {
			if c := t.rows[i].cell(c.at); !c.numeric {
				seen.see(c.text)
			}
		}
	}
	switch {
	case t.o.Decimal == "comma":
		t.comma = true
	case t.o.Decimal == "point":
	case seen.comma != "" && seen.point != "":
		return errors.New("numbers have both decimal signs, as in " + seen.comma + " and " + seen.point +
			": set --decimal to comma or point")
	case seen.comma != "":
		t.comma = true
	case seen.point != "":
	case seen.unclearComma != "":
		return errors.New(seen.unclearComma + " may be a fraction or thousands: set --decimal to comma or point")
	case seen.unclearPoint != "":
		return errors.New(seen.unclearPoint + " may be a fraction or thousands: set --decimal to comma or point")
	}
	if t.comma {
		t.notes = append(t.notes, "decimal sign: comma")
	}
	return nil
}

// number returns a number with a decimal point.
func (t *Table) number(c cell) (string, bool) {
	text := strings.ReplaceAll(spaceless(c.text), "−", "-") // U+2212
	switch {
	case c.numeric:
	case t.comma:
		if point := strings.IndexByte(text, '.'); point >= 0 {
			whole, _, _ := strings.Cut(text, ",")
			if !pointGroups.MatchString(whole) {
				return "", false
			}
			text = strings.ReplaceAll(text, ".", "")
		}
		text = strings.Replace(text, ",", ".", 1)
	case strings.IndexByte(text, ',') >= 0:
		whole, _, _ := strings.Cut(text, ".")
		if !commaGroups.MatchString(whole) {
			return "", false
		}
		text = strings.ReplaceAll(text, ",", "")
	}
	if !plainNumber.MatchString(text) {
		return "", false
	}
	text = strings.TrimPrefix(text, "+")
	if strings.HasPrefix(text, ".") {
		text = "0" + text
	}
	if rest, ok := strings.CutPrefix(text, "-."); ok {
		text = "-0." + rest
	}
	return trimNumber(text), true
}

// trimNumber writes a number as JSON does, which the decoder reads: without leading zeros or a point at the end.
func trimNumber(text string) string {
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	for len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		text = text[1:]
	}
	return sign + strings.TrimSuffix(text, ".")
}

// canonical returns a number as number does, and other text as it is.
func (t *Table) canonical(c cell) string {
	if isNone(c.text) {
		return ""
	}
	if n, ok := t.number(c); ok {
		return n
	}
	if n, ok := (&Table{comma: !t.comma}).number(c); ok { // a coordinate with the other sign is no thousands
		return n
	}
	return c.text
}

// spaceless removes the spaces that group digits.
func spaceless(text string) string {
	return strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", "\u2009", "").Replace(text)
}
