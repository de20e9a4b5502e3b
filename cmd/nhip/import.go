package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"nhip"
	"nhip/app"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/internal/chunks"
	"nhip/internal/config"
	"nhip/internal/mqtt/publish"
	"nhip/internal/topics"

	"github.com/schollz/progressbar/v3"
)

// importCmd is nhip import.
type importCmd struct {
	brokerFlags

	Format  string   `arg:"" help:"Format of the files: ${import_formats}." enum:"${import_formats}"`
	Files   []string `arg:"" name:"file" help:"Files, plain or gzip." type:"existingfile"`
	Station string   `help:"${help_import_station}" placeholder:"ID"`
	Config  string   `help:"${help_import_config}" type:"path" placeholder:"FILE"`
	DryRun  bool     `help:"${help_import_dry_run}"`

	officeFlags
}

// maxChunk is the most bytes of a file that one message carries: a packet without its topic.
const maxChunk = topics.MaxPacket - topics.MaxTopic - 64

// importer imports files and counts what it imports.
type importer struct {
	*importCmd
	env      *env
	feed     decode.Feed
	out      *publish.Pool
	bar      *progressbar.ProgressBar
	stations map[string]int
	readings int
	rejected int
	shown    int // readings that a dry run printed
}

// Run publishes the files under nhip/in/import/… and returns when all messages are acknowledged. It prints the rows
// that the collector will reject, by line of the file; they are published, too, and become dead letters.
func (c *importCmd) Run(e *env) error {
	set := app.LoadConfig(config.Sources{Path: c.Config, Environ: os.Environ()})
	if err := set.Err(); err != nil {
		return err
	}
	i := &importer{importCmd: c, env: e, feed: app.ImportFeed(&set.Config, c.Format), stations: make(map[string]int)}
	switch {
	case c.Format == officeFormat:
		if err := i.checkTables(); err != nil {
			return err
		}
	case c.given():
		return errors.New("--zone, --date-order, --stamps, --period, --unit, --decimal, --encoding, --sheet and --mapping " +
			"apply to the format csv only")
	}
	if !c.DryRun {
		var err error
		if i.out, err = c.dial(e, "import"); err != nil {
			return err
		}
	}
	return i.importAll()
}

// officeFormat is the format of tables, which offices write in many ways.
const officeFormat = "csv"

// importAll imports every file, waits for the acknowledgements and prints the result.
func (i *importer) importAll() error {
	total := int64(0)
	for _, path := range i.Files {
		if info, err := os.Stat(path); err == nil {
			total += info.Size()
		}
	}
	i.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(i.env.stderr),
		progressbar.OptionSetDescription("import"), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(barInterval), progressbar.OptionClearOnFinish())
	var err error
	for _, path := range i.Files {
		if fault := i.importFile(path); fault != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", path, fault))
		}
		if i.env.ctx.Err() != nil {
			break
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(i.env.ctx), lastAcks)
	defer cancel()
	if i.out != nil {
		err = errors.Join(err, i.out.Close(last))
	}
	_ = i.bar.Finish() // only draws
	i.printResult()
	switch {
	case i.env.ctx.Err() != nil:
		return errors.New("stopped before the end; everything acknowledged is stored, and the same import adds the rest")
	case err == nil && i.rejected > 0:
		return errRejected
	}
	return err
}

func (i *importer) printResult() {
	if i.DryRun {
		fmt.Fprintf(i.env.stdout, "dry run: %d readings would be imported, %d rows rejected\n", i.readings, i.rejected)
	} else {
		fmt.Fprintf(i.env.stdout, "%d readings in %d messages acknowledged, %d rows rejected\n",
			i.readings, i.out.Acked(), i.rejected)
	}
	for _, id := range slices.Sorted(maps.Keys(i.stations)) {
		fmt.Fprintf(i.env.stdout, "station %s: %d readings\n", id, i.stations[id])
	}
}

// withFile calls read with the content of a file and the last level of its topic. What is read is written to progress,
// too.
func (i *importer) withFile(path string, progress io.Writer, read func(in *bufio.Reader, name string) error) error {
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

func (i *importer) importFile(path string) error {
	return i.withFile(path, i.bar, func(in *bufio.Reader, name string) error {
		if i.Format == officeFormat {
			t, err := i.openTable(in, name)
			if err != nil {
				return err
			}
			if t != nil {
				return i.importTable(t, path, name)
			}
		}
		return i.importStream(in, path, name)
	})
}

// importStream publishes a file in the form that the collector reads.
func (i *importer) importStream(in *bufio.Reader, path, name string) error {
	split, describe := chunks.Lines, tableFault
	switch first, _ := in.Peek(1); {
	case i.Format == "station-file":
		split = chunks.Whole
	case i.Format == "openaq" && len(first) == 1 && first[0] == '{':
		split, describe = chunks.Results, resultFault
	}
	return split(in, maxChunk, func(c chunks.Chunk) error { return i.publish(path, name, c, describe) })
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
func (i *importer) topicName(path string) (string, error) {
	base := strings.TrimSuffix(filepath.Base(path), ".gz")
	switch {
	case i.Station != "":
		return i.Station, nil
	case i.Format == "station-file":
		m := stationFileName.FindStringSubmatch(base)
		if m == nil {
			return "", errors.New("must be named as in HN_CCMT_KHITY3_20260216225500.txt, or --station be given")
		}
		return m[1], nil
	}
	return strings.TrimSuffix(base, filepath.Ext(base)), nil
}

// describeFault formats a fault of a chunk whose first line or result has the given number in the file.
type describeFault func(fault *nhip.Error, first int) string

// publish publishes a chunk and prints what the collector will reject of it.
func (i *importer) publish(path, name string, c chunks.Chunk, describe describeFault) error {
	topic := topics.ImportTopic(i.Format, name)
	payload := slices.Clone(c.Payload)
	message := nhip.Message{Topic: topic, Payload: payload, Received: time.Now().UTC()}
	decoded, err := collector.Decode(i.feed, message, nhip.WallClock{}, anyAge)
	if err != nil {
		return err
	}
	for n := range decoded.Facts.Readings {
		i.stations[decoded.Facts.Readings[n].Station]++
		i.readings++
	}
	slices.SortStableFunc(decoded.Rejected, func(a, b nhip.Error) int { return cmp.Compare(rowNumber(&a), rowNumber(&b)) })
	for n := range decoded.Rejected {
		i.rejected++
		fmt.Fprintf(i.env.stderr, "nhip: %s:%s\n", path, describe(&decoded.Rejected[n], c.First))
	}
	if i.DryRun {
		i.show(decoded)
		return nil
	}
	return i.out.Publish(i.env.ctx, topic, payload)
}

// maxShown is the number of readings that a dry run prints.
const maxShown = 10

// show prints the first readings of a dry run.
func (i *importer) show(decoded *collector.Decoded) {
	for n := range decoded.Facts.Readings {
		if i.shown == maxShown {
			return
		}
		i.shown++
		r := &decoded.Facts.Readings[n]
		fmt.Fprintf(i.env.stdout, "%s %s: %v %s, %s to %s\n", r.Station, r.Quantity, r.Value, r.Quantity.Unit(),
			r.Time.Add(-r.Period).Format(time.RFC3339), r.Time.Format(time.RFC3339))
	}
}

var lineField = regexp.MustCompile(`^line (\d+) ?`)

// tableFault formats a fault of a chunk of a table with its line in the file. Line 2 of the chunk is the line first of
// the file, because every chunk begins with the table's header.
func tableFault(fault *nhip.Error, first int) string {
	m := lineField.FindStringSubmatch(fault.Field)
	if m == nil {
		return fmt.Sprintf("%d: %s", first, fault.Error())
	}
	n, _ := strconv.Atoi(m[1]) // digits only
	rest := nhip.Error{Field: strings.TrimPrefix(fault.Field, m[0]), Rule: fault.Rule}
	if first == 1 || n == 1 {
		return fmt.Sprintf("%d: %s", n, rest.Error())
	}
	return fmt.Sprintf("%d: %s", first+n-2, rest.Error())
}

// rowNumber returns the number of the row that a fault names, 0 if it names none.
func rowNumber(fault *nhip.Error) int {
	for _, named := range []*regexp.Regexp{lineField, resultField} {
		if m := named.FindStringSubmatch(fault.Field); m != nil {
			n, _ := strconv.Atoi(m[1]) // digits only
			return n
		}
	}
	return 0
}

var resultField = regexp.MustCompile(`^results\[(\d+)\] ?`)

// resultFault formats a fault of a chunk of JSON results with its index in the file.
func resultFault(fault *nhip.Error, first int) string {
	m := resultField.FindStringSubmatch(fault.Field)
	if m == nil {
		return " " + fault.Error()
	}
	n, _ := strconv.Atoi(m[1]) // digits only
	rest := nhip.Error{Field: strings.TrimPrefix(fault.Field, m[0]), Rule: fault.Rule}
	return fmt.Sprintf(" results[%d]: %s", first+n, rest.Error())
}
