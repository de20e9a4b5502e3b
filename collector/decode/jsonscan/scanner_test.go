package jsonscan

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"nhip"
)

func TestErrorsNameTheField(t *testing.T) {
	for _, c := range []struct{ payload, field, rule string }{
		{`{"a":{"b":"x"}}`, "a.b", "expected a number at byte 10, got '\"'"},
		{`{"a":{"b":1.}}`, "a.b", "expected a digit after the point at byte 12, got '}'"},
		{`{"a":{"b":1e999}}`, "a.b", "exceeds the range of a 64-bit float: 1e999"},
		{`{"a":{"b":`, "a.b", "the JSON ends at byte 10 where a number was expected"},
		{`{"a":[]}`, "a", "expected an object at byte 5, got '['"},
		{`[]`, "", "expected an object at byte 0, got '['"},
		{``, "", "the JSON ends at byte 0 where an object was expected"},
	} {
		s := New([]byte(c.payload))
		err := s.Object(func([]byte) error {
			return s.Object(func([]byte) error { _, err := s.Float(); return err })
		})
		e, ok := err.(*nhip.Error)
		if !ok || e.Field != c.field || e.Rule != c.rule {
			t.Errorf("%s: got %#v, want %s: %s", c.payload, err, c.field, c.rule)
		}
	}
}

func TestErrorsNameTheElement(t *testing.T) {
	for payload, field := range map[string]string{
		`{"rows":[{"a":1},{"a":"x"}]}`: "rows[1].a",
		`{"rows":[{"a":1},2]}`:         "rows[1]",
		`{"rows":{}}`:                  "rows",
	} {
		s := New([]byte(payload))
		err := s.Object(func([]byte) error {
			i := -1
			return s.Array(func() error {
				i++
				err := s.Object(func([]byte) error { _, err := s.Float(); return err })
				return InField(err, fmt.Sprintf("[%d]", i))
			})
		})
		var e *nhip.Error
		if !errors.As(err, &e) || e.Field != field {
			t.Errorf("%s: %v, want an error of %s", payload, err, field)
		}
	}
	if err := InField(errors.ErrUnsupported, "a"); err != errors.ErrUnsupported {
		t.Errorf("InField changed another error to %v", err)
	}
}

func TestNextReturnsKindOfValue(t *testing.T) {
	for payload, want := range map[string]byte{
		` {"a":1}`: '{', "\n[]": '[', `"x"`: '"', `true`: 't', `null`: 'n', ` -1`: '-', `7`: '7', ` `: 0, ``: 0,
	} {
		s := New([]byte(payload))
		if got := s.Next(); got != want {
			t.Errorf("%q: %q, want %q", payload, got, want)
		}
		if got := s.Next(); got != want {
			t.Errorf("%q: second Next returned %q, want %q", payload, got, want)
		}
	}
}

func TestObjectRejectsDuplicateKeys(t *testing.T) {
	many := "{"
	for i := range 40 {
		many += fmt.Sprintf(`"k%d":1,`, i)
	}
	for payload, field := range map[string]string{
		`{"a":1,"a":2}`:        "a",
		many + `"k39":1}`:      "k39",
		many + `"k2":1}`:       "k2",
		many + `"new":1}`:      "",
		`{"a":1,"A":2,"b":{}}`: "",
	} {
		s := New([]byte(payload))
		err := s.Object(func([]byte) error { return s.Skip() })
		var e *nhip.Error
		if errors.As(err, &e) != (field != "") || e != nil && e.Field != field {
			t.Errorf("%.60s: %v, want an error of %q", payload, err, field)
		}
	}
}

func TestSkipRejectsDeepNesting(t *testing.T) {
	for _, open := range []string{"[", `{"a":`} {
		s := New([]byte(strings.Repeat(open, 100_000)))
		if err := s.Skip(); nhip.ErrorCode(err) != nhip.CodeMalformed {
			t.Errorf("100,000 × %s: %v", open, err)
		}
	}
}

// FuzzMatchesEncodingJSON compares the scanner with encoding/json: both accept the same texts, and read the same
// numbers and strings.
func FuzzMatchesEncodingJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":[true,false,null],"c":"d\né"}`, `-0.5e+3`, `"\ud83d\ude00"`, `01`, `1.`, `"`, "\"\x01\"",
		`{"a"}`, `[1,]`, ` { } `, `"\x"`, `nul`, "\"\xff\"", `1e400`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := New(data)
		err := s.Skip()
		if err == nil {
			err = s.End()
		}
		if !utf8Strict(data) || depth(data) >= maxDepth {
			return // encoding/json accepts these
		}
		if valid := json.Valid(data); valid != (err == nil) {
			t.Fatalf("encoding/json valid=%v, ours: %v", valid, err)
		}
		if err == nil {
			compareScalars(t, data)
		}
	})
}

func compareScalars(t *testing.T, data []byte) {
	var want any
	if json.Unmarshal(data, &want) != nil {
		return // a number outside the range of float64
	}
	s := New(data)
	switch want := want.(type) {
	case float64:
		if got, err := s.Float(); err != nil || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("Float = %v, %v; want %v", got, err, want)
		}
	case string:
		if got, err := s.String(); err != nil || got != want {
			t.Fatalf("String = %q, %v; want %q", got, err, want)
		}
	}
}

func utf8Strict(data []byte) bool { return strings.ToValidUTF8(string(data), "") == string(data) }

func depth(data []byte) int {
	return strings.Count(string(data), "[") + strings.Count(string(data), "{")
}
