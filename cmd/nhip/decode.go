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
	"nhip/internal/topics"
)

// decodeCmd is nhip decode.
type decodeCmd struct {
	Format string `required:"" help:"Format of the payload, as in feeds[].format." placeholder:"F"`
	File   string `arg:"" optional:"" help:"File with the payload; default: the standard input." type:"path"`

	Topic     string        `help:"Topic of the message; default: the format's usual one." placeholder:"TOPIC"`
	Device    string        `help:"${help_decode_device}" placeholder:"ID"`
	Agency    string        `help:"Agency that runs the buses (feeds[].agency)." default:"hanoi"`
	Zone      string        `help:"${help_decode_zone}" placeholder:"ZONE"`
	Period    time.Duration `help:"${help_decode_period}" placeholder:"5m"`
	SpeedUnit string        `help:"${help_decode_speed}" enum:",km/h,m/s" default:"" placeholder:"UNIT"`
	Fields    string        `help:"${help_decode_fields}" placeholder:"LIST"`
	Received  moment        `help:"${help_decode_received}" placeholder:"TIME"`
	Late      bool          `help:"${help_decode_late}"`
}

// factLine is a line of the output: one of them.
type factLine struct {
	Position     *nhip.Position     `json:"position,omitempty"`
	Reading      *readingLine       `json:"reading,omitempty"`
	TripUpdate   *nhip.TripUpdate   `json:"trip_update,omitempty"`
	ServiceAlert *nhip.ServiceAlert `json:"service_alert,omitempty"`
}

// readingLine formats the averaging period as "1h".
type readingLine struct {
	nhip.Reading
	Period string `json:"period"`
}

// Run prints a payload's facts, one on each line, and what a collector would reject.
func (c *decodeCmd) Run(e *env) error {
	payload, err := c.read()
	if err != nil {
		return err
	}
	feed, err := c.feed()
	if err != nil {
		return err
	}
	now, err := c.Received.parse("received", time.Now())
	if err != nil {
		return err
	}
	late := time.Duration(collector.AnyAge)
	if c.Late {
		late = nhip.LateWindow
	}
	message := nhip.Message{Topic: c.topic(payload), Payload: payload, Received: now.UTC()}
	decoded, err := collector.Decode(feed, message, stoppedClock(now), late)
	if err != nil {
		return err
	}
	return printDecoded(e, decoded)
}

// printDecoded prints facts and faults.
func printDecoded(e *env, decoded *collector.Decoded) error {
	lines, all := json.NewEncoder(e.stdout), factLines(&decoded.Facts)
	for i := range all {
		if err := lines.Encode(all[i]); err != nil {
			return err
		}
	}
	for i := range decoded.Dropped {
		fmt.Fprintf(e.stderr, "nhip: dropped: %s\n", decoded.Dropped[i].Error())
	}
	for i := range decoded.Rejected {
		fmt.Fprintf(e.stderr, "nhip: %s: %s\n", decoded.Rejected[i].Code, decoded.Rejected[i].Error())
	}
	switch {
	case len(decoded.Rejected) > 0:
		return errRejected
	case len(all) == 0:
		fmt.Fprintln(e.stderr, "nhip: the payload is valid and contains no facts")
	}
	return nil
}

// factLines returns the lines of facts.
func factLines(f *nhip.Facts) (lines []factLine) {
	for i := range f.Positions {
		lines = append(lines, factLine{Position: &f.Positions[i]})
	}
	for i := range f.Readings {
		lines = append(lines, factLine{Reading: &readingLine{f.Readings[i], nhip.FormatPeriod(f.Readings[i].Period)}})
	}
	if f.Service == nil {
		return lines
	}
	for i := range f.Service.Trips {
		lines = append(lines, factLine{TripUpdate: &f.Service.Trips[i]})
	}
	for i := range f.Service.Alerts {
		lines = append(lines, factLine{ServiceAlert: &f.Service.Alerts[i]})
	}
	return lines
}

// stoppedClock always returns the same time.
type stoppedClock time.Time

// Now returns the time.
func (s stoppedClock) Now() time.Time { return time.Time(s) }

// read returns the payload.
func (c *decodeCmd) read() ([]byte, error) {
	if c.File == "" {
		payload, err := io.ReadAll(io.LimitReader(os.Stdin, maxPayload+1))
		return payload, errors.Join(err, checkSize(payload))
	}
	payload, err := os.ReadFile(c.File)
	if err != nil {
		return nil, fmt.Errorf("can't read the payload: %w", err)
	}
	return payload, checkSize(payload)
}

// maxPayload is more than a packet holds, because polled and imported files may be longer.
const maxPayload = 64 << 20

func checkSize(payload []byte) error {
	if len(payload) > maxPayload {
		return fmt.Errorf("the payload has more than %d bytes", maxPayload)
	}
	return nil
}

// feed returns the feed that the flags describe.
func (c *decodeCmd) feed() (decode.Feed, error) {
	f := decode.Feed{Format: c.Format, Agency: c.Agency, Period: c.Period, SpeedUnit: c.SpeedUnit}
	if formats := collector.Formats(); !slices.Contains(formats, c.Format) {
		return f, fmt.Errorf("--format: must be one of %s, got %q", strings.Join(formats, ", "), c.Format)
	}
	if c.Period < 0 {
		return f, fmt.Errorf("--period: must not be negative, got %s", nhip.FormatDuration(c.Period))
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

// topic returns the given topic or the format's usual one.
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
		return "nhip/in/" + c.Format // the payload contains the device id
	}
	return "nhip/in/" + c.Format + "/" + topics.Escape(device)
}

// hfpTopic returns the topic of an HFP payload. Only the topic has the vehicle and the event, which is also the
// payload's only key.
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
