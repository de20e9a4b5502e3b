package gtfs

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestTableRejectsLargeFile(t *testing.T) {
	const limit = 1000
	for size, want := range map[int]bool{limit: true, limit + 1: false} {
		l := &loader{limit: limit, files: map[string]*zip.File{"big.txt": zipped(t, size)}}
		err := l.table("big.txt", func(t *table) {
			for t.next() {
			}
		})
		if ok := err == nil; ok != want {
			t.Errorf("%d bytes: got %v", size, err)
		}
	}
}

// A header with a false size must not let more than the limit pass.
func TestLimitedReaderStopsAtLimit(t *testing.T) {
	const limit = 1000
	for size, want := range map[int]bool{limit: true, limit + 1: false} {
		text := strings.Repeat("a\n", size/2) + strings.Repeat("a", size%2)
		tab := newTable("big.txt", &limitedReader{
			r: io.NopCloser(strings.NewReader(text)), name: "big.txt", limit: limit, left: limit,
		}, nil)
		for tab.next() {
		}
		if ok := tab.err == nil; ok != want {
			t.Errorf("%d bytes: got %v", size, tab.err)
		}
	}
}

func zipped(t *testing.T, size int) *zip.File {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("big.txt")
	if err == nil {
		_, err = w.Write(bytes.Repeat([]byte("a\n"), size/2+1)[:size])
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return r.File[0]
}
