package gtfs

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// loader fills a feed from the files of an archive.
type loader struct {
	feed     *Feed
	findings *Findings
	files    map[string]*zip.File // by name, without a folder
	size     int64                // of the archive in bytes
	limit    int64
	held     *budget
	agency   *Agency           // of a feed without an agency.txt; may be nil
	texts    map[string]string // texts that many rows share
	agencies map[string]*Agency
	foreign  map[string]bool // ids of agencies in another time zone
	stops    map[string]*Stop
	routes   map[string]*Route
	services map[string]*Service
	shapes   map[string]*Shape
	trips    map[string]int32 // index in feed.Trips
	onDemand map[*Trip]bool   // trips with calls that are not used
}

func newLoader(archive *zip.Reader, size, limit int64) *loader {
	l := &loader{
		feed:     &Feed{},
		findings: &Findings{},
		files:    make(map[string]*zip.File, len(archive.File)),
		size:     size,
		limit:    limit,
		texts:    map[string]string{},
		agencies: map[string]*Agency{},
		foreign:  map[string]bool{},
		stops:    map[string]*Stop{},
		routes:   map[string]*Route{},
		services: map[string]*Service{},
		shapes:   map[string]*Shape{},
		trips:    map[string]int32{},
		onDemand: map[*Trip]bool{},
	}
	l.feed.findings = l.findings
	l.findFiles(archive)
	return l
}

// findFiles finds the files of the feed: at the top of the archive, or else in the folder with most of them. Names may
// be written in capitals.
func (l *loader) findFiles(archive *zip.Reader) {
	folder := feedFolder(archive)
	if folder != "" {
		l.findings.Add(Finding{
			SeverityWarning, codeSubfolder, clip(folder), 0, "", "the files must be at the top of the archive",
			"the files of this folder are used",
		})
	}
	for _, f := range archive.File {
		in, base := splitName(f.Name)
		if in != folder || base == "" {
			continue
		}
		name := strings.ToLower(base)
		if l.files[name] != nil {
			l.findings.Add(Finding{
				SeverityWarning, codeDuplicateFile, clip(base), 0, "", "is in the archive twice", "the first one is used",
			})
			continue
		}
		if name != base && slices.Contains(usedFiles, name) {
			l.findings.Add(Finding{
				SeverityNote, codeWrongFileName, clip(base), 0, "", "must be named " + name, "is read as " + name,
			})
		}
		l.files[name] = f
	}
}

// splitName returns the folder of a file in an archive and the rest of its name.
func splitName(name string) (folder, base string) {
	i := strings.LastIndexAny(name, `/\`)
	return strings.TrimPrefix(name[:i+1], "./"), name[i+1:]
}

// feedFolder returns the folder with most of the files that are used; the top if it has as many.
func feedFolder(archive *zip.Reader) string {
	counts := make(map[string]int)
	for _, f := range archive.File {
		if folder, base := splitName(f.Name); slices.Contains(usedFiles, strings.ToLower(base)) {
			counts[folder]++
		}
	}
	best := ""
	for folder, n := range counts {
		if n > counts[best] || n == counts[best] && folder < best {
			best = folder
		}
	}
	return best
}

// has reports whether the archive has the file.
func (l *loader) has(name string) bool { return l.files[name] != nil }

// table reads a required file. rows declares the columns and loops over the rows.
func (l *loader) table(name string, rows func(*table)) error {
	return l.readTable(name, l.findings, rows)
}

// readTable is like table. findings may be nil.
func (l *loader) readTable(name string, findings *Findings, rows func(*table)) (err error) {
	f := l.files[name]
	if f == nil {
		return &Error{File: name, Rule: "the file is required", code: codeMissingFile}
	}
	r, err := l.open(f)
	if err != nil {
		return err
	}
	t := newTable(name, r, findings)
	t.held, t.texts = l.held, l.texts
	if t.err == nil {
		rows(t)
	}
	return closed(r, name, t.err)
}

// tolerate makes an error of an optional file a finding, and leaves the file out. Other errors are returned: those
// of required files, and those of bounds.
func (l *loader) tolerate(name string, err error) error {
	var fault *Error
	known := errors.As(err, &fault)
	if err == nil || known && fault.bound || !slices.Contains(optionalFiles, name) {
		return err
	}
	found := Finding{SeverityError, codeUnreadable, name, 0, "", "", "the file is left out"}
	if found.Message = err.Error(); known {
		found.Line, found.Field, found.Message = fault.Line, fault.Field, fault.Rule
		if fault.code != "" {
			found.Code = fault.code
		}
	}
	if found.Code == codeEmptyFile {
		found.Severity = SeverityNote
	}
	l.findings.Add(found)
	delete(l.files, name)
	return nil
}

// closed closes a file and returns the first error.
func closed(r io.Closer, name string, err error) error {
	closing := r.Close()
	var fault *Error
	switch {
	case err == nil && closing == nil:
		return nil
	case err == nil:
		return fmt.Errorf("%s: %w", name, closing)
	case errors.As(err, &fault):
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// open opens a file whose unpacked size is bounded.
func (l *loader) open(f *zip.File) (io.ReadCloser, error) {
	limit := limitedReader{name: f.Name, limit: l.limit}
	if most := ratioLimit(min(f.CompressedSize64, uint64(l.size))); l.size > 0 && most < limit.limit {
		limit.limit, limit.ratio = most, true
	}
	if f.UncompressedSize64 > uint64(limit.limit) {
		return nil, limit.tooLarge()
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	limit.r, limit.left = r, limit.limit
	return &limit, nil
}

// optional is like table, for a file that may be missing.
func (l *loader) optional(name string, rows func(*table)) error {
	if !l.has(name) {
		return nil
	}
	return l.tolerate(name, l.table(name, rows))
}

// limitedReader fails if a file unpacks to more than its limit.
type limitedReader struct {
	r           io.ReadCloser
	name        string
	limit, left int64
	ratio       bool // the limit is that of the ratio
}

// Read reads up to the limit and fails beyond it.
func (c *limitedReader) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, c.tooLarge()
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left+1)])
	c.left -= int64(n)
	return n, err
}

// Close closes the file.
func (c *limitedReader) Close() error { return c.r.Close() }

func (c *limitedReader) tooLarge() error {
	if c.ratio {
		return &Error{
			File: c.name, Rule: fmt.Sprintf("must not unpack to more than %d times its packed size", maxRatio), bound: true,
		}
	}
	return &Error{
		File: c.name, Rule: fmt.Sprintf("must be at most %d bytes when unpacked", c.limit), bound: true,
	}
}
