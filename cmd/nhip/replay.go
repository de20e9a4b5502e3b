package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"nhip/internal/datadir"
	"nhip/internal/mqtt"
	"nhip/internal/pause"
	"nhip/internal/recording"

	"github.com/schollz/progressbar/v3"
)

// Bounds of a replay: a connection for each 4 messages that a disk's sync may carry is enough to
// keep it busy, and at the end acknowledgements have this long to come in.
const (
	replayLanes  = 8
	replayLinger = 30 * time.Second

	// A broker that refuses a message ends the connection, and so does one that restarts or whose
	// disk is full: with the pauses between, ten times are two minutes.
	replayPatience = 10

	barEvery = 200 * time.Millisecond
)

// replayCmd is nhip replay.
type replayCmd struct {
	Files   []string `arg:"" name:"file" help:"Recordings, plain or gzip; several are merged by their stamps." type:"path"`
	Speed   float64  `help:"How many recorded seconds pass in one; 0 goes as fast as it is acknowledged." default:"1"`
	MQTT    string   `help:"The broker; default: the nhip that runs on the data folder." placeholder:"URL"`
	DataDir string   `help:"Data folder of the running nhip, for its address and token." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
}

// Run publishes the recordings and returns when everything is acknowledged.
func (c *replayCmd) Run(e *env) error {
	if !(c.Speed >= 0) {
		return fmt.Errorf("--speed: must not be negative, got %v", c.Speed)
	}
	in, err := recording.OpenAll(c.Files)
	if err != nil {
		return err
	}
	defer in.Close()
	broker, err := c.broker(e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(e.ctx, connectTimeout)
	defer cancel()
	out, err := mqtt.DialFan(ctx, mqtt.FanOptions{Options: broker, Lanes: replayLanes, Patience: replayPatience})
	if err != nil {
		return fmt.Errorf("%w; is nhip running (`nhip up`)?", err)
	}
	return c.play(e, in, out)
}

// broker finds the broker and the token.
func (c *replayCmd) broker(e *env) (mqtt.Options, error) {
	o := mqtt.Options{URL: c.MQTT, ClientID: fmt.Sprintf("nhip-replay-%d", os.Getpid()), Username: "operator", Logger: e.log}
	if o.URL == "" {
		at, err := datadir.ReadAddresses(c.DataDir)
		if errors.Is(err, fs.ErrNotExist) {
			return o, fmt.Errorf("no nhip runs on %s; start one with `nhip up`, or name a broker with --mqtt or another folder with --data-dir", c.DataDir)
		}
		if err != nil {
			return o, err
		}
		o.URL = at.MQTT
	}
	token, err := datadir.ReadToken(c.DataDir)
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && c.MQTT != "") { // a broker elsewhere may ask for none
		return o, err
	}
	o.Password = token
	return o, nil
}

func (c *replayCmd) play(e *env, in *recording.Merge, out *mqtt.Fan) error {
	bar := progressbar.NewOptions64(in.Size(), progressbar.OptionSetWriter(e.stderr),
		progressbar.OptionSetDescription("replay"), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(barEvery), progressbar.OptionClearOnFinish())
	sent, err := c.publish(e.ctx, in, out, bar)
	linger, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), replayLinger)
	defer cancel()
	err = errors.Join(err, out.Close(linger))
	_ = bar.Finish() // only draws
	fmt.Fprintf(e.stdout, "published %d messages, %d acknowledged\n", sent, out.Acked())
	if e.ctx.Err() != nil {
		return errors.New("stopped before the end of the recording")
	}
	return err
}

// publish paces the messages by their stamps, the first at once.
func (c *replayCmd) publish(ctx context.Context, in *recording.Merge, out *mqtt.Fan, bar *progressbar.ProgressBar) (int, error) {
	var first time.Time
	began := time.Now()
	for n := 0; ; n++ {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		if n == 0 {
			first = e.Time
		}
		if c.Speed > 0 {
			due := began.Add(time.Duration(float64(e.Time.Sub(first)) / c.Speed))
			if !pause.For(ctx, time.Until(due)) {
				return n, ctx.Err()
			}
		}
		if err := out.Publish(ctx, e.Topic, e.Payload); err != nil {
			return n, err
		}
		_ = bar.Set64(in.Offset()) // only draws
	}
}
