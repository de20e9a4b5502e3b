package gtfs

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// readDirectory reads the directory of an archive, whose size is bounded, and returns the archive.
func readDirectory(r io.ReaderAt, size int64) (*zip.Reader, error) {
	bounded := &directoryReader{r: r, left: maxDirectory + zipTail}
	archive, err := zip.NewReader(bounded, size)
	bounded.left = math.MaxInt64 // the files have bounds of their own
	return archive, err
}

// usedFiles lists the files that are read. Optional ones may be missing.
var usedFiles = []string{
	"agency.txt", "stops.txt", "routes.txt", "calendar.txt", "calendar_dates.txt", "shapes.txt", "trips.txt",
	"stop_times.txt",
	"frequencies.txt", "feed_info.txt", "translations.txt",
}

// optionalFiles are those that a flaw may cost.
var optionalFiles = []string{
	"calendar.txt", "calendar_dates.txt", "shapes.txt", "frequencies.txt", "feed_info.txt", "translations.txt",
}

// maxUnread bounds the list of the other files.
const maxUnread = 100

// unread returns the names of the other files of the archive, at most maxUnread.
func (l *loader) unread() []string {
	var names []string
	for name := range l.files {
		if !slices.Contains(usedFiles, name) && strings.HasSuffix(name, ".txt") {
			names = append(names, clip(name))
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxUnread)]
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

// directoryReader fails when an archive's directory needs more than its bound.
type directoryReader struct {
	r    io.ReaderAt
	left int64
}

// zipTail is what archive/zip reads at the end of an archive to find its directory, bytes, with the record of a
// large archive and the buffer of the directory.
const zipTail = 1<<10 + 66<<10 + 8<<10

// ReadAt reads until the bound is reached.
func (d *directoryReader) ReadAt(p []byte, at int64) (int, error) {
	if d.left -= int64(len(p)); d.left < 0 {
		return 0, fmt.Errorf("the directory of the archive must have at most %d bytes", maxDirectory)
	}
	return d.r.ReadAt(p, at)
}

// measure unpacks all files that are used, without keeping anything, and returns their size. The directory of an
// archive may state any size. An optional file that can't be unpacked is left out.
func (l *loader) measure() (int64, error) {
	var total int64
	for _, name := range usedFiles {
		f := l.files[name]
		if f == nil {
			continue
		}
		n, err := l.unpack(name, f)
		if total += n; err == nil && total > MaxSize {
			err = &Error{
				File: name, bound: true, code: codeTooManyRows,
				Rule: fmt.Sprintf("the files must have at most %d bytes together when unpacked", int64(MaxSize)),
			}
		}
		if err = l.tolerate(name, err); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// unpack unpacks a file without keeping anything and returns its size.
func (l *loader) unpack(name string, f *zip.File) (int64, error) {
	r, err := l.open(f)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, r)
	return n, closed(r, name, err)
}

// ratioLimit returns the unpacked size that a file of a packed size may have.
func ratioLimit(packed uint64) int64 {
	if packed > math.MaxInt64/maxRatio {
		return math.MaxInt64
	}
	return max(int64(packed)*maxRatio, freeRatio)
}
