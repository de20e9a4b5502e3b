package influx

import (
	"strings"
	"testing"
	"time"
)

// splitStatement separates a statement into its text outside quotes and the quoted names and texts, by the rules of
// InfluxQL (https://github.com/influxdata/influxql, section Strings and Identifiers).
func splitStatement(t testing.TB, statement string) (outside string, quoted []string) {
	var b, text strings.Builder
	var quote byte
	for i := 0; i < len(statement); i++ {
		c := statement[i]
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			text.Reset()
		case quote == 0:
			b.WriteByte(c)
		case c == quote:
			quoted = append(quoted, text.String())
			quote = 0
		case c == '\n':
			t.Fatalf("line break in quotes: %q", statement)
		case c == '\\':
			i++
			if i == len(statement) {
				t.Fatalf("open escape: %q", statement)
			}
			if statement[i] == 'n' {
				text.WriteByte('\n')
			} else if strings.IndexByte(`"'\`, statement[i]) >= 0 {
				text.WriteByte(statement[i])
			} else {
				t.Fatalf("invalid escape: %q", statement)
			}
		default:
			text.WriteByte(c)
		}
	}
	if quote != 0 {
		t.Fatalf("open quote: %q", statement)
	}
	return b.String(), quoted
}

// FuzzSelectionQuotes checks that names and values never change a statement: outside the quotes it is always the same,
// and what is in quotes is what was given.
func FuzzSelectionQuotes(f *testing.F) {
	for _, seed := range []string{
		"hn-01", `'`, `"`, `\`, `\'`, `\"`, "\n", `' OR ''='`, `"; DROP DATABASE nhip; --`, `/.*/`, `=~ /x/`, `$1`, "\x00",
		"Hà Nội", `'/* */`, "＼", `\n`, "a\\",
	} {
		f.Add(seed, seed)
	}
	at := time.UnixMilli(0)
	f.Fuzz(func(t *testing.T, name, value string) {
		s := &Selection{
			Measurement: name, Columns: []Column{{Name: name, Type: Float}, {Name: name, Type: Tag}},
			Where: []TagCondition{where(name, value, "x")}, From: at, To: at.Add(time.Second), Function: Last,
			GroupBy: []string{name},
		}
		outside, quoted := splitStatement(t, s.influxQL())
		const want = "SELECT last(), ::tag FROM  WHERE time >= 0ms AND time < 1000ms AND (::tag =  OR ::tag = ) GROUP BY "
		if outside != want {
			t.Errorf("outside the quotes: %q", outside)
		}
		for i, want := range []string{name, name, name, name, tagValue(value), name, "x", name} {
			if quoted[i] != want {
				t.Errorf("quoted %d: %q, want %q", i, quoted[i], want)
			}
		}
	})
}

// FuzzReadMsgpack checks that no response makes the decoder panic, allocate much or loop.
func FuzzReadMsgpack(f *testing.F) {
	f.Add([]byte("\x81\xa7results\x91\x82\xacstatement_id\x00\xa6series\x90"))
	f.Add([]byte("\x81\xa5error\xa3bad"))
	f.Add([]byte("\x81\xa7results\xdd\xff\xff\xff\xff"))
	f.Add([]byte("\x81\xa7results\x91\x82\xa6series\x91\x82\xa7columns\x92\xa4time\xa1v\xa6values\x91\x92\x01\xcb" +
		"\x40\x41\x80\x00\x00\x00\x00\x00\xa7partial\xc3"))
	s := &Selection{Measurement: "m", Columns: []Column{{Name: "v", Type: Float}}}
	f.Fuzz(func(t *testing.T, body []byte) {
		rows := 0
		_ = readMsgpack(strings.NewReader(string(body)), s, func(*Row) error { rows++; return nil })
		_ = readJSON(strings.NewReader(string(body)), s, func(*Row) error { rows++; return nil })
		if rows > len(body) {
			t.Errorf("%d rows of %d bytes", rows, len(body))
		}
	})
}
