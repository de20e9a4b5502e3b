package damage_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nhip/internal/damage"

	"github.com/prometheus/client_golang/prometheus"
)

var errGarbage = errors.New("garbage")

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// kept returns the contents of the files that were set aside.
func kept(t *testing.T, path string) (texts []string) {
	t.Helper()
	names, err := filepath.Glob(path + ".damaged-*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(raw))
	}
	return texts
}

func TestSetAsideKeepsEveryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	var text bytes.Buffer
	registry := prometheus.NewRegistry()
	l := damage.NewLog(slog.New(slog.NewTextHandler(&text, nil)), registry)
	if l.Check().Fault() != "" {
		t.Error("degraded without a damaged file")
	}
	for _, content := range []string{"one", "two", "three"} { // within one second
		write(t, path, content)
		l.SetAside(path, errGarbage)
		if _, err := os.Stat(path); err == nil {
			t.Error("the damaged file is still in its place")
		}
	}
	if got := kept(t, path); len(got) != 3 {
		t.Errorf("kept %q", got)
	}
	if got, want := l.Check().Fault(), "3 damaged since the start, the last one a.json; see the log"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if n := strings.Count(text.String(), "error=garbage"); n != 3 {
		t.Errorf("%d lines in the log:\n%s", n, &text)
	}
	if f, err := registry.Gather(); err != nil || f[0].GetMetric()[0].GetCounter().GetValue() != 3 {
		t.Errorf("%v, %v", f, err)
	}
}

func TestCopyLeavesFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	write(t, path, "text")
	var l *damage.Log
	l.Copy(path, errGarbage)
	if raw, err := os.ReadFile(path); err != nil || string(raw) != "text" {
		t.Errorf("%q, %v", raw, err)
	}
	if got := kept(t, path); len(got) != 1 || got[0] != "text" {
		t.Errorf("kept %q", got)
	}
}

func TestSetAsideFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	if err := os.MkdirAll(filepath.Join(path, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	var l *damage.Log
	l.SetAside(path, errGarbage)
	write(t, path, "new")
}
