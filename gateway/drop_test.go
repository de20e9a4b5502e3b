package gateway

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/internal/await"

	"github.com/prometheus/client_golang/prometheus"
)

// soon is when a file that nobody writes has settled.
const soon = 20 * time.Millisecond

const line = "PM10\t61.52\tug/m3\t20260216225500\t00\n"

// tree is a folder with a drop on it.
type tree struct {
	root string
	door *door
}

func newTree(t *testing.T, check func(nhip.Message) error, settle time.Duration) *tree {
	t.Helper()
	b := &tree{t.TempDir(), &door{}}
	d, err := NewDrop(DropOptions{
		Root: b.root, Door: b.door, Clock: nhip.WallClock{}, Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry(),
		Check: check, scan: time.Millisecond, settle: settle,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); d.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	return b
}

func (b *tree) write(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(b.root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *tree) has(name string) bool {
	_, err := os.Lstat(filepath.Join(b.root, name))
	return err == nil
}

func (b *tree) text(name string) string {
	raw, _ := os.ReadFile(filepath.Join(b.root, name)) // "" is what the test will tell
	return string(raw)
}

func TestStationFilesAreTaken(t *testing.T) {
	b := newTree(t, nil, soon)
	early, late := "2026/02/16/HN_CCMT_KHITY3_20260216225500.txt", "2025/12/31/HN_CCMT_KHITY3_20251231225500.txt"
	b.write(t, early, line)
	await.True(t, "the file is done", func() bool { return b.has("done/"+early) && !b.has(early) })
	b.write(t, late, line+line)
	await.True(t, "a late file is done", func() bool { return b.has("done/" + late) })
	got := b.door.messages()
	if len(got) != 2 || got[0].Topic != "nhip/in/station-file/HN_CCMT_KHITY3" || got[0].Client != "HN_CCMT_KHITY3" || string(got[0].Payload) != line {
		t.Errorf("carried on as %+v", got)
	}
	b.write(t, early, line)
	await.True(t, "the same name again is kept beside the first", func() bool { return b.has("done/" + early + ".2") })
}

func TestFaultyStationFilesAreToldWhy(t *testing.T) {
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
		await.True(t, name+" fails, and says "+c.want, func() bool {
			return strings.Contains(b.text("failed/"+name+errorExt), c.want) && !b.has(name)
		})
	}
	if n := len(b.door.messages()); n != 1 { // what Check refuses is on disk all the same
		t.Errorf("the door heard %d files", n)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	b := newTree(t, nil, soon)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	name := "HN_LINK_20260216225500.txt"
	if err := os.Symlink(secret, filepath.Join(b.root, name)); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the link fails", func() bool { return b.has("failed/" + name + errorExt) })
	if len(b.door.messages()) != 0 {
		t.Error("a link is followed")
	}
}

func TestAHalfWrittenFileWaits(t *testing.T) {
	b := newTree(t, nil, 5*absent) // longer than a busy machine keeps the writer from writing
	b.write(t, "HN_PART_20260216225500.txt.part", line)
	name := filepath.Join(b.root, "HN_SLOW_20260216225500.txt")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	grows := time.NewTicker(time.Millisecond)
	defer grows.Stop()
	for range 8 * absent.Milliseconds() { // a slow line
		<-grows.C
		if _, err := f.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
	await.True(t, "the file is taken when it is whole", func() bool { return b.has("done/HN_SLOW_20260216225500.txt") })
	whole, err := os.ReadFile(filepath.Join(b.root, "done/HN_SLOW_20260216225500.txt"))
	if got := b.door.messages(); err != nil || len(got) != 1 || string(got[0].Payload) != string(whole) {
		t.Errorf("taken as %d messages", len(got))
	}
	if !b.has("HN_PART_20260216225500.txt.part") {
		t.Error("an upload that is under way is touched")
	}
}

func TestAFileWaitsForTheDisk(t *testing.T) {
	b := newTree(t, nil, soon)
	b.door.mu.Lock()
	b.door.err = errors.New("disk full")
	b.door.mu.Unlock()
	name := "HN_A_20260216225500.txt"
	b.write(t, name, line)
	await.True(t, "it is tried again", func() bool { return len(b.door.messages()) > 2 })
	if !b.has(name) {
		t.Fatal("a file that is not on disk was moved")
	}
	b.door.mu.Lock()
	b.door.err = nil
	b.door.mu.Unlock()
	await.True(t, "it is done", func() bool { return b.has("done/" + name) })
}

func TestATreeThatIsNotThere(t *testing.T) {
	_, err := NewDrop(DropOptions{Root: filepath.Join(t.TempDir(), "none"), Logger: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
