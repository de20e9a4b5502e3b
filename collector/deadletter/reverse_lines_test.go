package deadletter

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestReverseLineReader(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		short, long := rapid.StringMatching(`[a-z]{0,20}`), rapid.Just(strings.Repeat("x", reverseChunk+7))
		lines := rapid.SliceOfN(rapid.OneOf(short, short, short, long), 0, 12).Draw(t, "lines")
		text := ""
		for _, l := range lines {
			text += l + "\n"
		}
		r, err := newReverseLineReader(bytes.NewReader([]byte(text+short.Draw(t, "unfinished"))), -1)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			// A new reader must be able to continue from here.
			if rapid.IntRange(0, 4).Draw(t, "stop") == 0 {
				if r, err = newReverseLineReader(bytes.NewReader([]byte(text)), r.end); err != nil {
					t.Fatal(err)
				}
			}
			line, ok, err := r.next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			got = append(got, string(line))
		}
		slices.Reverse(got)
		if diff := cmp.Diff(lines, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}
