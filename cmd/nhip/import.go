package main

import (
	"bufio"
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
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/internal/mqtt"
	"nhip/internal/parts"

	"github.com/schollz/progressbar/v3"
)

// importCmd is nhip import.
type importCmd struct {
	Format  string   `arg:"" help:"What the files are: ${import_formats}." enum:"${import_formats}"`
	Files   []string `arg:"" name:"file" help:"The files, plain or gzip." type:"existingfile"`
	Station string   `help:"The station, of formats that do not name it (csv without a column, answers of OpenAQ); default: the file's name." placeholder:"ID"`
	Config  string   `help:"Configuration file (YAML): the zone of the format's feed." type:"path" placeholder:"FILE"`
	MQTT    string   `help:"The broker; default: the nhip that runs on the data folder." placeholder:"URL"`
	DataDir string   `help:"Data folder of the running nhip, for its address and token." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
}

// importFormats are the formats of histories.
func importFormats() []string {
	return []string{"airnow", "csv", "openaq", "sensor-community", "station-file"}
}

// partBytes is how long one message of an import may be: a packet, less its topic.
const partBytes = mqtt.MaxPacket - mqtt.MaxTopic - 64

// importing is a running import.
type importing struct {
	*importCmd
	env      *env
	feed     decode.Feed
	out      *mqtt.Fan
	bar      *progressbar.ProgressBar
	stations map[string]int
	readings int
	refused  int
}

// Run publishes the files under nhip/in/import/… and returns when everything is acknowledged. What will be turned
// away it tells by line; it is published all the same, and is a dead letter like any other.
func (c *importCmd) Run(e *env) error {
	p := newProcess(e)
	if err := p.configure(c.Config, nil, ""); err != nil {
		return err
	}
	feeds := p.feeds()
	at := slices.IndexFunc(feeds, func(f decode.Feed) bool { return f.Topic == mqtt.Import+c.Format+"/+" })
	i := &importing{importCmd: c, env: e, feed: feeds[at], stations: make(map[string]int)}
	broker, err := (&replayCmd{MQTT: c.MQTT, DataDir: c.DataDir}).broker(e)
	if err != nil {
		return err
	}
	broker.ClientID = fmt.Sprintf("nhip-import-%d", os.Getpid())
	ctx, cancel := context.WithTimeout(e.ctx, connectTimeout)
	defer cancel()
	i.out, err = mqtt.DialFan(ctx, mqtt.FanOptions{Options: broker, Lanes: replayLanes, Patience: replayPatience})
	if err != nil {
		return fmt.Errorf("%w; is nhip running (`nhip up`)?", err)
	}
	return i.all()
}

// all imports every file, tells what came of it, and waits for the acknowledgements.
func (i *importing) all() error {
	total := int64(0)
	for _, path := range i.Files {
		if info, err := os.Stat(path); err == nil {
			total += info.Size()
		}
	}
	i.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(i.env.stderr), progressbar.OptionSetDescription("import"),
		progressbar.OptionShowBytes(true), progressbar.OptionThrottle(barEvery), progressbar.OptionClearOnFinish())
	var err error
	for _, path := range i.Files {
		if fault := i.file(path); fault != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", path, fault))
		}
		if i.env.ctx.Err() != nil {
			break
		}
	}
	linger, cancel := context.WithTimeout(context.WithoutCancel(i.env.ctx), replayLinger)
	defer cancel()
	err = errors.Join(err, i.out.Close(linger))
	_ = i.bar.Finish() // only draws
	fmt.Fprintf(i.env.stdout, "%d readings in %d messages acknowledged, %d rows turned away\n", i.readings, i.out.Acked(), i.refused)
	for _, id := range slices.Sorted(maps.Keys(i.stations)) {
		fmt.Fprintf(i.env.stdout, "station %s: %d readings\n", id, i.stations[id])
	}
	switch {
	case i.env.ctx.Err() != nil:
		return errors.New("stopped before the end; what is acknowledged is taken in, and the same import again adds the rest")
	case err == nil && i.refused > 0:
		return errTurnedAway
	}
	return err
}

func (i *importing) file(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := unpacked(io.TeeReader(f, i.bar))
	if err != nil {
		return err
	}
	name, err := i.name(path)
	if err != nil {
		return err
	}
	cut, row := parts.Lines, rowOfTable
	switch first, _ := in.Peek(1); {
	case i.Format == "station-file":
		cut = parts.Whole
	case i.Format == "openaq" && len(first) == 1 && first[0] == '{':
		cut, row = parts.Results, rowOfResults
	}
	return cut(in, partBytes, func(p parts.Part) error { return i.part(path, name, p, row) })
}

// unpacked sees through gzip.
func unpacked(in io.Reader) (*bufio.Reader, error) {
	r := bufio.NewReader(in)
	if magic, _ := r.Peek(2); string(magic) != "\x1f\x8b" {
		return r, nil
	}
	plain, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("can't be unpacked: %w", err)
	}
	return bufio.NewReader(plain), nil
}

var stationFileName = regexp.MustCompile(`^(.+)_\d{14}\.txt$`)

// name is what the topic of a file ends with: the station, where the content does not name it.
func (i *importing) name(path string) (string, error) {
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

// part publishes a part, and tells what of it is turned away.
func (i *importing) part(path, name string, p parts.Part, row func(fault *nhip.Error, first int) string) error {
	topic := mqtt.Import + i.Format + "/" + mqtt.Escape(name)
	payload := slices.Clone(p.Payload)
	message := nhip.Message{Topic: topic, Payload: payload, Received: time.Now().UTC()}
	said, err := collector.Decode(i.feed, message, nhip.WallClock{}, anyAge)
	if err != nil {
		return err
	}
	for n := range said.Facts.Readings {
		i.stations[said.Facts.Readings[n].Station]++
		i.readings++
	}
	for n := range said.Rejected {
		i.refused++
		fmt.Fprintf(i.env.stderr, "nhip: %s:%s\n", path, row(&said.Rejected[n], p.First))
	}
	return i.out.Publish(i.env.ctx, topic, payload)
}

var lineInPart = regexp.MustCompile(`^line (\d+) ?`)

// rowOfTable writes a fault of a part with the line of the file: the part's line 2 is the file's first.
func rowOfTable(fault *nhip.Error, first int) string {
	m := lineInPart.FindStringSubmatch(fault.Field)
	if m == nil {
		return fmt.Sprintf("%d: %s", first, fault.Error())
	}
	n, _ := strconv.Atoi(m[1]) // it is digits
	told := nhip.Error{Field: strings.TrimPrefix(fault.Field, m[0]), Rule: fault.Rule}
	if first == 1 || n == 1 {
		return fmt.Sprintf("%d: %s", n, told.Error())
	}
	return fmt.Sprintf("%d: %s", first+n-2, told.Error())
}

var resultInPart = regexp.MustCompile(`^results\[(\d+)\] ?`)

func rowOfResults(fault *nhip.Error, first int) string {
	m := resultInPart.FindStringSubmatch(fault.Field)
	if m == nil {
		return " " + fault.Error()
	}
	n, _ := strconv.Atoi(m[1]) // it is digits
	told := nhip.Error{Field: strings.TrimPrefix(fault.Field, m[0]), Rule: fault.Rule}
	return fmt.Sprintf(" results[%d]: %s", first+n, told.Error())
}
