// Package fileimport publishes files of readings under nhip/in/import/…, where a collector takes readings of any age.
// It decodes what it publishes as the collector will, so that it knows the readings and the rows that will be rejected.
// Rejected rows are published, too, and become dead letters.
//
//	imp := fileimport.New(fileimport.Options{Format: "airnow", Feed: app.ImportFeed(conf, "airnow"), Out: pool})
//	err := imp.File(ctx, "Hanoi_PM2.5_2018.csv")
//	fmt.Println(imp.Readings, "readings,", imp.Rejected, "rows rejected")
package fileimport

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/collector/officetable"
	"nhip/internal/chunks"
	"nhip/internal/topics"
)

// OfficeFormat is the format of tables, which offices write in many ways.
const OfficeFormat = "csv"

// maxChunk is the most bytes of a file that one message carries: a packet without its topic.
const maxChunk = topics.MaxPacket - topics.MaxTopic - 64

// Options configures an Importer. Only Format and Feed are required.
type Options struct {
	Format  string      // one of app.ImportFormats
	Feed    decode.Feed // of the format, see app.ImportFeed
	Station string      // for formats without station names; "": the name of the file

	// Table decides what a table of an office leaves open. nil: nothing is decided, and a table in the platform's own
	// form is read as a stream.
	Table *officetable.Options

	Out      Publisher // nil: nothing is published
	Progress io.Writer // receives what is read of the files, for its length; nil: nothing does

	// Each func may be nil.
	Read     func(*nhip.Reading) // called for each reading
	Rejected func(fault string)  // called for each rejected row with "FILE:LINE: reason"
}

// Publisher publishes messages. It returns before they are acknowledged.
type Publisher interface {
	Publish(ctx context.Context, topic string, payload []byte) error
}

// Importer imports files and counts what it imports. It is not safe for concurrent use.
type Importer struct {
	Stations map[string]int // readings by station
	Readings int
	Rejected int // rows

	options Options
}

// New returns an Importer that has imported nothing.
func New(o Options) *Importer {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	return &Importer{Stations: make(map[string]int), options: o}
}

// File imports the file at path, plain or gzip. ctx ends it between two messages.
func (i *Importer) File(ctx context.Context, path string) error {
	return i.withFile(path, i.options.Progress, func(in *bufio.Reader, name string) error {
		if i.options.Format == OfficeFormat {
			t, err := i.openTable(in, name)
			if err != nil {
				return err
			}
			if t != nil {
				return i.importTable(ctx, t, path, name)
			}
		}
		return i.importStream(ctx, in, path, name)
	})
}

// withFile calls read with the content of a file and the last level of its topic. What is read is written to progress,
// too.
func (i *Importer) withFile(path string, progress io.Writer, read func(in *bufio.Reader, name string) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := decompress(io.TeeReader(f, progress))
	if err != nil {
		return err
	}
	name, err := i.topicName(path)
	if err != nil {
		return err
	}
	return read(in, name)
}

// importStream publishes a file in the form that the collector reads.
func (i *Importer) importStream(ctx context.Context, in *bufio.Reader, path, name string) error {
	split, describe := chunks.Lines, tableFault
	switch first, _ := in.Peek(1); {
	case i.options.Format == "station-file":
		split = chunks.Whole
	case i.options.Format == "openaq" && len(first) == 1 && first[0] == '{':
		split, describe = chunks.Results, resultFault
	}
	return split(in, maxChunk, func(c chunks.Chunk) error { return i.publish(ctx, path, name, c, describe) })
}

// decompress returns the content of a file that may be gzip.
func decompress(in io.Reader) (*bufio.Reader, error) {
	r := bufio.NewReaderSize(in, peekSize)
	if magic, _ := r.Peek(2); string(magic) != "\x1f\x8b" {
		return r, nil
	}
	plain, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("can't be unpacked: %w", err)
	}
	return bufio.NewReaderSize(plain, peekSize), nil
}

// peekSize is how much of a file's start shows its form.
const peekSize = 4096

var stationFileName = regexp.MustCompile(`^(.+)_\d{14}\.txt$`)

// topicName returns the last level of a file's topic: the station, for formats without station names.
func (i *Importer) topicName(path string) (string, error) {
	base := strings.TrimSuffix(filepath.Base(path), ".gz")
	switch {
	case i.options.Station != "":
		return i.options.Station, nil
	case i.options.Format == "station-file":
		m := stationFileName.FindStringSubmatch(base)
		if m == nil {
			return "", errors.New("must be named as in HN_CCMT_KHITY3_20260216225500.txt, or --station be given")
		}
		return m[1], nil
	}
	return strings.TrimSuffix(base, filepath.Ext(base)), nil
}

// publish publishes a chunk, and counts what the collector will accept and reject of it.
func (i *Importer) publish(ctx context.Context, path, name string, c chunks.Chunk, describe describeFault) error {
	topic := topics.ImportTopic(i.options.Format, name)
	payload := slices.Clone(c.Payload)
	message := nhip.Message{Topic: topic, Payload: payload, Received: time.Now().UTC()}
	decoded, err := collector.Decode(i.options.Feed, message, nhip.WallClock{}, collector.AnyAge)
	if err != nil {
		return err
	}
	for n := range decoded.Facts.Readings {
		r := &decoded.Facts.Readings[n]
		i.Stations[r.Station]++
		i.Readings++
		if i.options.Read != nil {
			i.options.Read(r)
		}
	}
	slices.SortStableFunc(decoded.Rejected, func(a, b nhip.Error) int { return cmp.Compare(rowNumber(&a), rowNumber(&b)) })
	for n := range decoded.Rejected {
		i.Rejected++
		if i.options.Rejected != nil {
			i.options.Rejected(path + ":" + describe(&decoded.Rejected[n], c.First))
		}
	}
	if i.options.Out == nil {
		return nil
	}
	return i.options.Out.Publish(ctx, topic, payload)
}
