package parts

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// gather returns the parts as text, each behind the number of its first row.
func gather(t *testing.T, cut func(yield func(Part) error) error) []string {
	t.Helper()
	var out []string
	if err := cut(func(p Part) error {
		out = append(out, fmt.Sprintf("%d|%s", p.First, p.Payload))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestLines(t *testing.T) {
	got := gather(t, func(yield func(Part) error) error {
		return Lines(iotest.OneByteReader(strings.NewReader("a,b\n1,2\n3,4\n5,6\n7,8")), 13, yield)
	})
	want := []string{"2|a,b\n1,2\n3,4\n", "4|a,b\n5,6\n7,8\n"}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	many := gather(t, func(yield func(Part) error) error {
		return Lines(strings.NewReader("a\n"+strings.Repeat("1\n", 1200)), 1<<20, yield)
	})
	if len(many) != 3 || !strings.HasPrefix(many[2], "1002|") || strings.Count(many[2], "1\n") != 200 {
		t.Errorf("%d parts", len(many))
	}
	if got := gather(t, func(yield func(Part) error) error { return Lines(strings.NewReader("a\n"), 9, yield) }); got != nil {
		t.Errorf("names alone make %q", got)
	}
	for _, bad := range []string{"", "a\n" + strings.Repeat("x", mostLine+1) + "\n"} {
		if err := Lines(strings.NewReader(bad), 9, nil); err == nil {
			t.Errorf("%.9q is cut", bad)
		}
	}
}

func TestResults(t *testing.T) {
	got := gather(t, func(yield func(Part) error) error {
		return Results(strings.NewReader(`{"meta":{},"results":[{"v":1},{"v":2},{"v":3}]}`), 30, yield)
	})
	want := []string{`0|{"results":[{"v":1},{"v":2}]}`, `2|{"results":[{"v":3}]}`}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := gather(t, func(yield func(Part) error) error {
		return Results(strings.NewReader(`{"results":[]}`), 30, yield)
	}); got != nil {
		t.Errorf("nothing makes %q", got)
	}
	for _, bad := range []string{`{}`, `{"results":`, `[]`} {
		if err := Results(strings.NewReader(bad), 30, nil); err == nil {
			t.Errorf("%s is cut", bad)
		}
	}
}

func TestWhole(t *testing.T) {
	got := gather(t, func(yield func(Part) error) error { return Whole(bytes.NewReader([]byte("abc")), 3, yield) })
	if !cmp.Equal(got, []string{"1|abc"}) {
		t.Errorf("it is %q", got)
	}
	if err := Whole(strings.NewReader("abcd"), 3, nil); err == nil {
		t.Error("too much is taken")
	}
}
