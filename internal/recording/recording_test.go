package recording

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"pgregory.net/rapid"
)

const sample = `2024-02-13T16:33:00.005271Z ` +
	`/hfp/v2/journey/ongoing/vp/bus/0018/01029/5520/1/Matinkylä (M)/17:35/4150208/5/60;24 {"VP":{"desi":"520"}}

2024-02-13T16:33:01Z nhip/in/position/5473 b64:AAH/
`

func write(t *testing.T, name, text string, zip bool) string {
	t.Helper()
	var b bytes.Buffer
	if zip {
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		z.Close()
	} else {
		b.WriteString(text)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func all(next func() (Entry, error)) ([]Entry, error) {
	var out []Entry
	for {
		e, err := next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, e)
	}
}

func TestReadPlainAndGzip(t *testing.T) {
	for _, zip := range []bool{false, true} {
		r, err := Open(write(t, "a.rec", sample, zip))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		got, err := all(r.Next)
		if err != nil || len(got) != 2 {
			t.Fatalf("zip=%v: %d entries, %v", zip, len(got), err)
		}
		if !strings.Contains(got[0].Topic, "/Matinkylä (M)/") || string(got[0].Payload) != `{"VP":{"desi":"520"}}` {
			t.Errorf("zip=%v: first entry %q %q", zip, got[0].Topic, got[0].Payload)
		}
		if !bytes.Equal(got[1].Payload, []byte{0, 1, 255}) {
			t.Errorf("zip=%v: base64 payload %v", zip, got[1].Payload)
		}
		if r.Offset() != r.Size() {
			t.Errorf("zip=%v: offset %d of %d at the end", zip, r.Offset(), r.Size())
		}
	}
}

func TestErrorsNameFileAndLine(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"hello", "a.rec:1: must be"},
		{"\n2024 a {}", `a.rec:2: "2024" is not an RFC 3339 time`},
		{"2024-02-13T16:33:00Z a/b", "a.rec:1: no payload"},
		{"2024-02-13T16:33:00Z a/b b64:!", "a.rec:1: the payload is not base64"},
		{strings.Repeat("x", maxLine+1), "a.rec: can't read beyond line 0"},
	} {
		r, err := Open(write(t, "a.rec", c.text, false))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := all(r.Next); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestBrokenGzip(t *testing.T) {
	whole := write(t, "a.rec.gz", strings.Repeat(sample, 1000), true)
	raw, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.rec.gz")
	if err := os.WriteFile(cut, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(cut)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := all(r.Next); err == nil || !strings.Contains(err.Error(), "cut.rec.gz: can't read beyond line") {
		t.Errorf("truncated gzip: %v", err)
	}
	if _, err := Open(write(t, "b.rec.gz", "\x1f\x8bnonsense", false)); err == nil {
		t.Error("invalid gzip header: no error")
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("missing file: no error")
	}
}

func TestMergeOrdersByTime(t *testing.T) {
	a := write(t, "a.rec", "2024-01-01T00:00:01Z a {}\n2024-01-01T00:00:04Z b {}\n", false)
	b := write(t, "b.rec", "2024-01-01T00:00:00Z c {}\n2024-01-01T00:00:03Z d {}\n2024-01-01T00:00:02Z e {}\n", false)
	m, err := OpenAll([]string{a, b})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got, err := all(m.Next)
	if err != nil {
		t.Fatal(err)
	}
	var order string
	for _, e := range got {
		order += e.Topic
	}
	if order != "cadeb" {
		t.Errorf("order %q, want cadeb (each file in its own order)", order)
	}
}

func TestParseRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Entry{
			Time:    time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), 0).UTC(),
			Topic:   rapid.StringMatching(`[a-z/ ()é+]{1,40}`).Draw(t, "topic"),
			Payload: rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "payload"),
		}
		if rapid.Bool().Draw(t, "object") {
			want.Payload = append([]byte("{"), want.Payload...)
		}
		line := appendLine(nil, want)
		got, err := Parse(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil || !got.Time.Equal(want.Time) || got.Topic != want.Topic || !bytes.Equal(got.Payload, want.Payload) {
			t.Fatalf("%q parsed as %+v, %v", line, got, err)
		}
	})
}

// appendLine appends the line of a message, with a line break.
func appendLine(dst []byte, e Entry) []byte {
	dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, ' ')
	dst = append(dst, e.Topic...)
	if len(e.Payload) > 0 && e.Payload[0] == '{' && !bytes.ContainsAny(e.Payload, "\r\n") {
		return append(append(append(dst, ' '), e.Payload...), '\n')
	}
	dst = append(dst, " b64:"...)
	return append(base64.StdEncoding.AppendEncode(dst, e.Payload), '\n')
}
