package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/internal/topics"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
)

// Timing of a drop folder.
const (
	scanEvery = 2 * time.Second
	settleFor = 5 * time.Second // a file that has not changed for so long is complete
)

// Folders below the root for processed files.
const (
	doneDir   = "done"
	failedDir = "failed"
	errorExt  = ".error" // of the file beside a failed file, with the reason
)

// stationFormat is the format of dropped files.
const stationFormat = "station-file"

// stationFile matches the name of a station's file under Circular 10/2021/TT-BTNMT: province, facility and station,
// then yyyyMMddHHmmss, as in HN_CCMT_KHITY3_20260216225500.txt.
var stationFile = regexp.MustCompile(`^([0-9A-Za-z]+(?:[_-][0-9A-Za-z]+)*)_([0-9]{12}|[0-9]{14})\.txt$`)

// unfinished matches the names that upload programs give to an incomplete file.
var unfinished = regexp.MustCompile(`^\.|\.(tmp|part|filepart)$|~$`)

// DropFolderOptions configures a DropFolder.
type DropFolderOptions struct {
	Root     string // files may be dropped anywhere below it; the Circular puts them at root/YYYY/MM/DD
	Acceptor nhip.Acceptor
	Clock    nhip.Clock
	Logger   *slog.Logger
	Registry prometheus.Registerer

	// Check returns the errors that the collector will find in a message, so that they can be written beside the
	// file; nil: files are not checked.
	Check func(nhip.Message) error

	scan, settle time.Duration // scanEvery and settleFor; shorter in tests
}

// DropFolder accepts the files that monitoring stations drop in a tree of folders. It moves a file to done/ when the
// file's message is on disk, and to failed/ with the reason beside it if the file is invalid. Below both, files keep
// their place in the tree. Files that are still being written are left alone.
type DropFolder struct {
	o       DropFolderOptions
	root    *os.Root
	log     *slog.Logger
	files   *prometheus.CounterVec
	seen    map[string]fileState
	waiting bool // the last file could not be written to disk, and that was logged
}

// fileState is the size and modification time of a file, and when it was first seen with them.
type fileState struct {
	size     int64
	modified time.Time
	since    time.Time
}

// NewDropFolder opens the tree. It processes no files before Run.
func NewDropFolder(o DropFolderOptions) (*DropFolder, error) {
	if o.scan == 0 {
		o.scan, o.settle = scanEvery, settleFor
	}
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return nil, fmt.Errorf("can't open the folder of station files: %w", err)
	}
	d := &DropFolder{
		o: o, root: root, log: o.Logger.With("component", "drop folder"), seen: make(map[string]fileState),
	}
	d.files = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_gateway_files_total", Help: "Station files, by outcome: done or failed.",
	}, []string{"outcome"})
	o.Registry.MustRegister(d.files)
	for _, dir := range []string{doneDir, failedDir} {
		if err := root.MkdirAll(dir, 0o750); err != nil {
			return nil, errors.Join(fmt.Errorf("can't write to the folder of station files: %w", err), root.Close())
		}
	}
	return d, nil
}

// Run processes files until ctx ends.
func (d *DropFolder) Run(ctx context.Context) error {
	defer func() { _ = d.root.Close() }() // nothing was written through it
	for {
		d.sweep(ctx)
		if err := wait.Sleep(ctx, d.o.scan); err != nil {
			return err
		}
	}
}

// sweep processes the complete files in the order of their names, which is the order of time for each station. It
// stops at a file that can't be written to disk; the rest would fail too.
func (d *DropFolder) sweep(ctx context.Context) {
	ready, err := d.settled()
	if err != nil {
		d.log.Error("can't list station files", "error", err)
		return
	}
	slices.SortFunc(ready, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	for _, name := range ready {
		if ctx.Err() != nil || !d.process(ctx, name) {
			return
		}
	}
}

// settled lists the files that have not changed for long enough.
func (d *DropFolder) settled() ([]string, error) {
	now := time.Now()
	var ready []string
	found := make(map[string]fileState)
	err := fs.WalkDir(d.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil:
			return nil // removed in the meantime, or not readable
		case e.IsDir() && (name == doneDir || name == failedDir):
			return fs.SkipDir
		case e.IsDir() || unfinished.MatchString(e.Name()):
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		s := fileState{info.Size(), info.ModTime(), now}
		if before, ok := d.seen[name]; ok && before.size == s.size && before.modified.Equal(s.modified) {
			s.since = before.since
		}
		found[name] = s
		if now.Sub(s.since) >= d.o.settle {
			ready = append(ready, name)
		}
		return nil
	})
	d.seen = found
	return ready, err
}

// process hands one file to the acceptor and moves it away. It returns false if the file has to be tried again.
func (d *DropFolder) process(ctx context.Context, name string) bool {
	m, err := d.read(name)
	if err != nil {
		d.fail(name, err)
		return true
	}
	outcome := make(chan error, 1)
	d.o.Acceptor.Accept(m, func(err error) { outcome <- err })
	select {
	case err = <-outcome:
	case <-ctx.Done():
		return false
	}
	var invalid *nhip.Error
	switch {
	case errors.As(err, &invalid):
		d.fail(name, invalid)
	case err != nil:
		if !d.waiting {
			d.log.Error("station files can't be written to disk; retrying", "file", name, "error", err)
		}
		d.waiting = true
		return false
	default:
		d.waiting = false
		d.finish(name, m)
	}
	return true
}

// finish moves a file away whose message is on disk.
func (d *DropFolder) finish(name string, m nhip.Message) {
	if d.o.Check != nil {
		if err := d.o.Check(m); err != nil {
			d.fail(name, err)
			return
		}
	}
	d.files.WithLabelValues("done").Inc()
	if _, err := d.move(name, doneDir); err != nil {
		d.log.Error("can't move a processed station file; it will be processed again, as a duplicate",
			"file", name, "error", err)
	}
}

// read returns the message of a file.
func (d *DropFolder) read(name string) (nhip.Message, error) {
	parts := stationFile.FindStringSubmatch(path.Base(name))
	if parts == nil {
		return nhip.Message{}, nhip.Errorf(nhip.CodeInvalid, "file",
			"must be named as in HN_CCMT_KHITY3_20260216225500.txt: province, facility and station, and yyyyMMddHHmmss")
	}
	info, err := d.root.Lstat(name)
	if err != nil {
		return nhip.Message{}, err
	}
	if !info.Mode().IsRegular() {
		return nhip.Message{}, nhip.Errorf(nhip.CodeInvalid, "file", "must be a regular file, not a link or a device")
	}
	f, err := d.root.Open(name)
	if err != nil {
		return nhip.Message{}, err
	}
	defer f.Close()
	payload, err := io.ReadAll(io.LimitReader(f, maxPush+1))
	switch {
	case err != nil:
		return nhip.Message{}, err
	case len(payload) > maxPush:
		return nhip.Message{}, nhip.Errorf(nhip.CodeTooLarge, "file", "must be at most %d bytes", maxPush)
	case len(bytes.TrimSpace(payload)) == 0:
		return nhip.Message{}, nhip.Errorf(nhip.CodeInvalid, "file", "must not be empty")
	}
	station := parts[1]
	return nhip.Message{
		Client: station, Topic: topics.DeviceTopic(stationFormat, station), Payload: payload,
		Received: d.o.Clock.Now().UTC(), Account: "files",
	}, nil
}

// fail moves an invalid file away and writes the reason beside it.
func (d *DropFolder) fail(name string, reason error) {
	d.files.WithLabelValues("failed").Inc()
	d.log.Warn("invalid station file", "file", name, "error", reason)
	to, err := d.move(name, failedDir)
	if err == nil {
		err = d.root.WriteFile(to+errorExt, []byte(reason.Error()+"\n"), 0o640)
	}
	if err != nil {
		d.log.Error("can't move an invalid station file", "file", name, "error", err)
	}
}

// move moves a file to the same place below another folder and returns its new name. It replaces no file: a number is
// added to a name that is taken.
func (d *DropFolder) move(name, dir string) (string, error) {
	to := path.Join(dir, name)
	if err := d.root.MkdirAll(path.Dir(to), 0o750); err != nil {
		return "", err
	}
	free := to
	for n := 2; ; n++ {
		if _, err := d.root.Lstat(free); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return "", err
		}
		free = fmt.Sprintf("%s.%d", to, n)
	}
	delete(d.seen, name)
	return free, d.root.Rename(name, free)
}
