// Package timetable brings timetables in from files and addresses, and notices when they change.
package timetable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nhip/geo/gtfs"
	"nhip/internal/durable"
	"nhip/internal/pause"
)

// Bounds of a download.
const (
	maxDownload     = 256 << 20
	downloadTimeout = 2 * time.Minute
)

// Source is where the timetable comes from: one GTFS zip, or several that are merged.
type Source struct {
	from  []string // paths, or http:// and https:// addresses
	cache string   // folder for what was downloaded
	log   *slog.Logger
	http  http.Client
	seen  []stamp
}

// stamp is how a change is noticed.
type stamp struct {
	size     int64
	modified time.Time
	etag     string // of a download
	since    string // its Last-Modified
}

// New returns the source that a list with commas names. Downloads are kept in the folder cache, so that a
// publisher who is away stops nobody from starting.
func New(list, cache string, log *slog.Logger) *Source {
	s := &Source{cache: cache, log: log, http: http.Client{Timeout: downloadTimeout}}
	for _, from := range strings.Split(list, ",") {
		if from = strings.TrimSpace(from); from != "" {
			s.from = append(s.from, from)
		}
	}
	s.seen = make([]stamp, len(s.from))
	return s
}

func remote(from string) bool {
	return strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://")
}

// path is where the file of a source lies.
func (s *Source) path(i int) string {
	if remote(s.from[i]) {
		return filepath.Join(s.cache, fmt.Sprintf("timetable-%d.zip", i+1))
	}
	return s.from[i]
}

// Load fetches and reads everything. A publisher who is away is no error where an earlier download is
// there.
func (s *Source) Load(ctx context.Context) (*gtfs.Feed, error) {
	if _, err := s.refresh(ctx); err != nil {
		return nil, err
	}
	return s.read()
}

func (s *Source) read() (*gtfs.Feed, error) {
	var feeds []*gtfs.Feed
	for i := range s.from {
		f, err := gtfs.ReadFile(s.path(i))
		if err != nil {
			return nil, fmt.Errorf("can't read the timetable: %w", err)
		}
		if len(f.Unread) > 0 {
			s.log.Info("a timetable holds files that nhip has no use for", "timetable", s.from[i], "files", f.Unread)
		}
		feeds = append(feeds, f)
	}
	all, err := gtfs.Merge(feeds...)
	if err != nil {
		return nil, fmt.Errorf("can't merge the timetables: %w", err)
	}
	return all, nil
}

// refresh downloads what is new and reports whether anything changed since the last time.
func (s *Source) refresh(ctx context.Context) (changed bool, err error) {
	for i, from := range s.from {
		if remote(from) {
			if err := s.download(ctx, i); err != nil {
				if _, kept := os.Stat(s.path(i)); kept != nil {
					return changed, fmt.Errorf("can't fetch the timetable %s: %w", from, err)
				}
				s.log.Warn("can't fetch the timetable; the last one that came is used", "timetable", from, "error", err)
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

// download asks for a file, unless it is as it was.
func (s *Source) download(ctx context.Context, i int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.from[i], nil)
	if err != nil {
		return err
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
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotModified:
		return nil
	case http.StatusOK:
	default:
		return fmt.Errorf("it answers with status %s", resp.Status)
	}
	err = durable.Write(s.path(i), func(w io.Writer) error {
		n, err := io.Copy(w, io.LimitReader(resp.Body, maxDownload+1))
		if err == nil && n > maxDownload {
			err = fmt.Errorf("it has more than %d bytes", int64(maxDownload))
		}
		return err
	})
	if err == nil {
		seen.etag, seen.since = resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	}
	return err
}

// lookEvery is how often files are looked at, and askEvery addresses.
const (
	lookEvery = 5 * time.Second
	askEvery  = 5 * time.Minute
)

// Watch calls use with each new timetable until ctx ends. One that can't be read is told and left alone:
// the last good one stays.
func (s *Source) Watch(ctx context.Context, use func(*gtfs.Feed)) {
	every := lookEvery
	for _, from := range s.from {
		if remote(from) {
			every = askEvery
		}
	}
	for pause.For(ctx, every) {
		s.look(ctx, use)
	}
}

func (s *Source) look(ctx context.Context, use func(*gtfs.Feed)) {
	changed, err := s.refresh(ctx)
	if err == nil && !changed {
		return
	}
	var f *gtfs.Feed
	if err == nil {
		f, err = s.read()
	}
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		s.log.Error("a new timetable can't be used; the last one stays", "error", err)
	default:
		use(f)
		s.log.Info("a new timetable is in use", "trips", len(f.Trips), "expires", f.Expires())
	}
}
