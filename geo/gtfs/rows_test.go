package gtfs

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// rowsOf reads all rows of a text, of which a few bytes arrive at a time.
func rowsOf(t *rapid.T, text string) (rows [][]string) {
	r := newRowReader(iotest.OneByteReader(strings.NewReader(text)))
	r.begin()
	for n := 0; ; n++ {
		row, _, err := r.next(nil)
		switch {
		case errors.Is(err, io.EOF):
			return rows
		case err != nil && !errors.Is(err, errLongRecord), n > len(text)+1:
			t.Fatalf("row %d: %v", n, err)
		}
		if r.columns == 0 {
			r.columns = len(row)
		}
		rows = append(rows, slices.Clone(row))
	}
}

// TestRowsAreThoseOfRFC4180 compares the rows of valid files with those that encoding/csv reads.
func TestRowsAreThoseOfRFC4180(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		columns := rapid.IntRange(2, 4).Draw(r, "columns")
		value := rapid.StringMatching(`[a-z][a-zé ,"\n]{0,6}`)
		var want [][]string
		header := make([]string, columns)
		for i := range header {
			header[i] = string(rune('a' + i))
		}
		want = append(want, header)
		for range rapid.IntRange(0, 6).Draw(r, "rows") {
			want = append(want, rapid.SliceOfN(value, columns, columns).Draw(r, "row"))
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		w.UseCRLF = rapid.Bool().Draw(r, "CRLF")
		if err := w.WriteAll(want); err != nil {
			r.Fatal(err)
		}
		expected, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
		if err != nil {
			r.Fatal(err)
		}
		got := rowsOf(r, b.String())
		for i := range got { // encoding/csv makes CRLF in values LF
			for k := range got[i] {
				got[i][k] = strings.ReplaceAll(got[i][k], "\r\n", "\n")
			}
		}
		if !slices.EqualFunc(got, expected, slices.Equal) {
			r.Fatalf("%q: %q, want %q", b.String(), got, expected)
		}
	})
}

// TestRowsOfAnyText reads texts of the bytes that matter to the reader.
func TestRowsOfAnyText(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{
			`"`, ",", "\n", "\r", " ", "a", "\xff", "\xef\xbb\xbf", strings.Repeat("b", 9000), strings.Repeat("c", maxRecord),
		})).Draw(r, "text"), "")
		rowsOf(r, text[:min(len(text), 300_000)])
	})
}
