package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"nhip"
)

// TestDamage cuts and flips every file of a book at every byte. Whatever is lost is told: a book that
// tells of no damage knows all it knew, and one that does knows no less of what lies in its other files.
func TestDamage(t *testing.T) {
	healthy := newBookTest(filepath.Join(t.TempDir(), "book"), osFS{})
	if err := errors.Join(healthy.open(), healthy.live(11), healthy.Close()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(healthy.dir)
	if err != nil {
		t.Fatal(err)
	}
	dirs := t.TempDir()
	for _, file := range files {
		whole, err := os.ReadFile(filepath.Join(healthy.dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for at := range whole {
			flipped := bytes.Clone(whole)
			flipped[at] ^= 1 << (at % 8)
			for what, content := range map[string][]byte{"cut": whole[:at], "flipped": flipped} {
				dir := filepath.Join(dirs, fmt.Sprint(file.Name(), at, what))
				if err := os.CopyFS(dir, os.DirFS(healthy.dir)); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file.Name()), content, fileMode); err != nil {
					t.Fatal(err)
				}
				if err := openDamaged(dir, healthy); err != nil {
					t.Fatalf("%s %s at %d of %d: %v", file.Name(), what, at, len(whole), err)
				}
			}
		}
	}
}

// openDamaged opens what is left of a book and reads all of it.
func openDamaged(dir string, healthy *bookTest) error {
	b := newBookTest(dir, &faultFS{}) // syncs nothing
	b.now, b.is = healthy.now, healthy.is.clone()
	if err := b.open(); err != nil {
		return err
	}
	same := b.same(nhip.LedgerQuery{})
	knows := b.knows()
	if b.Stats().Damaged > 0 {
		same, knows = nil, nil
	}
	lives := func() error { // it goes on
		f := Fact{Device: "bus/h/new", Series: "vp", Time: b.now.UnixMilli(), Print: 1}
		if v, _ := b.Judge(&f); v != New {
			return fmt.Errorf("%+v is %s", f, v)
		}
		return errors.Join(b.Checkpoint(), b.Maintain(b.now))
	}
	return errors.Join(same, knows, lives(), b.Close())
}

// FuzzRun opens any bytes as a run and reads all that it finds.
func FuzzRun(f *testing.F) {
	b := newBookTest(filepath.Join(f.TempDir(), "book"), osFS{})
	if err := errors.Join(b.open(), b.live(day), b.Close()); err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(b.dir, "*"+runSuffix))
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, path := range files[:2] {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(_ *testing.T, content []byte) {
		h, _, err := readEnds(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return
		}
		r, err := newRunReader(bytes.NewReader(content), int64(len(content)), h.hour)
		if err != nil {
			return
		}
		c := &cursor{reader: r, report: func(error) {}}
		_ = eachDevice([]*cursor{c}, nil, func(name string, at []*cursor) (bool, error) {
			scanCounts(&scanner{b: at[0].at.counts}, new(Counts))
			entries, _, _ := r.series(name, "vp")
			for _, ok := entries.next(); ok; _, ok = entries.next() {
			}
			return true, nil
		})
	})
}

// FuzzCheckpoint reads any bytes as the file that says which checkpoint counts; what it reads it writes
// again as it was.
func FuzzCheckpoint(f *testing.F) {
	f.Add(appendCheckpoint(nil, &checkpoint{7, marks{"clerk": []byte("12")}}))
	f.Fuzz(func(t *testing.T, content []byte) {
		if c, ok := parseCheckpoint(content); ok && !bytes.Equal(appendCheckpoint(nil, c), content) {
			t.Errorf("%x is read as %+v", content, c)
		}
	})
}
