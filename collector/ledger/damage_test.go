package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"nhip"
	"nhip/internal/torturetest"
)

// TestLedgerReportsDamagedFiles truncates every file of a ledger at every byte, and flips a bit in every byte. A ledger
// that reports no damage must hold all data; one that reports damage must continue to work. In make test it does so at
// every eighth byte.
func TestLedgerReportsDamagedFiles(t *testing.T) {
	healthy := newModelTest(filepath.Join(t.TempDir(), "ledger"), osFS{})
	if err := errors.Join(healthy.open(), healthy.simulate(11), healthy.Close()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(healthy.dir)
	if err != nil {
		t.Fatal(err)
	}
	dirs := t.TempDir()
	stride, random := torturetest.Pick(8, 1), torturetest.Rand(torturetest.Seed(t), 0)
	for _, file := range files {
		whole, err := os.ReadFile(filepath.Join(healthy.dir, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for at := random.IntN(stride); at < len(whole); at += stride {
			flipped := bytes.Clone(whole)
			flipped[at] ^= 1 << (at % 8)
			for what, content := range map[string][]byte{"truncated": whole[:at], "flipped": flipped} {
				dir := filepath.Join(dirs, fmt.Sprint(file.Name(), at, what))
				if err := os.CopyFS(dir, os.DirFS(healthy.dir)); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file.Name()), content, fileMode); err != nil {
					t.Fatal(err)
				}
				if err := checkDamaged(dir, healthy); err != nil {
					t.Fatalf("%s %s at %d of %d: %v", file.Name(), what, at, len(whole), err)
				}
			}
		}
	}
}

// checkDamaged opens a damaged copy of a ledger, reads all of it and continues to use it.
func checkDamaged(dir string, healthy *modelTest) error {
	b := newModelTest(dir, &faultFS{}) // does not sync, which saves time
	b.now, b.model = healthy.now, healthy.model.clone()
	if err := b.open(); err != nil {
		return err
	}
	rows := b.compare(nhip.LedgerQuery{})
	facts := b.checkFacts()
	if b.Stats().Damaged > 0 {
		rows, facts = nil, nil
	}
	use := func() error {
		f := Fact{Device: "bus/h/new", Series: "vp", Time: b.now.UnixMilli(), Print: 1}
		if v, _ := b.Classify(&f); v != New {
			return fmt.Errorf("%+v is %s, want new", f, v)
		}
		return errors.Join(b.Checkpoint(), b.Maintain(b.now))
	}
	return errors.Join(rows, facts, use(), b.Close())
}

// FuzzSegment opens arbitrary bytes as a segment and reads all of it.
func FuzzSegment(f *testing.F) {
	b := newModelTest(filepath.Join(f.TempDir(), "ledger"), osFS{})
	if err := errors.Join(b.open(), b.simulate(simulatedCheckpoints), b.Close()); err != nil {
		f.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(b.dir, "*"+segmentSuffix))
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
		r, err := newSegmentReader(bytes.NewReader(content), int64(len(content)), h.hour)
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

// FuzzCheckpoint parses arbitrary bytes as a checkpoint file. A valid one must be encoded to the same bytes.
func FuzzCheckpoint(f *testing.F) {
	f.Add(appendCheckpoint(nil, &checkpoint{7, marks{"clerk": []byte("12")}}))
	f.Fuzz(func(t *testing.T, content []byte) {
		if c, ok := parseCheckpoint(content); ok && !bytes.Equal(appendCheckpoint(nil, c), content) {
			t.Errorf("%x is parsed as %+v, which is encoded differently", content, c)
		}
	})
}
