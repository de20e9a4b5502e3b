package gtfs

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// MaxFileSize is the largest one file of a feed may be when it is unpacked, in bytes: 30 times the
// stop times of all Hanoi, and small enough that a zip bomb fills no machine.
const MaxFileSize = 512 << 20

// ReadFile reads the feed in the zip file at path. The error is an *Error where the feed is to
// blame, with path before it.
func ReadFile(path string) (*Feed, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	feed, err := Read(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return feed, nil
}

// Read reads the feed in a zip archive of size bytes. The error is an *Error, naming file, line and
// field, where the feed is to blame; several are joined. All faults of a file are found, and the first file
// that has one ends the reading: what refers to it would seem wrong, too.
func Read(r io.ReaderAt, size int64) (*Feed, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, err
	}
	l, err := newLoader(archive, MaxFileSize)
	if err != nil {
		return nil, err
	}
	for _, load := range l.steps() {
		if err := load(); err != nil {
			return nil, err
		}
	}
	l.feed.Unread = l.unread()
	return l.feed, nil
}

// used are the files that are read; optional ones may be missing.
var used = []string{
	"agency.txt", "stops.txt", "routes.txt", "calendar.txt", "calendar_dates.txt", "shapes.txt", "trips.txt", "stop_times.txt",
	"frequencies.txt", "feed_info.txt", "translations.txt",
}

// unread names the other files of the archive.
func (l *loader) unread() []string {
	var names []string
	for name := range l.files {
		if !slices.Contains(used, name) && strings.HasSuffix(name, ".txt") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// loader fills a feed file by file, in the order in which they refer to one another.
type loader struct {
	feed     *Feed
	files    map[string]*zip.File
	limit    int64
	agencies map[string]*Agency
	stops    map[string]*Stop
	routes   map[string]*Route
	services map[string]*Service
	shapes   map[string]*Shape
	trips    map[string]int32 // the place in feed.Trips
}

// steps lists the loading in order: no file before those that it refers to.
func (l *loader) steps() []func() error {
	return []func() error{
		l.readAgencies, l.readStops, l.readRoutes, l.readServices, l.readShapes, l.readTrips,
		l.readStopTimes, l.readFrequencies, l.readInfo, l.readTranslations,
	}
}

func newLoader(archive *zip.Reader, limit int64) (*loader, error) {
	l := &loader{
		feed:     &Feed{},
		files:    make(map[string]*zip.File, len(archive.File)),
		limit:    limit,
		agencies: map[string]*Agency{},
		stops:    map[string]*Stop{},
		routes:   map[string]*Route{},
		services: map[string]*Service{},
		shapes:   map[string]*Shape{},
		trips:    map[string]int32{},
	}
	for _, f := range archive.File {
		if l.files[f.Name] != nil {
			return nil, &Error{File: f.Name, Rule: "is in the archive twice"}
		}
		l.files[f.Name] = f
	}
	return l, nil
}

// has reports whether the archive has the file.
func (l *loader) has(name string) bool { return l.files[name] != nil }

// table reads the named file with rows, which declares the columns, loops over the rows and leaves
// its first error in the table.
func (l *loader) table(name string, rows func(*table)) (err error) {
	f := l.files[name]
	if f == nil {
		return &Error{File: name, Rule: "the file is required at the top of the archive"}
	}
	if f.UncompressedSize64 > uint64(l.limit) {
		return tooLarge(name, l.limit)
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	t := newTable(name, &capped{r: r, name: name, limit: l.limit, left: l.limit})
	if t.err == nil {
		rows(t)
	}
	return t.failed()
}

// optional is table for a file that need not be there.
func (l *loader) optional(name string, rows func(*table)) error {
	if !l.has(name) {
		return nil
	}
	return l.table(name, rows)
}

// capped stops a file that unpacks to more than its header says.
type capped struct {
	r           io.Reader
	name        string
	limit, left int64
}

// Read reads up to the limit and fails beyond it.
func (c *capped) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, tooLarge(c.name, c.limit)
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left+1)])
	c.left -= int64(n)
	return n, err
}

func tooLarge(name string, limit int64) error {
	return &Error{File: name, Rule: fmt.Sprintf("must be at most %d bytes when unpacked", limit)}
}
