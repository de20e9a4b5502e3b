// Package damage keeps the platform running on damaged files. A file that can't be read is set aside under another
// name, where it stays for inspection; its owner then starts without it. Every case is logged, counted and shown on
// /readyz.
package damage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"nhip/internal/durable"
	"nhip/internal/health"

	"github.com/prometheus/client_golang/prometheus"
)

// Log reports the damaged files of a process. A nil *Log sets files aside, too, and reports nothing.
type Log struct {
	log   *slog.Logger
	files *prometheus.CounterVec
	found atomic.Int64
	last  atomic.Pointer[string] // base name of the last one
}

// NewLog returns a Log with metrics in a registry.
func NewLog(log *slog.Logger, registry prometheus.Registerer) *Log {
	l := &Log{log: log, files: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "nhip_damaged_files_total",
		Help: "Damaged files in the data folder since the start, by name. A copy of each is kept beside it.",
	}, []string{"file"})}
	registry.MustRegister(l.files)
	return l
}

// Check returns a readiness check that fails from the first damaged file until the next start.
func (l *Log) Check() health.Check {
	return health.Check{Name: "files", Optional: true, Fault: func() string {
		if n := l.found.Load(); n > 0 {
			return fmt.Sprintf("%d damaged since the start, the last one %s; see the log", n, *l.last.Load())
		}
		return ""
	}}
}

// SetAside renames a damaged file or folder, so that its owner can begin a new one. cause is what is wrong with it. If
// the file can't be renamed, it stays, and that is logged.
func (l *Log) SetAside(path string, cause error) {
	kept := unused(path)
	err := os.Rename(path, kept)
	if err == nil {
		err = durable.SyncDir(filepath.Dir(path))
	}
	if errors.Is(err, fs.ErrNotExist) {
		kept, err = "", nil
	}
	l.Report(path, kept, errors.Join(cause, err))
}

// filePatterns are the names of the files in the folders of the roles.
var filePatterns = []string{
	"lock", "*.lock", "*.seg", "*.cursor", "checkpoint", "*.run", "*.json", "*.jsonl", "known-series",
}

// Folder sets aside what is in the place of a folder and is none, and folders in it that are in the place of a file.
func (l *Log) Folder(path string) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		l.SetAside(path, fmt.Errorf("must be a folder, is %s", info.Mode()))
		return
	}
	entries, _ := os.ReadDir(path) // an error shows when the folder is used
	for _, e := range entries {
		if e.IsDir() && slices.ContainsFunc(filePatterns, func(p string) bool {
			ok, _ := filepath.Match(p, e.Name())
			return ok
		}) {
			l.SetAside(filepath.Join(path, e.Name()), errors.New("must be a file, is a folder"))
		}
	}
}

// Copy keeps a copy of a file of which some parts are damaged and the others stay in use.
func (l *Log) Copy(path string, cause error) {
	kept := unused(path)
	err := copyFile(path, kept)
	l.Report(path, kept, errors.Join(cause, err))
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return durable.Write(to, func(w io.Writer) error { _, err := io.Copy(w, in); return err })
}

// Report reports a damaged file. kept is the path of what is kept of it; "": nothing.
func (l *Log) Report(path, kept string, cause error) {
	if l == nil {
		return
	}
	name := filepath.Base(path)
	l.last.Store(&name)
	l.found.Add(1)
	l.files.WithLabelValues(name).Inc()
	l.log.Error("damaged file", "file", path, "kept", kept, "error", cause)
}

// unused returns a path beside a damaged file that does not exist yet.
func unused(path string) string {
	base := path + ".damaged-" + time.Now().UTC().Format("20060102T150405Z")
	kept := base
	for i := 2; exists(kept); i++ {
		kept = fmt.Sprintf("%s-%d", base, i)
	}
	return kept
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
