package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"nhip/internal/fleet"
)

// deviceAddCmd is nhip device add.
type deviceAddCmd struct {
	fleetFlags

	ID        string   `arg:"" optional:"" help:"Device: the id of its vehicle or station."`
	Feed      string   `help:"${help_device_feed}" placeholder:"FEED"`
	CSV       string   `help:"${help_device_csv}" type:"path" placeholder:"FILE"`
	Topic     []string `help:"${help_device_topic}" placeholder:"FILTER"`
	Mosquitto bool     `help:"${help_device_mosquitto}"`
	Secret    bool     `help:"${help_device_secret}" default:"true" negatable:""`
	JSON      bool     `help:"Print a JSON object for each device."`
}

// newSecret is a secret that is shown once: the fleet file holds its hash only.
type newSecret struct {
	ID     string `json:"id"`
	Secret string `json:"secret,omitempty"` // empty: the device presents a certificate
}

// Run adds the devices and prints their secrets. Either all devices are added, or none.
func (c *deviceAddCmd) Run(e *env) error {
	table, err := c.devices()
	if err != nil {
		return err
	}
	devices := table.devices
	secrets := make([]newSecret, len(devices))
	for i := range devices {
		secrets[i].ID = devices[i].ID
		if c.Secret {
			secrets[i].Secret = fleet.NewSecret()
			devices[i].Secrets = []string{fleet.Digest(secrets[i].Secret)}
		}
		if c.Secret && c.Mosquitto {
			devices[i].Mosquitto = fleet.MosquittoDigest(secrets[i].Secret)
		}
	}
	err = c.edit(e, func(path string, raw []byte, feeds fleet.Feeds) ([]byte, error) {
		text, err := fleet.AddAll(path, raw, feeds, devices)
		return text, table.withFaults(err)
	})
	var faults fleet.AddFaults
	switch {
	case errors.As(err, &faults) && c.CSV != "":
		return c.printLines(e, faults, table.lines)
	case errors.As(err, &faults):
		return faults[0].Err
	case err != nil:
		return err
	}
	return printSecrets(e, secrets, c.JSON, c.CSV != "")
}

// printLines prints the faults of a table, each with its line.
func (c *deviceAddCmd) printLines(e *env, faults fleet.AddFaults, lines []int) error {
	for _, f := range faults {
		for line := range strings.Lines(f.Err.Error()) {
			fmt.Fprintf(e.stderr, "%s:%d: %s\n", c.CSV, lines[f.Index], strings.TrimSuffix(line, "\n"))
		}
	}
	return fmt.Errorf("%s: no device is added, because %d of %d have faults", c.CSV, len(faults), len(lines))
}

// deviceTable are devices to add, without secrets.
type deviceTable struct {
	devices []fleet.Device
	lines   []int           // of the devices
	faults  fleet.AddFaults // of rows that can't be read as a device
}

// withFaults returns the faults of rows together with err, which may be the fleet's faults of all rows. A row has one
// fault.
func (t *deviceTable) withFaults(err error) error {
	var found fleet.AddFaults
	if len(t.faults) == 0 || err != nil && !errors.As(err, &found) {
		return err
	}
	all := slices.Concat(t.faults, found)
	slices.SortStableFunc(all, func(a, b fleet.AddFault) int { return cmp.Compare(a.Index, b.Index) })
	return slices.CompactFunc(all, func(a, b fleet.AddFault) bool { return a.Index == b.Index })
}

// devices returns the devices to add.
func (c *deviceAddCmd) devices() (*deviceTable, error) {
	switch {
	case c.CSV != "" && c.ID != "":
		return nil, errors.New("--csv: has the devices; leave out the device on the command line")
	case c.CSV != "":
		return c.table()
	case c.ID == "":
		return nil, errors.New("expected a device, or a table of devices with --csv FILE")
	case c.Feed == "":
		return nil, errors.New("--feed: is required: a configured feed, as in position")
	}
	return &deviceTable{devices: []fleet.Device{{ID: c.ID, Feed: c.Feed, Topics: c.Topic}}}, nil
}

// Columns of a table of devices.
const (
	columnID     = "id"
	columnFeed   = "feed"
	columnTopics = "topics" // filters, separated by blanks
	columnRate   = "rate"   // messages a second
)

// table reads the table of devices.
func (c *deviceAddCmd) table() (*deviceTable, error) {
	raw, err := os.ReadFile(c.CSV)
	if err != nil {
		return nil, fmt.Errorf("--csv: %w", err)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	if head, _, _ := bytes.Cut(raw, []byte("\n")); bytes.ContainsRune(head, ';') && !bytes.ContainsRune(head, ',') {
		r.Comma = ';' // as spreadsheets with a decimal comma write it
	}
	r.TrimLeadingSpace = true
	columns, err := c.columns(r)
	if err != nil {
		return nil, err
	}
	t := &deviceTable{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, c.unreadable(err)
		}
		line, _ := r.FieldPos(0)
		d, err := c.row(columns, row)
		if err != nil {
			t.faults = append(t.faults, fleet.AddFault{Index: len(t.devices), Err: err})
		}
		t.devices, t.lines = append(t.devices, d), append(t.lines, line)
	}
	if len(t.devices) == 0 {
		return nil, fmt.Errorf("%s: has no devices", c.CSV)
	}
	return t, nil
}

// columns reads the header of the table.
func (c *deviceAddCmd) columns(r *csv.Reader) ([]string, error) {
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty; the first line must name the columns, as in id,feed", c.CSV)
	}
	if err != nil {
		return nil, c.unreadable(err)
	}
	known := []string{columnID, columnFeed, columnTopics, columnRate}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(header[i]))
		if !slices.Contains(known, header[i]) || slices.Contains(header[:i], header[i]) {
			return nil, fmt.Errorf("%s:1: the columns must be some of %s, each once, got %q", c.CSV,
				strings.Join(known, ", "), header[i])
		}
	}
	switch {
	case !slices.Contains(header, columnID):
		return nil, fmt.Errorf("%s:1: the column %s is missing", c.CSV, columnID)
	case !slices.Contains(header, columnFeed) && c.Feed == "":
		return nil, fmt.Errorf("%s:1: the column %s is missing, and --feed is not given", c.CSV, columnFeed)
	}
	return header, nil
}

// unreadable names the line of an error of the table.
func (c *deviceAddCmd) unreadable(err error) error {
	var at *csv.ParseError
	if errors.As(err, &at) {
		return fmt.Errorf("%s:%d: %w", c.CSV, at.Line, at.Err)
	}
	return fmt.Errorf("%s: %w", c.CSV, err)
}

// row returns the device of a row. An empty cell is that of the flag.
func (c *deviceAddCmd) row(columns, row []string) (fleet.Device, error) {
	d := fleet.Device{Feed: c.Feed, Topics: c.Topic}
	for i, cell := range row {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			continue
		}
		switch columns[i] {
		case columnID:
			d.ID = cell
		case columnFeed:
			d.Feed = cell
		case columnTopics:
			d.Topics = strings.Fields(cell)
		case columnRate:
			n, err := strconv.ParseInt(cell, 10, 64)
			if err != nil || n < 1 {
				return d, fmt.Errorf("rate: must be a whole number of messages a second, got %q", cell)
			}
			d.Rate = n
		}
	}
	switch {
	case d.ID == "":
		return d, errors.New("id: is missing")
	case d.Feed == "":
		return d, errors.New("feed: is missing")
	}
	return d, nil
}

// printSecrets prints secrets: of one device as lines of text, of a table as a table, or as JSON objects.
func printSecrets(e *env, all []newSecret, asJSON, asTable bool) error {
	shown := ""
	if len(all) > 0 && all[0].Secret != "" {
		shown = "; the secret is shown only once"
	}
	switch {
	case asJSON:
		out := json.NewEncoder(e.stdout)
		for _, s := range all {
			if err := out.Encode(s); err != nil {
				return err
			}
		}
		return nil
	case asTable:
		fmt.Fprintf(e.stderr, "%d devices added: the id is the user name and the MQTT client id%s\n", len(all), shown)
		w := csv.NewWriter(e.stdout)
		_ = w.Write([]string{"id", "secret"}) // its error is that of Flush
		for _, s := range all {
			_ = w.Write([]string{s.ID, s.Secret})
		}
		w.Flush()
		return w.Error()
	}
	for _, s := range all {
		fmt.Fprintf(e.stderr, "the id is the user name and the MQTT client id%s\n", shown)
		fmt.Fprintf(e.stdout, "id: %s\n", s.ID)
		if s.Secret != "" {
			if _, err := fmt.Fprintf(e.stdout, "secret: %s\n", s.Secret); err != nil {
				return err
			}
		}
	}
	return nil
}
