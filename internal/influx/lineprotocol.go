package influx

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// A line of line protocol is
//
//	measurement,tag=value,… field=value,field=value,… time
//
// with escapes that differ by place. Control characters are refused at the door; should one get
// here all the same it is written as unprintable, because a newline would start a row of the
// sender's own making.
const unprintable = '?'

// InfluxDB has no way to write a backslash that ends a tag, and reads one before a comma, a space
// or an equals sign in more than one way. So tags hold no backslash at all: it is written as the
// fullwidth one and a minus, and the fullwidth one, which nobody has in an id, twice.
const (
	backslashInTag = "＼-"
	fullwidth      = "＼"
)

// tagText turns a tag's value in InfluxDB back into the text it stands for.
func tagText(value string) string {
	if !strings.Contains(value, fullwidth) {
		return value
	}
	return strings.NewReplacer(fullwidth+fullwidth, fullwidth, backslashInTag, `\`).Replace(value)
}

// tagValue returns the value under which InfluxDB keeps a text as a tag.
func tagValue(text string) string {
	if !strings.ContainsAny(text, `\`+fullwidth) {
		return text
	}
	return strings.NewReplacer(fullwidth, fullwidth+fullwidth, `\`, backslashInTag).Replace(text)
}

// appendTag appends ",key=value"; an empty tag can't be written and is left out.
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

// plainTag reports whether text needs no escape at all, as nearly every id does.
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

// appendText appends `,key="text"`; what was not said is left out.
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

// appendReceived begins the fields with the one that every row has.
func appendReceived(dst []byte, received time.Time) []byte {
	dst = append(dst, ' ')
	dst = append(dst, colReceived...)
	dst = append(dst, '=')
	dst = strconv.AppendInt(dst, received.UnixMilli(), 10)
	return append(dst, 'i')
}

// appendRevision appends the tag of what was said again with another content; the first has none.
func appendRevision(dst []byte, n int) []byte {
	if n == 0 {
		return dst
	}
	dst = append(dst, ',')
	dst = append(dst, colRevision...)
	dst = append(dst, '=')
	return strconv.AppendInt(dst, int64(n), 10)
}

// appendPeriod appends the tag of an averaging period as nhip.FormatPeriod writes it, without its
// allocation.
func appendPeriod(dst []byte, d time.Duration) []byte {
	if d%time.Second != 0 {
		return appendTag(dst, colPeriod, d.String()) // no monitor does; exact all the same
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

// decimals is 1 in the eighth decimal place: a millimetre in degrees, and more than devices say.
const decimals = 1e8

// maxExact is the largest number below which a float64 holds every integer.
const maxExact = 1 << 53

// appendNumber writes f so that it reads back as the same float64. Nearly all numbers here have few
// decimals, and those are written as an integer with a point in it, at half the cost: n/decimals
// is what a reader of that text gets, because both round the same quotient once.
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
	dst = strconv.AppendUint(dst, part+decimals, 10) // the 1 in front keeps the zeros; it becomes the point
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

// appendTime ends the line.
func appendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, t.UnixMilli(), 10)
	return append(dst, '\n')
}
