// Package timetable reads timetables from files and addresses, and watches them for changes.
package timetable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/damage"
	"nhip/internal/durable"
	"nhip/internal/outbound"
	"nhip/internal/recovery"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
)

// Bounds of a download.
const (
	maxDownload     = 256 << 20 // bytes
	downloadTimeout = 2 * time.Minute
	cachedWait      = 2 * time.Second // for all downloads, if Load has a previous one of each
)

// Source reads the timetable from one GTFS zip, or from several that are merged.
type Source struct {
	from   []string // paths, or http:// and https:// addresses
	cache  string   // folder for downloads
	log    *slog.Logger
	guard  *recovery.Guard
	agency *gtfs.Agency         // of timetables that have none; may be nil
	found  *prometheus.GaugeVec // findings in use, by severity; may be nil
	http   *http.Client
	seen   []stamp
	stale  atomic.Bool

	damaged *damage.Log
}

// stamp identifies a version of a file.
type stamp struct {
	size     int64
	modified time.Time
	etag     string // of the last download
	since    string // Last-Modified of the last download
}

// New returns the source of a comma-separated list of paths and addresses. Downloads are stored in the folder cache, so
// that the platform can start while a publisher is not reachable. policy says which addresses may be asked. damaged
// reports damaged ones; it may be nil.
func New(
	list, cache string, policy outbound.Policy, log *slog.Logger, damaged *damage.Log,
) (*Source, error) {
	client, err := outbound.New(outbound.Options{Policy: policy, Timeout: downloadTimeout, MaxBytes: maxDownload})
	if err != nil {
		return nil, err
	}
	s := &Source{cache: cache, log: log, guard: recovery.NewGuard(nil, log), damaged: damaged, http: client}
	s.from = Split(list)
	s.seen = make([]stamp, len(s.from))
	return s, nil
}

// Split returns the paths and addresses of a comma-separated list.
func Split(list string) []string {
	var all []string
	for _, from := range strings.Split(list, ",") {
		if from = strings.TrimSpace(from); from != "" {
			all = append(all, from)
		}
	}
	return all
}

// Find returns the position in a list of the entry with a name, from 0: the entry itself or, if only one has it, its
// file name with or without .zip.
func Find(list, name string) (int, error) {
	entries, found := Split(list), -1
	if i := slices.Index(entries, name); i >= 0 {
		return i, nil
	}
	for i, from := range entries {
		base := fileName(from)
		if base != name && strings.TrimSuffix(base, ".zip") != name {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("is the name of several timetables (%s); write the whole entry of gtfs",
				strings.Join(named(entries), ", "))
		}
		found = i
	}
	if found < 0 {
		return 0, fmt.Errorf("must be one of the timetables in gtfs (%s), got %q", strings.Join(named(entries), ", "), name)
	}
	return found, nil
}

// fileName returns the file name of a path or an address.
func fileName(from string) string {
	if at, err := url.Parse(from); remote(from) && err == nil {
		return path.Base(at.Path)
	}
	return filepath.Base(from)
}

// named returns the file names of entries, for messages: an address may contain a key.
func named(entries []string) (names []string) {
	for _, from := range entries {
		names = append(names, fileName(from))
	}
	return names
}

func remote(from string) bool {
	return strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://")
}

// name returns the i-th entry of the list for logs: a path, or the server of an address.
func (s *Source) name(i int) string {
	if remote(s.from[i]) {
		return outbound.Name(s.from[i])
	}
	return s.from[i]
}

// path returns the path of the i-th file, which may be a download.
func (s *Source) path(i int) string {
	if remote(s.from[i]) {
		return filepath.Join(s.cache, fmt.Sprintf("timetable-%d.zip", i+1))
	}
	return s.from[i]
}

// Load downloads and reads all files and merges them. If a download fails, Load uses the previous one; a damaged one is
// set aside first. Without a timetable it returns an error.
func (s *Source) Load(ctx context.Context) (*gtfs.Feed, error) {
	if s.setAsideDamaged(); s.cached() { // the publisher must not delay the start
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, cachedWait)
		defer cancel()
	}
	if _, err := s.refresh(ctx); err != nil {
		return nil, err
	}
	return s.read()
}

// setAsideDamaged sets aside previous downloads that can't be read.
func (s *Source) setAsideDamaged() {
	for i, from := range s.from {
		if !remote(from) {
			continue
		}
		if _, err := s.readFile(s.path(i)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.damaged.SetAside(s.path(i), err)
		}
	}
}

// cached reports whether there is a file for every entry of the list.
func (s *Source) cached() bool {
	for i := range s.from {
		if _, err := os.Stat(s.path(i)); err != nil {
			return false
		}
	}
	return true
}

// MarkStale makes Stale true until Watch finds a valid timetable.
func (s *Source) MarkStale() { s.stale.Store(true) }

// Stale reports whether the newest version of a file is invalid or can't be read, so that an older one is in use.
func (s *Source) Stale() bool { return s.stale.Load() }

// ReadFile reads a timetable that the platform can use. It returns the findings even if there is an error.
func ReadFile(path string, o gtfs.Options) (*gtfs.Feed, *gtfs.Findings, error) {
	f, findings, err := o.ReadFile(path)
	if err != nil {
		return nil, findings, err
	}
	if err := network.Check(f); err != nil {
		findings.Refuse(err)
		return nil, findings, err
	}
	for _, found := range network.CheckShapes(f) {
		findings.Add(found)
	}
	return f, findings, nil
}

func (s *Source) read() (*gtfs.Feed, error) {
	var feeds []*gtfs.Feed
	for i := range s.from {
		f, err := s.readFile(s.path(i))
		if err != nil {
			return nil, fmt.Errorf("can't read the timetable: %w", err)
		}
		if len(f.Unread) > 0 {
			s.log.Info("unused files in the timetable", "timetable", s.name(i), "files", f.Unread)
		}
		s.report(i, f.Findings())
		feeds = append(feeds, f)
	}
	all, err := gtfs.Merge(feeds...)
	if err != nil {
		return nil, fmt.Errorf("can't merge the timetables: %w", err)
	}
	s.count(all.Findings())
	return all, nil
}

// refresh downloads new versions and reports whether a file has changed since the last call.
func (s *Source) refresh(ctx context.Context) (changed bool, err error) {
	for i, from := range s.from {
		if remote(from) {
			if err := s.download(ctx, i); err != nil {
				if _, statErr := os.Stat(s.path(i)); statErr != nil {
					return changed, fmt.Errorf("can't download the timetable %d: %w", i+1, err)
				}
				s.log.Warn("can't download the timetable; using the previous download", "timetable", outbound.Name(from), "error",
					err)
			}
		}
		info, err := os.Stat(s.path(i))
		if err != nil {
			return changed, fmt.Errorf("can't read the timetable: %w", err)
		}
		if seen := &s.seen[i]; seen.size != info.Size() || !seen.modified.Equal(info.ModTime()) {
			seen.size, seen.modified, changed = info.Size(), info.ModTime(), true
		}
	}
	return changed, nil
}

// download downloads a file if it has changed.
func (s *Source) download(ctx context.Context, i int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.from[i], nil)
	if err != nil {
		return outbound.Redact(err)
	}
	seen := &s.seen[i]
	if seen.etag != "" {
		req.Header.Set("If-None-Match", seen.etag)
	}
	if seen.since != "" {
		req.Header.Set("If-Modified-Since", seen.since)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return outbound.Redact(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		return nil
	case http.StatusOK:
	default:
		return fmt.Errorf("the server answered %s", resp.Status)
	}
	fresh := s.path(i) + ".new"
	err = durable.Write(fresh, func(w io.Writer) error {
		_, err := io.Copy(w, resp.Body) // the client bounds it
		return outbound.Redact(err)
	})
	if err == nil {
		_, err = s.readFile(fresh) // a publisher's error page must not replace a timetable
	}
	if err == nil {
		err = os.Rename(fresh, s.path(i))
	}
	if err != nil {
		_ = os.Remove(fresh)
		return err
	}
	seen.etag, seen.since = resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	return nil
}

// Intervals between checks for a new timetable.
const (
	fileEvery     = 5 * time.Second
	staleEvery    = time.Second     // while a file is invalid
	downloadEvery = 5 * time.Minute // if one of the sources is an address
)

// Watch calls use with each new timetable until ctx ends. It logs and skips a timetable that can't be read.
func (s *Source) Watch(ctx context.Context, use func(*gtfs.Feed)) error {
	for {
		every := fileEvery
		switch stale, remote := s.Stale(), s.hasRemote(); {
		case stale && !remote:
			every = staleEvery
		case remote && !stale:
			every = downloadEvery
		}
		if err := wait.Sleep(ctx, every); err != nil {
			return err
		}
		s.check(ctx, use)
	}
}

func (s *Source) hasRemote() bool { return slices.ContainsFunc(s.from, remote) }

func (s *Source) check(ctx context.Context, use func(*gtfs.Feed)) {
	changed, err := s.refresh(ctx)
	if err == nil && !changed && !(s.Stale() && s.hasRemote()) {
		return
	}
	var f *gtfs.Feed
	if err == nil {
		f, err = s.read()
	}
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		s.stale.Store(true)
		s.log.Error("invalid new timetable; the previous one stays in use", "error", err)
	default:
		s.stale.Store(false)
		use(f)
		s.log.Info("new timetable in use", "trips", len(f.Trips), "expires", f.Expires())
	}
}
