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
	"nhip/internal/mqtt"
	"nhip/internal/pause"

	"github.com/prometheus/client_golang/prometheus"
)

// The rhythm of a drop.
const (
	scanEvery = 2 * time.Second
	settleFor = 5 * time.Second // that a file must not have changed: whoever writes it is done then
)

// Where files go that were taken, and those that could not be.
const (
	doneDir   = "done"
	failedDir = "failed"
	errorExt  = ".error" // beside a file that failed: why
)

// stationFormat is what is dropped.
const stationFormat = "station-file"

// stationFile is the name of a station's file under Circular 10/2021/TT-BTNMT: province, facility and station,
// then yyyyMMddHHmmss, as in HN_CCMT_KHITY3_20260216225500.txt.
var stationFile = regexp.MustCompile(`^([0-9A-Za-z]+(?:[_-][0-9A-Za-z]+)*)_([0-9]{12}|[0-9]{14})\.txt$`)

// unfinished are the names that uploading programs give a file until it is whole.
var unfinished = regexp.MustCompile(`^\.|\.(tmp|part|filepart)$|~$`)

// DropOptions say what a Drop needs.
type DropOptions struct {
	Root     string // the folder that files are dropped below, at root/YYYY/MM/DD by the Circular, or anywhere
	Door     nhip.Door
	Clock    nhip.Clock
	Logger   *slog.Logger
	Registry prometheus.Registerer

	// Check tells what of a message will be turned away further on, so that whoever dropped the file finds it
	// beside it; nil where nobody here can read it.
	Check func(nhip.Message) error

	scan, settle time.Duration // scanEvery and settleFor; shorter in tests
}

// Drop takes in the files that monitoring stations leave in a tree. One that was taken, which is to say that
// its message is on disk, is moved to done/, one that can't be to failed/, with the error beside it; both keep
// their place in the tree. A file that is still being written waits.
type Drop struct {
	o     DropOptions
	root  *os.Root
	log   *slog.Logger
	files *prometheus.CounterVec
	seen  map[string]sighting
	told  bool // that a file can't be taken now
}

// sighting is how a file was when it was first seen so.
type sighting struct {
	size     int64
	modified time.Time
	since    time.Time
}

// NewDrop opens the tree. Nothing is taken before Run.
func NewDrop(o DropOptions) (*Drop, error) {
	if o.scan == 0 {
		o.scan, o.settle = scanEvery, settleFor
	}
	root, err := os.OpenRoot(o.Root)
	if err != nil {
		return nil, fmt.Errorf("can't open the folder of station files: %w", err)
	}
	d := &Drop{o: o, root: root, log: o.Logger.With("component", "drop"), seen: make(map[string]sighting)}
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

// Run takes files until ctx ends.
func (d *Drop) Run(ctx context.Context) {
	defer func() { _ = d.root.Close() }() // it was only a folder
	for {
		d.sweep(ctx)
		if !pause.For(ctx, d.o.scan) {
			return
		}
	}
}

// sweep takes what has settled, in the order of names, which is that of time for each station.
func (d *Drop) sweep(ctx context.Context) {
	ready, err := d.settled()
	if err != nil {
		d.log.Error("can't look for station files", "error", err)
		return
	}
	slices.SortFunc(ready, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	for _, name := range ready {
		if ctx.Err() != nil || !d.take(ctx, name) {
			return // the rest has no better chance; it stays where it is
		}
	}
}

// settled lists the files that have not changed for long enough.
func (d *Drop) settled() ([]string, error) {
	now := time.Now()
	var ready []string
	there := make(map[string]sighting)
	err := fs.WalkDir(d.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil:
			return nil // it went meanwhile, or is not ours to read
		case e.IsDir() && (name == doneDir || name == failedDir):
			return fs.SkipDir
		case e.IsDir() || unfinished.MatchString(e.Name()):
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return nil
		}
		s := sighting{info.Size(), info.ModTime(), now}
		if before, ok := d.seen[name]; ok && before.size == s.size && before.modified.Equal(s.modified) {
			s.since = before.since
		}
		there[name] = s
		if now.Sub(s.since) >= d.o.settle {
			ready = append(ready, name)
		}
		return nil
	})
	d.seen = there
	return ready, err
}

// take carries one file through the door; false when that can't be done now.
func (d *Drop) take(ctx context.Context, name string) bool {
	m, err := d.read(name)
	if err != nil {
		d.fail(name, err)
		return true
	}
	outcome := make(chan error, 1)
	d.o.Door.Accept(m, func(err error) { outcome <- err })
	select {
	case err = <-outcome:
	case <-ctx.Done():
		return false
	}
	var refused *nhip.Error
	switch {
	case errors.As(err, &refused):
		d.fail(name, refused)
	case err != nil:
		if !d.told {
			d.log.Error("station files can't be put on disk and wait", "file", name, "error", err)
		}
		d.told = true
		return false
	default:
		d.told = false
		d.finish(name, m)
	}
	return true
}

// finish puts a file away whose message is on disk.
func (d *Drop) finish(name string, m nhip.Message) {
	if d.o.Check != nil {
		if err := d.o.Check(m); err != nil {
			d.fail(name, err)
			return
		}
	}
	d.files.WithLabelValues("done").Inc()
	if _, err := d.move(name, doneDir); err != nil {
		d.log.Error("can't put a station file away; it will be taken again, and be a duplicate", "file", name, "error", err)
	}
}

// read makes a message of a file.
func (d *Drop) read(name string) (nhip.Message, error) {
	parts := stationFile.FindStringSubmatch(path.Base(name))
	if parts == nil {
		return nhip.Message{}, nhip.Errorf(nhip.Invalid, "file", "must be named as in HN_CCMT_KHITY3_20260216225500.txt: province, facility and station, and yyyyMMddHHmmss")
	}
	info, err := d.root.Lstat(name)
	if err != nil {
		return nhip.Message{}, err
	}
	if !info.Mode().IsRegular() {
		return nhip.Message{}, nhip.Errorf(nhip.Invalid, "file", "must be a file, not a link or a device")
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
		return nhip.Message{}, nhip.Errorf(nhip.TooLarge, "file", "must be at most %d bytes", maxPush)
	case len(bytes.TrimSpace(payload)) == 0:
		return nhip.Message{}, nhip.Errorf(nhip.Invalid, "file", "must not be empty")
	}
	station := parts[1]
	return nhip.Message{
		Client: station, Topic: mqtt.In + stationFormat + "/" + station, Payload: payload, Received: d.o.Clock.Now().UTC(),
	}, nil
}

// fail puts a file away with the reason beside it.
func (d *Drop) fail(name string, why error) {
	d.files.WithLabelValues("failed").Inc()
	d.log.Warn("a station file is faulty", "file", name, "error", why)
	at, err := d.move(name, failedDir)
	if err == nil {
		err = d.root.WriteFile(at+errorExt, []byte(why.Error()+"\n"), 0o640)
	}
	if err != nil {
		d.log.Error("can't put a faulty station file away", "file", name, "error", err)
	}
}

// move puts a file at the same place below another folder, and returns its new name. One that came before
// under that name stays.
func (d *Drop) move(name, dir string) (string, error) {
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
