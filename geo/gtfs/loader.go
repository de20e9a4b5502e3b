package gtfs

import (
	"archive/zip"
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

// optional is like table, for a file that may be missing.
func (l *loader) optional(name string, rows func(*table)) error {
	if !l.has(name) {
		return nil
	}
	return l.tolerate(name, l.table(name, rows))
}
