// Package photos keeps the photos of citizens' reports as files, in one folder for each day, within a number of days
// and of bytes in all. The api sends and reads them in parts, because a packet of the broker is smaller than a photo.
package photos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"nhip"
	"nhip/internal/durable"

	"github.com/prometheus/client_golang/prometheus"
)

// Defaults of Options.
const (
	DefaultMaxBytes = 2 << 30
	DefaultKeep     = 180 * 24 * time.Hour
)

const (
	maxPhoto   = 256 << 10 // bytes
	maxUploads = 32        // photos that are received at the same time
	uploadTime = time.Minute
	suffix     = ".jpg"
)

// Options configure a Store.
type Options struct {
	Dir      string        // is made if it does not exist
	MaxBytes int64         // of all photos; the oldest day is deleted first; 0: DefaultMaxBytes
	Keep     time.Duration // 0: DefaultKeep
	Clock    nhip.Clock
	Registry prometheus.Registerer
}

// Store is a folder of photos. It is safe for concurrent use.
type Store struct {
	o       Options
	refused prometheus.Counter

	mu      sync.Mutex
	photos  map[string]photo  // by report
	uploads map[string]upload // by report
	bytes   int64             // of all photos
}

// photo is a photo on disk.
type photo struct {
	day  string // as in 2026-02-16, the name of its folder
	size int64
}

// upload is a photo that is not complete.
type upload struct {
	data []byte
	last time.Time // when a part came
}

// Open returns the store of a folder.
func Open(o Options) (*Store, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Keep == 0 {
		o.Keep = DefaultKeep
	}
	s := &Store{o: o, photos: make(map[string]photo), uploads: make(map[string]upload)}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("can't make the folder of photos: %w", err)
	}
	if err := s.scan(); err != nil {
		return nil, fmt.Errorf("can't read the folder of photos: %w", err)
	}
	s.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "nhip_collector_photos_refused_total", Help: "Photos of reports that were not kept: too large, or no room.",
	})
	kept := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "nhip_collector_photos_bytes", Help: "Bytes of the photos of reports.",
	}, func() float64 { s.mu.Lock(); defer s.mu.Unlock(); return float64(s.bytes) })
	most := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "nhip_collector_photos_max_bytes", Help: "Maximum of nhip_collector_photos_bytes.",
	})
	most.Set(float64(o.MaxBytes))
	age := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "nhip_collector_photos_keep_seconds", Help: "How long photos of reports are kept.",
	})
	age.Set(o.Keep.Seconds())
	o.Registry.MustRegister(s.refused, kept, most, age)
	return s, nil
}

// scan fills the index from the folder. What is no photo of ours is left alone, except for files of a write that a
// crash broke off.
func (s *Store) scan() error {
	return filepath.WalkDir(s.o.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, day := d.Name(), filepath.Base(filepath.Dir(path))
		id, ours := strings.CutSuffix(name, suffix)
		switch info, err := d.Info(); {
		case err != nil:
			return err
		case strings.Contains(name, suffix+".tmp"):
			return os.Remove(path)
		case ours && isDay(day) && nhip.CheckReportID("", id) == nil:
			s.photos[id] = photo{day, info.Size()}
			s.bytes += info.Size()
		}
		return nil
	})
}

func isDay(name string) bool { _, err := time.Parse(time.DateOnly, name); return err == nil }

var (
	errFull   = nhip.Errorf(nhip.CodeUnavailable, "media", "there is no room for photos; send the report without one")
	errUpload = nhip.Errorf(nhip.CodeUnavailable, "media", "the photo was not received whole; send the report again")
)

// Put takes a part of a photo. With the last one the photo is on disk when Put returns. A photo that is sent again
// replaces the first.
func (s *Store) Put(_ context.Context, c nhip.PhotoChunk) (struct{}, error) {
	if err := nhip.CheckReportID("report", c.Report); err != nil {
		return struct{}{}, err
	}
	data, err := s.receive(&c)
	if err == nil && data != nil {
		err = s.write(c.Report, data)
	}
	if err != nil {
		s.refused.Inc()
	}
	return struct{}{}, err
}

// receive adds a part to a photo and returns the photo if the part is the last.
func (s *Store) receive(c *nhip.PhotoChunk) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for id, u := range s.uploads {
		if now.Sub(u.last) > uploadTime {
			delete(s.uploads, id)
		}
	}
	u := s.uploads[c.Report]
	if c.Offset == 0 {
		u = upload{}
	}
	switch {
	case c.Offset != len(u.data):
		return nil, errUpload
	case len(u.data) == 0 && len(s.uploads) >= maxUploads:
		return nil, errFull
	case len(u.data)+len(c.Data) > maxPhoto:
		delete(s.uploads, c.Report)
		return nil, nhip.Errorf(nhip.CodeTooLarge, "media", "must have at most %d bytes", maxPhoto)
	}
	u.data, u.last = append(u.data, c.Data...), now
	if !c.Last {
		s.uploads[c.Report] = u
		return nil, nil
	}
	delete(s.uploads, c.Report)
	if !bytes.HasPrefix(u.data, []byte("\xff\xd8\xff")) {
		return nil, nhip.Errorf(nhip.CodeInvalid, "media", "must be a JPEG picture")
	}
	return u.data, nil
}

// write makes a photo durable.
func (s *Store) write(id string, data []byte) error {
	day, size := s.o.Clock.Now().UTC().Format(time.DateOnly), int64(len(data))
	if !s.reserve(size, day) {
		return errFull
	}
	dir := filepath.Join(s.o.Dir, day)
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = durable.SyncDir(s.o.Dir)
	}
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, id+suffix), data)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.bytes -= size
		return fmt.Errorf("can't keep a photo: %w", err)
	}
	if before, had := s.photos[id]; had && before.day == day {
		s.bytes -= before.size
	}
	s.photos[id] = photo{day, size}
	return nil
}

// reserve counts bytes of a photo of a day, for which older days go. It reports false if there is no room.
func (s *Store) reserve(size int64, day string) bool {
	for {
		s.mu.Lock()
		if s.bytes+size <= s.o.MaxBytes {
			s.bytes += size
			s.mu.Unlock()
			return true
		}
		oldest := s.oldest()
		s.mu.Unlock()
		if oldest == "" || oldest >= day || s.removeDay(oldest) != nil {
			return false
		}
	}
}

// oldest returns the first day with a photo. The caller holds mu.
func (s *Store) oldest() string {
	first := ""
	for _, p := range s.photos {
		if first == "" || p.day < first {
			first = p.day
		}
	}
	return first
}

// Get returns a part of a photo.
func (s *Store) Get(_ context.Context, q nhip.PhotoQuery) (nhip.PhotoPart, error) {
	s.mu.Lock()
	p, ok := s.photos[q.Report]
	s.mu.Unlock()
	if !ok {
		return nhip.PhotoPart{}, errNone
	}
	data, err := os.ReadFile(s.path(q.Report, p))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nhip.PhotoPart{}, errNone
	case err != nil:
		return nhip.PhotoPart{}, err
	case q.Offset < 0 || q.Offset > len(data):
		return nhip.PhotoPart{}, nhip.Errorf(nhip.CodeInvalid, "offset", "must be between 0 and %d", len(data))
	}
	return nhip.PhotoPart{Data: data[q.Offset:min(len(data), q.Offset+nhip.MaxPhotoChunk)], Size: len(data)}, nil
}

var errNone = nhip.Errorf(nhip.CodeNotFound, "report", "this collector has no photo of the report")

func (s *Store) path(id string, p photo) string { return filepath.Join(s.o.Dir, p.day, id+suffix) }

// Remove deletes the photo of a report, if there is one.
func (s *Store) Remove(_ context.Context, q nhip.PhotoQuery) (struct{}, error) {
	s.mu.Lock()
	p, ok := s.photos[q.Report]
	s.mu.Unlock()
	if !ok {
		return struct{}{}, nil
	}
	if err := os.Remove(s.path(q.Report, p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return struct{}{}, err
	}
	s.forget(func(id string, _ photo) bool { return id == q.Report })
	return struct{}{}, durable.SyncDir(filepath.Join(s.o.Dir, p.day))
}

// Prune deletes the days that are older than photos are kept, and returns them.
func (s *Store) Prune() (days []string, err error) {
	first := s.o.Clock.Now().Add(-s.o.Keep).UTC().Format(time.DateOnly)
	s.mu.Lock()
	for _, p := range s.photos {
		if p.day < first && !slices.Contains(days, p.day) {
			days = append(days, p.day)
		}
	}
	s.mu.Unlock()
	for _, day := range days {
		err = errors.Join(err, s.removeDay(day))
	}
	return days, err
}

// removeDay deletes the photos of a day.
func (s *Store) removeDay(day string) error {
	if err := os.RemoveAll(filepath.Join(s.o.Dir, day)); err != nil {
		return err
	}
	s.forget(func(_ string, p photo) bool { return p.day == day })
	return nil
}

// forget removes photos from the index.
func (s *Store) forget(which func(id string, p photo) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, p := range s.photos {
		if which(id, p) {
			delete(s.photos, id)
			s.bytes -= p.size
		}
	}
}
