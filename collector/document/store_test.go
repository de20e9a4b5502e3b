package document

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nhip"
	"nhip/internal/damage"

	"github.com/prometheus/client_golang/prometheus"
)

var noon = time.Date(2026, 2, 16, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, dir string, mark []byte) *Store {
	t.Helper()
	registry, log := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	s, err := Open(Options{
		Dir: dir, Mark: mark, Damage: damage.NewLog(log, registry), Logger: log, Registry: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// set sets a document of a kind that people do not count, or removes it with n = 0.
func set(t *testing.T, s *Store, id string, n int) {
	t.Helper()
	d := nhip.Document{Kind: nhip.DocumentKeyUse, ID: id, Request: fmt.Sprint(id, n, time.Now()), Time: noon}
	if n > 0 {
		d.Body = json.RawMessage(fmt.Sprintf(`{"n":%d}`, n))
	}
	if repeated, err := s.Check(&d); repeated || err != nil {
		t.Fatal(id, repeated, err)
	}
	s.Apply(&d, "Lan")
}

func save(t *testing.T, s *Store) []byte {
	t.Helper()
	mark, err := s.Save()
	if err != nil {
		t.Fatal(err)
	}
	return mark
}

// shown returns the published states of a store that was just opened.
func shown(s *Store) (out string) {
	s.Republish()
	for _, m := range s.TakeDirty() {
		var state nhip.DocumentState
		_ = json.Unmarshal(m.Payload, &state)
		out += fmt.Sprintf("%s%s ", state.ID, state.Body)
	}
	return out
}

func TestStoreIsRestoredAsOfItsMark(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	if save(t, s) != nil {
		t.Error("an empty store has a mark")
	}
	set(t, s, "a", 1)
	set(t, s, "b", 1)
	first := save(t, s)
	set(t, s, "a", 2)
	set(t, s, "b", 0)
	second := save(t, s)
	if got := shown(open(t, dir, second)); got != `a{"n":2}  ` {
		t.Error(got)
	}
	s = open(t, dir, first) // the checkpoint with the second mark was not made
	if got := shown(s); got != `a{"n":1} b{"n":1} ` {
		t.Error(got)
	}
	set(t, s, "b", 3)
	third := save(t, s)
	if s = open(t, dir, third); shown(s) != `a{"n":1} b{"n":3} ` || s.Count() != 2 {
		t.Error(shown(s), s.Count())
	}
	if change := s.Current(nhip.DocumentKeyUse, "b"); change.Version != 2 {
		t.Errorf("%+v", change)
	}
}

func TestFileOfDocumentsIsWrittenAnew(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	var mark []byte
	const changed, rounds = 100, 40
	for n := range rounds {
		for id := range changed {
			set(t, s, fmt.Sprintf("%03d", id), n+1)
		}
		mark = save(t, s)
		s.Release()
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"+fileSuffix))
	if len(files) != 1 {
		t.Errorf("files %s", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Size() > 300*minGarbage {
		t.Errorf("%v %v", info.Size(), err)
	}
	s = open(t, dir, mark)
	if got := s.states[key{nhip.DocumentKeyUse, "099"}]; s.Count() != changed || got.Version != rounds {
		t.Errorf("%d documents, the last %+v", s.Count(), got)
	}
}

func TestDamagedFileOfDocumentsKeepsTheOthers(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	set(t, s, "a", 1)
	set(t, s, "b", 1)
	mark := save(t, s)
	path := s.file.path(0)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[0] = 'x'
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, mark)
	if s.Count() != 1 {
		t.Errorf("%d documents", s.Count())
	}
	set(t, s, "c", 1)
	mark = save(t, s)
	s.Release()
	if s = open(t, dir, mark); s.Count() != 2 {
		t.Errorf("%d documents", s.Count())
	}
	kept, _ := filepath.Glob(filepath.Join(dir, "*.damaged-*"))
	if len(kept) != 1 {
		t.Errorf("kept %s", kept)
	}
	if err := os.Remove(s.file.path(s.file.number)); err != nil {
		t.Fatal(err)
	}
	if s = open(t, dir, mark); s.Count() != 0 { // its start must not fail
		t.Errorf("%d documents of a missing file", s.Count())
	}
}

func TestStoreIsBounded(t *testing.T) {
	s := open(t, t.TempDir(), nil)
	kind, _ := nhip.DocumentKindOf(nhip.DocumentKeyUse)
	for n := range kind.MaxCount {
		set(t, s, fmt.Sprint(n), 1)
	}
	d := nhip.Document{Kind: kind.Name, ID: "more", Request: "r", Body: json.RawMessage("{}")}
	if _, err := s.Check(&d); nhip.ErrorCode(err) != nhip.CodeConflict {
		t.Error(err)
	}
	set(t, s, "0", 2) // a change of one that exists
	for n := range maxTombstones + 10 {
		set(t, s, fmt.Sprint(n), 0)
	}
	if n := len(s.states) - s.Count(); n != maxTombstones {
		t.Errorf("%d removed documents are kept", n)
	}
	if _, err := s.Check(&d); err != nil {
		t.Error(err)
	}
}

func TestSaveFailsWithItsFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "documents")
	s := open(t, dir, nil)
	set(t, s, "a", 1)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Save(); err == nil {
		t.Error("saved nowhere")
	}
	if err := os.Mkdir(dir, fs.ModePerm); err != nil {
		t.Fatal(err)
	}
	if got := shown(open(t, dir, save(t, s))); got != `a{"n":1} ` {
		t.Error(got)
	}
}

// TestSessionsExpire: a session that has expired is removed when the next one begins, and its topic is cleared.
func TestSessionsExpire(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, nil)
	begin := func(id string, at time.Time) {
		t.Helper()
		body, err := json.Marshal(nhip.Session{
			Name: "Lan", Role: nhip.RoleViewer, Way: nhip.SessionByLink, Created: at, Expires: at.Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		d := nhip.Document{Kind: nhip.DocumentSession, ID: id, Request: id, Time: at, Body: body}
		if _, err := s.Check(&d); err != nil {
			t.Fatal(err)
		}
		s.Apply(&d, "Lan")
	}
	begin("a", noon)
	begin("b", noon.Add(30*time.Minute))
	s = open(t, dir, save(t, s))
	begin("c", noon.Add(time.Hour))
	if s.Count() != 2 {
		t.Errorf("%d sessions", s.Count())
	}
	cleared := 0
	for _, m := range s.TakeDirty() {
		if m.Payload == nil {
			cleared++
		}
	}
	if cleared != 1 {
		t.Errorf("%d topics are cleared", cleared)
	}
}
