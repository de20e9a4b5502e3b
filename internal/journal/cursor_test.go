package journal

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestCursorSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	j := mustOpen(t, dir, Options{})
	mustAppend(t, j, "a", "b", "c")
	want := func(name string, seq uint64) {
		t.Helper()
		if got, err := j.Cursor(name); got != seq || err != nil {
			t.Errorf("Cursor(%s) = %d, %v, want %d", name, got, err, seq)
		}
	}
	want("influx", 0)
	for _, seq := range []uint64{2, 3, 1} {
		if err := j.SaveCursor("influx", seq); err != nil {
			t.Fatal(err)
		}
		want("influx", seq)
	}
	want("live-2", 0)
	mustClose(t, j)
	j = mustOpen(t, dir, Options{})
	want("influx", 1)
}

func TestSaveCursorRejectsInvalidArguments(t *testing.T) {
	j := mustOpen(t, t.TempDir(), Options{})
	mustAppend(t, j, "a")
	for _, c := range []struct {
		name string
		seq  uint64
		want string
	}{
		{"", 1, "cursor name: must be 1 to 64 of a-z, 0-9, - and _"},
		{"../x", 1, "cursor name: must be"},
		{"A", 1, "cursor name: must be"},
		{strings.Repeat("a", 65), 1, "cursor name: must be"},
		{"a", 2, "cursor a: seq must be at most the last one, 1, got 2"},
	} {
		err := j.SaveCursor(c.name, c.seq)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("SaveCursor(%q, %d) = %v, want %q", c.name, c.seq, err, c.want)
		}
	}
	if _, err := j.Cursor("../x"); err == nil {
		t.Error("Cursor accepted a path as name")
	}
}

func TestDamagedCursorErrorNamesFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "influx.cursor")
	intact := string(formatCursor(12))
	for _, content := range []string{
		"", "12", "12 ", "x", "-1 00000000\n", "13" + intact[2:], intact[:len(intact)-1], intact + " ", " " + intact,
		string(formatCursor(1<<64 - 1)),
	} {
		writeFile(t, path, []byte(content))
		j := mustOpen(t, dir, Options{})
		if seq, err := j.Cursor("influx"); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Cursor of %q = %d, %v, want an error with the file's name", content, seq, err)
		}
		mustClose(t, j)
	}
}

func TestFailedSaveCursorKeepsPosition(t *testing.T) {
	dir := t.TempDir()
	files := newFaultFS(t, dir)
	j := mustOpenOn(t, dir, Options{}, files)
	mustAppend(t, j, "a", "b")
	if err := j.SaveCursor("c", 1); err != nil {
		t.Fatal(err)
	}
	for op := range 4 { // create, write, sync, rename
		files.failAfter(op, fault{err: syscall.ENOSPC})
		if err := j.SaveCursor("c", 2); err == nil || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("failing operation %d: SaveCursor = %v", op, err)
		}
		files.heal()
		if seq, err := j.Cursor("c"); seq != 1 || err != nil {
			t.Errorf("failing operation %d: Cursor = %d, %v, want 1", op, seq, err)
		}
	}
	if err := j.SaveCursor("c", 2); err != nil {
		t.Error(err)
	}
}
