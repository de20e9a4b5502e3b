package deadletter

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStoreSkipsWrittenLettersAfterCrash(t *testing.T) {
	dir := t.TempDir()
	var letters []Letter
	for part, rule := range []string{"a", "b"} {
		l := NewLetter(NewID(noon, Messages, 5, part))
		l.Rule = rule
		letters = append(letters, l)
	}
	put := func(letters []Letter) int {
		t.Helper()
		s, err := Open(dir, "c", Messages, 4)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := s.PutAll(t.Context(), letters, slog.New(slog.DiscardHandler))
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		return len(fresh)
	}
	put(letters[:1])
	path := filepath.Join(dir, "2026-02-16.jsonl")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"id":"20260216-5.1","rec`) // as a crash leaves it
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if n := put(letters); n != 1 {
		t.Errorf("%d letters are new, want 1", n)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(raw), "\n"); lines != 2 || !strings.Contains(string(raw), `"rule":"b"`) {
		t.Errorf("the file contains\n%s", raw)
	}
}

// TestLettersAreWrittenAgainAfterFailedSync lets the first sync fail after all letters were written, and loses what was
// written since the last successful one, as a disk does. Each letter must be on disk once.
func TestLettersAreWrittenAgainAfterFailedSync(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, "c", Messages, 0)
	if err != nil {
		t.Fatal(err)
	}
	put := func(seqs ...uint64) {
		t.Helper()
		var letters []Letter
		for _, seq := range seqs {
			letters = append(letters, NewLetter(NewID(noon, Messages, seq, 0)))
		}
		fresh, err := s.PutAll(t.Context(), letters, slog.New(slog.DiscardHandler))
		if err != nil || len(fresh) != len(seqs) {
			t.Fatalf("%d letters are new, %v", len(fresh), err)
		}
	}
	put(1)
	synced := s.size
	failed := false
	s.syncFile = func(f *os.File) error {
		if failed {
			return f.Sync()
		}
		failed = true
		if err := f.Truncate(synced + 5); err != nil {
			t.Fatal(err)
		}
		return errors.New("I/O error")
	}
	put(2, 3)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "2026-02-16.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	for i, line := range lines {
		if want := `"id":"20260216-` + string(rune('1'+i)) + `.0"`; !strings.Contains(line, want) {
			t.Errorf("line %d is %s, want %s in it", i, line, want)
		}
	}
	if len(lines) != 3 || !failed {
		t.Errorf("%d lines, want 3:\n%s", len(lines), raw)
	}
}
