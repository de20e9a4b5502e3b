package influx

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// A line of the line protocol has the form
//
//	measurement,tag=value,… field=value,field=value,… time
//
// with escapes that differ by position. Decoding rejects control characters. A control character that gets here in
// spite of that is replaced by unprintable, because a newline would let a sender inject a row.
const unprintable = '?'

// InfluxDB can't represent a tag that ends with a backslash, and its versions differ in how they read a backslash
// before a comma, a space or an equals sign. Therefore stored tags contain no backslash: it is written as a fullwidth
// backslash and a minus, and a fullwidth backslash, which is not to be expected in an id, is doubled.
const (
	backslashInTag = "＼-"
	fullwidth      = "＼"
)

// tagText returns the text that tagValue encoded as value.
func tagText(value string) string {
	if !strings.Contains(value, fullwidth) {
		return value
	}
	return strings.NewReplacer(fullwidth+fullwidth, fullwidth, backslashInTag, `\`).Replace(value)
}

// tagValue returns text in the form in which tags are stored.
func tagValue(text string) string {
	if !strings.ContainsAny(text, `\`+fullwidth) {
		return text
	}
	return strings.NewReplacer(fullwidth, fullwidth+fullwidth, `\`, backslashInTag).Replace(text)
}

// appendTag appends ",key=value". InfluxDB has no empty tags, so an empty text is left out.
func appendTag(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(dst, ',')
	dst = append(dst, key...)
	dst = append(dst, '=')
	if plainTag(text) {
		return append(dst, text...)
	}
	return appendEscapedTag(dst, tagValue(text))
}

// plainTag reports whether text needs no escapes, which holds for nearly all ids.
func plainTag(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c == ' ', c == ',', c == '=', c == '\\', c == 0x7f, c == fullwidth[0]:
			return false
		}
	}
	return true
}

func appendEscapedTag(dst []byte, value string) []byte {
	for i := range len(value) {
		switch c := value[i]; {
		case c == ' ', c == ',', c == '=':
			dst = append(dst, '\\', c)
		case c < ' ', c == 0x7f:
			dst = append(dst, unprintable)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendText appends `,key="text"`, or nothing if text is empty.
func appendText(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	dst = appendKey(dst, key)
	dst = append(dst, '"')
	done := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		dst = append(dst, text[done:i]...)
		done = i + 1
		if c == '"' || c == '\\' {
			dst = append(dst, '\\', c)
		} else {
			dst = append(dst, unprintable)
		}
	}
	dst = append(dst, text[done:]...)
	return append(dst, '"')
}

// appendReceived appends the first field, which all rows but assessments have.
func appendReceived(dst []byte, received time.Time) []byte {
	dst = append(dst, ' ')
	dst = append(dst, colReceived...)
	dst = append(dst, '=')
	dst = strconv.AppendInt(dst, received.UnixMilli(), 10)
	return append(dst, 'i')
}

// appendRevision appends the revision tag, or nothing if n is 0.
func appendRevision(dst []byte, n int) []byte {
	if n == 0 {
		return dst
	}
	dst = append(dst, ',')
	dst = append(dst, colRevision...)
	dst = append(dst, '=')
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendPeriod appends the averaging period's tag in the format of nhip.FormatPeriod, without an allocation.
func appendPeriod(dst []byte, d time.Duration) []byte {
	if d%time.Second != 0 {
		return appendTag(dst, colPeriod, d.String()) // no station has such a period
	}
	dst = append(dst, ',')
	dst = append(dst, colPeriod...)
	dst = append(dst, '=')
	switch {
	case d%time.Hour == 0:
		return append(strconv.AppendInt(dst, int64(d/time.Hour), 10), 'h')
	case d%time.Minute == 0:
		return append(strconv.AppendInt(dst, int64(d/time.Minute), 10), 'm')
	}
	return append(strconv.AppendInt(dst, int64(d/time.Second), 10), 's')
}

func appendOptFloat(dst []byte, key string, v nhip.Opt[float64]) []byte {
	if f, ok := v.Get(); ok {
		return appendFloat(dst, key, f)
	}
	return dst
}

func appendOptInt(dst []byte, key string, v nhip.Opt[int]) []byte {
	if n, ok := v.Get(); ok {
		return appendInt(dst, key, int64(n))
	}
	return dst
}

func appendFloat(dst []byte, key string, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst
	}
	return appendNumber(appendKey(dst, key), f)
}

// decimals scales a number to eight decimal places: 1 mm in degrees, and more than devices send.
const decimals = 1e8

// maxExact is the largest number below which a float64 holds every integer.
const maxExact = 1 << 53

// appendNumber appends f in a form that parses to the same float64. Nearly all numbers here have few decimals. Those
// are formatted as integers with a decimal point inserted, which takes half the time. This is exact: a parser computes
// n/decimals, and both round the same quotient once.
func appendNumber(dst []byte, f float64) []byte {
	n := math.Round(f * decimals)
	if math.Abs(n) >= maxExact || n/decimals != f {
		return strconv.AppendFloat(dst, f, 'g', -1, 64)
	}
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	whole, part := uint64(n)/decimals, uint64(n)%decimals
	dst = strconv.AppendUint(dst, whole, 10)
	if part == 0 {
		return dst
	}
	start := len(dst)
	dst = strconv.AppendUint(dst, part+decimals, 10) // the leading 1 keeps the zeros and is replaced by the point
	dst[start] = '.'
	return bytes.TrimRight(dst, "0")
}

func appendInt(dst []byte, key string, n int64) []byte {
	return append(strconv.AppendInt(appendKey(dst, key), n, 10), 'i')
}

func appendBool(dst []byte, key string, b bool) []byte {
	return strconv.AppendBool(appendKey(dst, key), b)
}

func appendKey(dst []byte, key string) []byte {
	dst = append(dst, ',')
	dst = append(dst, key...)
	return append(dst, '=')
}

// appendTime appends the time and the newline.
func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, t.UnixMilli(), 10)
	return append(dst, '\n')
}
