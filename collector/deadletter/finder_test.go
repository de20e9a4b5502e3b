package deadletter

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFinderFindsManyLetters looks for all letters of a day in the order of a list, and for some at random.
func TestFinderFindsManyLetters(t *testing.T) {
	const count, page = 3_000, 100
	dir := t.TempDir()
	s, err := Open(dir, "c", Rows, 0)
	if err != nil {
		t.Fatal(err)
	}
	var letters []Letter
	var ids []string
	for i := range count {
		l := NewLetter(NewID(noon, Rows, uint64(i+1), 0))
		l.LineProtocol = strings.Repeat("x", 600)
		letters, ids = append(letters, l), append(ids, l.ID)
	}
	if _, err := s.PutAll(t.Context(), letters, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(ids)
	f := NewFinder(dir)
	began := time.Now()
	for part := range slices.Chunk(ids, page) {
		found, err := f.Find(part)
		if err != nil || len(found) != page || found[part[0]].ID != part[0] || found[part[0]].LineProtocol == "" {
			t.Fatalf("%d letters from %s on, %v", len(found), part[0], err)
		}
	}
	t.Logf("%d letters found in %s", count, time.Since(began))
	mixed := []string{ids[0], ids[count-1], ids[count/2], "nonsense", "20260216-q999999.0", "20200101-1.0"}
	found, err := f.Find(mixed)
	if err != nil || len(found) != 3 {
		t.Errorf("%d letters of %v, %v", len(found), mixed, err)
	}
	if err := Missing("20260216-q999999.0"); !strings.Contains(fmt.Sprint(err), "there is no dead letter") {
		t.Errorf("a missing letter: %v", err)
	}
}

func TestRefusedCountsWhatIsNotReplayed(t *testing.T) {
	dir := t.TempDir()
	rows, err := Open(dir, "c", Rows, 0)
	if err != nil {
		t.Fatal(err)
	}
	replays, err := Open(dir, "c", Replays, 0)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	r := NewRefused(dir)
	check := func(when string, want int64, replayed bool) {
		t.Helper()
		if err := r.Count(); err != nil {
			t.Fatal(err)
		}
		if n := r.Unreplayed(); n != want || r.Replayed("2026-02-16") != replayed {
			t.Errorf("%s: %d not replayed, want %d; all of the day: %v", when, n, want, r.Replayed("2026-02-16"))
		}
	}
	put := func(seq uint64) string {
		l := NewLetter(NewID(noon, Rows, seq, 0))
		if _, err := rows.PutAll(t.Context(), []Letter{l}, log); err != nil {
			t.Fatal(err)
		}
		return l.ID
	}
	replay := func(id string, passed int) {
		result := Replay{ID: id}
		result.Passed = passed
		if err := replays.PutReplays(t.Context(), []Replay{result}, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	check("without letters", 0, false)
	a, b := put(1), put(2)
	check("with two letters", 2, false)
	replay(a, 1)
	replay(a, 1)
	check("with one replayed twice", 1, false)
	replay(b, 0)
	check("with a replay that did not pass", 1, false)
	replay(b, 1)
	check("with both replayed", 0, true)
	put(3)
	check("with another letter", 1, false)
	if err := Rows.remove(dir, "2026-02-16"); err != nil {
		t.Fatal(err)
	}
	check("without the file", 0, false)
}
