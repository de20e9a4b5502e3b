package gateway

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/awaittest"

	"github.com/prometheus/client_golang/prometheus"
)

// soon is a short time after which a file counts as complete.
const soon = 20 * time.Millisecond

// line is a row of a station file.
const line = "PM10\t61.52\tug/m3\t20260216225500\t00\n"

// dropTree is a folder with a running DropFolder.
type dropTree struct {
	root     string
	acceptor *fakeAcceptor
}

func newTree(t *testing.T, check func(nhip.Message) error, settle time.Duration) *dropTree {
	t.Helper()
	b := &dropTree{t.TempDir(), &fakeAcceptor{}}
	d, err := NewDropFolder(DropFolderOptions{
		Root: b.root, Acceptor: b.acceptor, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler),
		Registry: prometheus.NewRegistry(),
		Check:    check, scan: time.Millisecond, settle: settle,
	})
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, d.Run)
	return b
}

func (b *dropTree) write(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(b.root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *dropTree) has(name string) bool {
	_, err := os.Lstat(filepath.Join(b.root, name))
	return err == nil
}

func (b *dropTree) text(name string) string {
	raw, _ := os.ReadFile(filepath.Join(b.root, name)) // the caller compares the text
	return string(raw)
}

func TestDropFolderProcessesFiles(t *testing.T) {
	b := newTree(t, nil, soon)
	early, late := "2026/02/16/HN_CCMT_KHITY3_20260216225500.txt", "2025/12/31/HN_CCMT_KHITY3_20251231225500.txt"
	b.write(t, early, line)
	awaittest.True(t, "the file is in done/", func() bool { return b.has("done/"+early) && !b.has(early) })
	b.write(t, late, line+line)
	awaittest.True(t, "a late file is in done/", func() bool { return b.has("done/" + late) })
	got := b.acceptor.messages()
	if len(got) != 2 || got[0].Topic != "nhip/in/station-file/HN_CCMT_KHITY3" || got[0].Client != "HN_CCMT_KHITY3" ||
		string(got[0].Payload) != line {
		t.Errorf("passed on as %+v", got)
	}
	b.write(t, early, line)
	awaittest.True(t, "a second file with the same name is kept beside the first", func() bool {
		return b.has("done/" + early + ".2")
	})
}

func TestDropFolderWritesReasonOfInvalidFiles(t *testing.T) {
	b := newTree(t, func(m nhip.Message) error {
		if strings.Contains(string(m.Payload), "PM99") {
			return errors.New("line 1: no such parameter")
		}
		return nil
	}, soon)
	for name, c := range map[string]struct{ text, want string }{
		"2026/02/16/KHITY3.txt":                          {line, "must be named as in"},
		"2026/02/16/HN CCMT_20260216225500.txt":          {line, "must be named as in"},
		"HN_A_20260216225500.csv":                        {line, "must be named as in"},
		"2026/02/16/HN_EMPTY_20260216225500.txt":         {" \n", "must not be empty"},
		"2026/02/16/HN_LARGE_20260216225500.txt":         {strings.Repeat(line, maxPush/len(line)+1), "at most"},
		"2026/02/16/HN_CHECK_20260216225500.txt":         {"PM99 1 ug/m3 20260216225500 00\n", "no such parameter"},
		"2026/02/16/HN_..%2F..%2Fetc_20260216225500.txt": {line, "must be named as in"},
	} {
		b.write(t, name, c.text)
		awaittest.True(t, name+" fails with "+c.want, func() bool {
			return strings.Contains(b.text("failed/"+name+errorExt), c.want) && !b.has(name)
		})
	}
	if n := len(b.acceptor.messages()); n != 1 { // a file that Check rejects is on disk too
		t.Errorf("%d files accepted, want 1", n)
	}
}

func TestDropFolderDoesNotFollowLinks(t *testing.T) {
	b := newTree(t, nil, soon)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	name := "HN_LINK_20260216225500.txt"
	if err := os.Symlink(secret, filepath.Join(b.root, name)); err != nil {
		t.Fatal(err)
	}
	awaittest.True(t, "the link is in failed/", func() bool { return b.has("failed/" + name + errorExt) })
	if len(b.acceptor.messages()) != 0 {
		t.Error("a link was followed")
	}
}

func TestDropFolderWaitsForIncompleteFile(t *testing.T) {
	b := newTree(t, nil, 5*quietTime) // longer than a busy machine delays the writer
	b.write(t, "HN_PART_20260216225500.txt.part", line)
	name := filepath.Join(b.root, "HN_SLOW_20260216225500.txt")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	grows := time.NewTicker(time.Millisecond)
	defer grows.Stop()
	for range 8 * quietTime.Milliseconds() { // a slow upload
		<-grows.C
		if _, err := f.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
	awaittest.True(t, "the file is processed when it is complete", func() bool {
		return b.has("done/HN_SLOW_20260216225500.txt")
	})
	whole, err := os.ReadFile(filepath.Join(b.root, "done/HN_SLOW_20260216225500.txt"))
	if got := b.acceptor.messages(); err != nil || len(got) != 1 || string(got[0].Payload) != string(whole) {
		t.Errorf("passed on as %d messages, or incomplete", len(got))
	}
	if !b.has("HN_PART_20260216225500.txt.part") {
		t.Error("an unfinished upload was moved")
	}
}

func TestDropFolderRetriesWhileDiskIsFull(t *testing.T) {
	b := newTree(t, nil, soon)
	b.acceptor.mu.Lock()
	b.acceptor.err = errors.New("disk full")
	b.acceptor.mu.Unlock()
	name := "HN_A_20260216225500.txt"
	b.write(t, name, line)
	awaittest.True(t, "the file is tried again", func() bool { return len(b.acceptor.messages()) > 2 })
	if !b.has(name) {
		t.Fatal("a file whose message is not on disk was moved")
	}
	b.acceptor.mu.Lock()
	b.acceptor.err = nil
	b.acceptor.mu.Unlock()
	awaittest.True(t, "the file is in done/", func() bool { return b.has("done/" + name) })
}

func TestDropFolderMissing(t *testing.T) {
	_, err := NewDropFolder(DropFolderOptions{
		Root: filepath.Join(t.TempDir(), "none"), Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
	})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}
