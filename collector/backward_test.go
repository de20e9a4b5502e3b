package collector

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestBackwardReadsLinesFromTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		short, long := rapid.StringMatching(`[a-z]{0,20}`), rapid.Just(strings.Repeat("x", backwardChunk+7))
		lines := rapid.SliceOfN(rapid.OneOf(short, short, short, long), 0, 12).Draw(t, "lines")
		text := ""
		for _, l := range lines {
			text += l + "\n"
		}
		b, err := newBackward(bytes.NewReader([]byte(text+short.Draw(t, "unfinished"))), -1)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			// Whoever stops here goes on from there.
			if rapid.IntRange(0, 4).Draw(t, "stop") == 0 {
				if b, err = newBackward(bytes.NewReader([]byte(text)), b.end); err != nil {
					t.Fatal(err)
				}
			}
			line, ok, err := b.next()
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
