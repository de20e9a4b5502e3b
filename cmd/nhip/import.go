package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"nhip"
	"nhip/app"
	"nhip/app/fileimport"
	"nhip/internal/config"
	"nhip/internal/mqtt/publish"

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

// Run publishes the files under nhip/in/import/… and returns when all messages are acknowledged. It prints the rows
// that the collector will reject, by line of the file; they are published, too, and become dead letters.
func (c *importCmd) Run(e *env) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	if c.Format == fileimport.OfficeFormat {
		noted := func(note string) { fmt.Fprintln(e.stdout, note) }
		if !c.DryRun {
			noted = nil
		}
		if err := fileimport.New(*o).CheckTables(c.Files, noted); err != nil {
			return err
		}
	}
	if c.DryRun {
		return c.importAll(e, o, nil)
	}
	out, err := c.dial(e, "import")
	if err != nil {
		return err
	}
	return c.importAll(e, o, out)
}

// options returns what the flags say.
func (c *importCmd) options(e *env) (*fileimport.Options, error) {
	set := app.LoadConfig(config.Sources{Path: c.Config, Environ: os.Environ()})
	if err := set.Err(); err != nil {
		return nil, err
	}
	o := &fileimport.Options{
		Format: c.Format, Feed: app.ImportFeed(&set.Config, c.Format), Station: c.Station,
		Rejected: func(fault string) { fmt.Fprintln(e.stderr, "nhip:", fault) },
	}
	if c.DryRun {
		o.Read = firstReadings(e)
	}
	if !c.given() {
		return o, nil
	}
	if c.Format != fileimport.OfficeFormat {
		return nil, errors.New("--zone, --date-order, --stamps, --period, --unit, --decimal, --encoding, --sheet and " +
			"--mapping apply to the format csv only")
	}
	var err error
	o.Table, err = c.tableOptions(o.Feed.Zone)
	return o, err
}

// importAll imports every file, waits for the acknowledgements and prints the result. out is nil in a dry run.
func (c *importCmd) importAll(e *env, o *fileimport.Options, out *publish.Pool) error {
	total := int64(0)
	for _, path := range c.Files {
		if info, err := os.Stat(path); err == nil {
			total += info.Size()
		}
	}
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(e.stderr),
		progressbar.OptionSetDescription("import"), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(barInterval), progressbar.OptionClearOnFinish())
	o.Progress = bar
	if out != nil {
		o.Out = out
	}
	i := fileimport.New(*o)
	var err error
	for _, path := range c.Files {
		if fault := i.File(e.ctx, path); fault != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", path, fault))
		}
		if e.ctx.Err() != nil {
			break
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), lastAcks)
	defer cancel()
	if out != nil {
		err = errors.Join(err, out.Close(last))
	}
	_ = bar.Finish() // only draws
	printImported(e, i, out)
	switch {
	case e.ctx.Err() != nil:
		return errors.New("stopped before the end; everything acknowledged is stored, and the same import adds the rest")
	case err == nil && i.Rejected > 0:
		return errRejected
	}
	return err
}

func printImported(e *env, i *fileimport.Importer, out *publish.Pool) {
	if out == nil {
		fmt.Fprintf(e.stdout, "dry run: %d readings would be imported, %d rows rejected\n", i.Readings, i.Rejected)
	} else {
		fmt.Fprintf(e.stdout, "%d readings in %d messages acknowledged, %d rows rejected\n",
			i.Readings, out.Acked(), i.Rejected)
	}
	for _, id := range slices.Sorted(maps.Keys(i.Stations)) {
		fmt.Fprintf(e.stdout, "station %s: %d readings\n", id, i.Stations[id])
	}
}

// maxShown is the number of readings that a dry run prints.
const maxShown = 10

// firstReadings returns a func that prints the first readings of a dry run.
func firstReadings(e *env) func(*nhip.Reading) {
	shown := 0
	return func(r *nhip.Reading) {
		if shown == maxShown {
			return
		}
		shown++
		fmt.Fprintf(e.stdout, "%s %s: %v %s, %s to %s\n", r.Station, r.Quantity, r.Value, r.Quantity.Unit(),
			r.Time.Add(-r.Period).Format(time.RFC3339), r.Time.Format(time.RFC3339))
	}
}
