package gtfs

import (
	"fmt"
	"io"
	"os"
)

// Options say how a feed is read.
type Options struct {
	// Agency is that of feeds without an agency.txt; nil refuses them.
	Agency *Agency
	// Listed is how many findings of one code in one file are listed; 0 is 20. All are counted.
	Listed int
}

// ReadFile reads the feed in the zip file at path. Errors have the form "path: …" and wrap an *Error if nothing of
// the feed can be used.
func ReadFile(path string) (*Feed, error) {
	feed, _, err := Options{}.ReadFile(path)
	return feed, err
}

// ReadFile is like the function ReadFile. It returns the findings even if the feed is refused.
func (o Options) ReadFile(path string) (*Feed, *Findings, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, &Findings{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, &Findings{}, err
	}
	feed, findings, err := o.Read(file, info.Size())
	if err != nil {
		return nil, findings, fmt.Errorf("%s: %w", path, err)
	}
	return feed, findings, nil
}

// Read reads the feed in a zip archive of size bytes. A flaw of a row, a value or an optional file is a finding, and
// costs no more than that. A feed of which nothing can be used is refused: the error is an *Error.
func Read(r io.ReaderAt, size int64) (*Feed, error) {
	feed, _, err := Options{}.Read(r, size)
	return feed, err
}

// Read is like the function Read. It returns the findings even if the feed is refused, with the reason for it.
func (o Options) Read(r io.ReaderAt, size int64) (*Feed, *Findings, error) {
	archive, err := readDirectory(r, size)
	if err != nil {
		findings := &Findings{}
		findings.Refuse(err)
		return nil, findings, err
	}
	l := newLoader(archive, size, MaxFileSize)
	l.agency, l.findings.most = o.Agency, o.Listed
	if err := l.load(); err != nil {
		l.findings.Refuse(err)
		return nil, l.findings, err
	}
	return l.feed, l.findings, nil
}

func (l *loader) load() error {
	unpacked, err := l.measure()
	if err != nil {
		return err
	}
	l.held = newBudget(unpacked)
	for _, load := range l.steps() {
		if err := load(); err != nil {
			return err
		}
	}
	l.feed.Unread = l.unread()
	l.checkEnd()
	return l.checkUsable()
}

// checkUsable refuses a feed whose flaws leave no trip from one stop to another. Of one that runs on demand only, the
// stops and the routes can be used.
func (l *loader) checkUsable() error {
	flaws := l.findings.Count(SeverityError) + l.findings.Count(SeverityWarning)
	if flaws == 0 || len(l.onDemand) > 0 && len(l.feed.Stops) > 0 {
		return nil
	}
	for _, t := range l.feed.Trips {
		if len(t.StopTimes) >= 2 {
			return nil
		}
	}
	return &Error{File: "trips.txt", Rule: "no trip calls at two stops", code: codeUnusableTrip}
}

// checkEnd reports a feed that ends before its publisher says.
func (l *loader) checkEnd() {
	last := l.feed.LastService()
	if info := l.feed.Info; info != nil && last != 0 && info.End > last {
		l.findings.Add(Finding{
			SeverityNote, codeEndAfterService, "feed_info.txt", 0, "feed_end_date",
			fmt.Sprintf("%s is after the last day with service", info.End), fmt.Sprintf("the timetable ends on %s", last),
		})
	}
}

// steps lists the files in reading order: no file comes before those that it refers to.
func (l *loader) steps() []func() error {
	return []func() error{
		l.readAgencies, l.readStops, l.readRoutes, l.readServices, l.readShapes, l.readTrips,
		l.readStopTimes, l.readFrequencies, l.checkBlocks, l.readInfo, l.readTranslations,
	}
}
