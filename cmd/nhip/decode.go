package main

import (
	"cmp"
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
	"nhip/internal/stafftext"
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
	topic := cmp.Or(c.Topic, collector.UsualTopic(c.Format, c.Device, payload))
	message := nhip.Message{Topic: topic, Payload: payload, Received: now.UTC()}
	decoded, err := collector.Decode(feed, message, nhip.StoppedClock(now), late)
	if err != nil {
		return err
	}
	return printDecoded(e, decoded)
}

// printDecoded prints facts and faults.
func printDecoded(e *env, decoded *collector.Decoded) error {
	n, err := stafftext.EncodeFacts(e.stdout, &decoded.Facts)
	if err != nil {
		return err
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
	case n == 0:
		fmt.Fprintln(e.stderr, "nhip: the payload is valid and contains no facts")
	}
	return nil
}

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
