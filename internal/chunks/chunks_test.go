package chunks

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// gather returns the chunks as text, each after the number of its first row.
func gather(t *testing.T, split func(yield func(Chunk) error) error) []string {
	t.Helper()
	var out []string
	if err := split(func(c Chunk) error {
		out = append(out, fmt.Sprintf("%d|%s", c.First, c.Payload))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLines(t *testing.T) {
	got := gather(t, func(yield func(Chunk) error) error {
		return Lines(iotest.OneByteReader(strings.NewReader("a,b\n1,2\n3,4\n5,6\n7,8")), 13, yield)
	})
	want := []string{"2|a,b\n1,2\n3,4\n", "4|a,b\n5,6\n7,8\n"}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	many := gather(t, func(yield func(Chunk) error) error {
		return Lines(strings.NewReader("a\n"+strings.Repeat("1\n", 1200)), 1<<20, yield)
	})
	if len(many) != 3 || !strings.HasPrefix(many[2], "1002|") || strings.Count(many[2], "1\n") != 200 {
		t.Errorf("%d chunks", len(many))
	}
	if got := gather(t, func(yield func(Chunk) error) error {
		return Lines(strings.NewReader("a\n"), 9,
			yield)
	}); got != nil {
		t.Errorf("a header alone: %q", got)
	}
	for _, bad := range []string{"", "a\n" + strings.Repeat("x", maxLine+1) + "\n"} {
		if err := Lines(strings.NewReader(bad), 9, nil); err == nil {
			t.Errorf("%.9q: no error", bad)
		}
	}
}

func TestResults(t *testing.T) {
	got := gather(t, func(yield func(Chunk) error) error {
		return Results(strings.NewReader(`{"meta":{},"results":[{"v":1},{"v":2},{"v":3}]}`), 30, yield)
	})
	want := []string{`0|{"results":[{"v":1},{"v":2}]}`, `2|{"results":[{"v":3}]}`}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := gather(t, func(yield func(Chunk) error) error {
		return Results(strings.NewReader(`{"results":[]}`), 30, yield)
	}); got != nil {
		t.Errorf("no results: %q", got)
	}
	for _, bad := range []string{
		`{}`, `{"results":`, `[]`, `{"results":null}`, `{"results":{}}`, `{"results":[1}`, `{"results":[],"results":[]}`,
		`{"results":["` + strings.Repeat("x", 2*maxResult) + `"]}`,
		`{"x":"` + strings.Repeat("x", 2*maxResult) + `","results":[]}`,
		`{"` + strings.Repeat("x", 2*maxResult) + `":1}`, `{"x":` + strings.Repeat("[", 2*maxResult),
	} {
		if err := Results(strings.NewReader(bad), 30, nil); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestWhole(t *testing.T) {
	got := gather(t, func(yield func(Chunk) error) error { return Whole(bytes.NewReader([]byte("abc")), 3, yield) })
	if !cmp.Equal(got, []string{"1|abc"}) {
		t.Errorf("got %q", got)
	}
	if err := Whole(strings.NewReader("abcd"), 3, nil); err == nil {
		t.Error("too large: no error")
	}
}

// The list may have any length: only one result is held.
func TestResultsOfAnyNumber(t *testing.T) {
	many := `{"results":[` + strings.Repeat(`{"v":1},`, 50_000) + `{"v":2}],"meta":{}}`
	rows := 0
	err := Results(strings.NewReader(many), 1<<20, func(c Chunk) error {
		rows += bytes.Count(c.Payload, []byte(`"v"`))
		return nil
	})
	if err != nil || rows != 50_001 {
		t.Errorf("%d results, %v", rows, err)
	}
}
