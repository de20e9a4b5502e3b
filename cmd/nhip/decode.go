package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/internal/mqtt"
)

// decodeCmd is nhip decode.
type decodeCmd struct {
	Format string `required:"" help:"The payload's format, as in feeds[].format." placeholder:"F"`
	File   string `arg:"" optional:"" help:"The payload; without one, it is read from the standard input." type:"path"`

	Topic     string        `help:"The topic it came on; default: the format's usual one." placeholder:"TOPIC"`
	Device    string        `help:"Whose it is, for the usual topic." placeholder:"ID"`
	Agency    string        `help:"Whose buses they are (feeds[].agency)." default:"hanoi"`
	Zone      string        `help:"Of stamps that carry no offset (feeds[].zone), as in Asia/Ho_Chi_Minh." placeholder:"ZONE"`
	Period    time.Duration `help:"Averaging period where the format does not say it (feeds[].period)." placeholder:"5m"`
	SpeedUnit string        `help:"Of ufms: km/h or m/s (feeds[].speed_unit)." enum:",km/h,m/s" default:"" placeholder:"UNIT"`
	Fields    string        `help:"Of tts and chirpstack: PATH=QUANTITY UNIT, … (feeds[].fields)." placeholder:"LIST"`
	Received  moment        `help:"When it came, for devices without a clock, and for what lies in the future; default: now." placeholder:"TIME"`
	Late      bool          `help:"Turn away what is older than 100 days, too, as a collector does."`
}

// factLine is a line of the output: one of the two.
type factLine struct {
	Position *nhip.Position `json:"position,omitempty"`
	Reading  *readingLine   `json:"reading,omitempty"`
}

// readingLine writes the averaging period as devices and people do: "1h".
type readingLine struct {
	nhip.Reading
	Period string `json:"period"`
}

// errTurnedAway ends nhip decode when it has printed why rows are turned away.
var errTurnedAway = errors.New("rows are turned away")

// anyAge lets a recorded payload be as old as it is.
const anyAge = 200 * 365 * 24 * time.Hour

// Run prints what a payload says, a fact on each line, and what of it a collector would turn away.
func (c *decodeCmd) Run(e *env) error {
	payload, err := c.read()
	if err != nil {
		return err
	}
	feed, err := c.feed()
	if err != nil {
		return err
	}
	now, err := c.Received.or(time.Now())
	if err != nil {
		return fmt.Errorf("--received: %w", err)
	}
	late := time.Duration(anyAge)
	if c.Late {
		late = nhip.LateWindow
	}
	message := nhip.Message{Topic: c.topic(payload), Payload: payload, Received: now.UTC()}
	said, err := collector.Decode(feed, message, stoppedClock(now), late)
	if err != nil {
		return err
	}
	return tell(e, said)
}

// tell prints facts and faults.
func tell(e *env, said *collector.Decoded) error {
	lines := json.NewEncoder(e.stdout)
	for i := range said.Facts.Positions {
		if err := lines.Encode(factLine{Position: &said.Facts.Positions[i]}); err != nil {
			return err
		}
	}
	for i := range said.Facts.Readings {
		r := readingLine{said.Facts.Readings[i], nhip.FormatPeriod(said.Facts.Readings[i].Period)}
		if err := lines.Encode(factLine{Reading: &r}); err != nil {
			return err
		}
	}
	for i := range said.Rejected {
		fmt.Fprintf(e.stderr, "nhip: %s: %s\n", said.Rejected[i].Code, said.Rejected[i].Error())
	}
	switch {
	case len(said.Rejected) > 0:
		return errTurnedAway
	case len(said.Facts.Positions)+len(said.Facts.Readings) == 0:
		fmt.Fprintln(e.stderr, "nhip: the payload is taken, and says no fact")
	}
	return nil
}

// stoppedClock stands still.
type stoppedClock time.Time

// Now is always the same.
func (s stoppedClock) Now() time.Time { return time.Time(s) }

// read returns the payload.
func (c *decodeCmd) read() ([]byte, error) {
	if c.File == "" {
		payload, err := io.ReadAll(io.LimitReader(os.Stdin, maxDecoded+1))
		return payload, errors.Join(err, tooLong(payload))
	}
	payload, err := os.ReadFile(c.File)
	if err != nil {
		return nil, fmt.Errorf("can't read the payload: %w", err)
	}
	return payload, tooLong(payload)
}

// maxDecoded is longer than any packet of ours, because files are pulled and imported, too.
const maxDecoded = 64 << 20

func tooLong(payload []byte) error {
	if len(payload) > maxDecoded {
		return fmt.Errorf("the payload has more than %d bytes", maxDecoded)
	}
	return nil
}

// feed is what the configuration would say of the devices.
func (c *decodeCmd) feed() (decode.Feed, error) {
	f := decode.Feed{Format: c.Format, Agency: c.Agency, Period: c.Period, SpeedUnit: c.SpeedUnit}
	if formats := collector.Formats(); !slices.Contains(formats, c.Format) {
		return f, fmt.Errorf("--format: must be one of %s, got %q", strings.Join(formats, ", "), c.Format)
	}
	if c.Period < 0 {
		return f, fmt.Errorf("--period: must not be negative, got %s", c.Period)
	}
	var err error
	if c.Zone != "" {
		if f.Zone, err = time.LoadLocation(c.Zone); err != nil {
			return f, fmt.Errorf("--zone: must be a time zone as in Asia/Ho_Chi_Minh, got %q", c.Zone)
		}
	}
	if f.Fields, err = decode.ParseFields(c.Fields); err != nil {
		return f, fmt.Errorf("--fields: %w", err)
	}
	return f, nil
}

// topic is the one that was given, or the usual one of the format.
func (c *decodeCmd) topic(payload []byte) string {
	device := c.Device
	if device == "" {
		device = "test"
	}
	switch {
	case c.Topic != "":
		return c.Topic
	case c.Format == "hfp":
		return hfpTopic(c.Device, payload)
	case (c.Format == "tts" || c.Format == "chirpstack") && c.Device == "":
		return "nhip/in/" + c.Format // the payload names the device
	}
	return "nhip/in/" + c.Format + "/" + mqtt.Escape(device)
}

// hfpTopic names what an HFP payload leaves to its topic: the event, which is the payload's one key, and
// the vehicle.
func hfpTopic(vehicle string, payload []byte) string {
	if vehicle == "" {
		vehicle = "0000/00000"
	}
	event := "vp"
	d := json.NewDecoder(bytes.NewReader(payload))
	if _, err := d.Token(); err == nil {
		if key, err := d.Token(); err == nil {
			event = strings.ToLower(fmt.Sprint(key))
		}
	}
	return "/hfp/v2/journey/ongoing/" + event + "/bus/" + vehicle
}
