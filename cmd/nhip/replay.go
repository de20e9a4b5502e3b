package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"nhip/internal/datadir"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/publish"
	"nhip/internal/recording"

	"github.com/schollz/progressbar/v3"
)

// Bounds of what tools publish.
const (
	connectTimeout = 8 * time.Second

	// A disk's sync acknowledges about four messages of each connection; eight keep the disk busy.
	publishConnections = 8

	// lastAcks is how long the tools wait for the last acknowledgements.
	lastAcks = 30 * time.Second

	// A broker ends the connection when it rejects a message, restarts or has a full disk. With the pauses in between,
	// ten losses take two minutes.
	maxLosses = 10

	// maxDown is how long a broker may be away meanwhile: a restart takes seconds.
	maxDown = time.Minute

	sayWaiting  = time.Second // for the broker, before the user is told
	barInterval = 200 * time.Millisecond
)

// brokerFlags select the broker that a tool publishes to, as the operator.
type brokerFlags struct {
	MQTT    string `help:"${help_broker}" placeholder:"URL"`
	DataDir string `help:"${help_running_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
}

// dial connects a publisher to the given broker or, without one, to the nhip that runs on the data folder. A broker
// that can't be reached is an error at once; one that does not answer is named while the tool waits.
func (f *brokerFlags) dial(e *env, tool string) (*publish.Pool, error) {
	o, err := f.options(e, tool)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(e.ctx, connectTimeout)
	defer cancel()
	said := make(chan struct{})
	waiting := time.AfterFunc(sayWaiting, func() {
		defer close(said)
		e.log.Info("waiting for the MQTT broker", "url", redacted(o.URL), "at_most", connectTimeout)
	})
	defer func() {
		if !waiting.Stop() {
			<-said // before the tool prints anything else
		}
	}()
	out, err := publish.Dial(ctx, publish.Options{
		Options: o, Connections: publishConnections, MaxLosses: maxLosses, MaxDown: maxDown,
	})
	switch {
	case err == nil:
		return out, nil
	case f.MQTT != "":
		return nil, fmt.Errorf("--mqtt: %w", err)
	}
	return nil, fmt.Errorf("%w; the address is that of the nhip on %s, which may not run any more: start it with "+
		"`nhip up`, or name a broker with --mqtt URL", err, f.DataDir)
}

// redacted returns a URL without its password.
func redacted(raw string) string {
	at, err := mqtt.ParseURL(raw)
	if err != nil {
		return "?"
	}
	return at.Redacted()
}

func (f *brokerFlags) options(e *env, tool string) (mqtt.Options, error) {
	o := mqtt.Options{
		URL: f.MQTT, ClientID: fmt.Sprintf("nhip-%s-%d", tool, os.Getpid()), Username: "operator", Logger: e.log,
	}
	if o.URL == "" {
		at, err := datadir.ReadAddresses(f.DataDir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return o, fmt.Errorf("no nhip runs on %s; start one with `nhip up`, or name a broker with --mqtt URL or another "+
				"folder with --data-dir", f.DataDir)
		case err != nil:
			return o, err
		case at.MQTT == "":
			return o, fmt.Errorf("the nhip that runs on %s has no broker of its own; name the roles' broker (broker.url) with "+
				"--mqtt URL", f.DataDir)
		}
		o.URL = at.MQTT
	}
	token, err := datadir.ReadToken(f.DataDir)
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && f.MQTT != "") { // an external broker may need no password
		return o, err
	}
	o.Password = token
	return o, nil
}

// replayCmd is nhip replay.
type replayCmd struct {
	brokerFlags

	Files []string `arg:"" name:"file" help:"${help_recordings}" type:"path"`
	Speed float64  `help:"Recorded seconds per second; 0 publishes as fast as the broker acknowledges." default:"1"`
}

// Run publishes the recordings and returns when all messages are acknowledged.
func (c *replayCmd) Run(e *env) error {
	if !(c.Speed >= 0) {
		return fmt.Errorf("--speed: must not be negative, got %v", c.Speed)
	}
	in, err := recording.OpenAll(c.Files)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := c.dial(e, "replay")
	if err != nil {
		return err
	}
	return c.play(e, in, out)
}

func (c *replayCmd) play(e *env, in *recording.Merge, out *publish.Pool) error {
	bar := progressbar.NewOptions64(in.Size(), progressbar.OptionSetWriter(e.stderr),
		progressbar.OptionSetDescription("replay"), progressbar.OptionShowBytes(true),
		progressbar.OptionThrottle(barInterval), progressbar.OptionClearOnFinish())
	sent, err := in.Play(e.ctx, c.Speed, func(m recording.Entry) error {
		if err := out.Publish(e.ctx, m.Topic, m.Payload); err != nil {
			return err
		}
		_ = bar.Set64(in.Offset()) // only draws
		return nil
	})
	last, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), lastAcks)
	defer cancel()
	err = errors.Join(err, out.Close(last))
	_ = bar.Finish() // only draws
	fmt.Fprintf(e.stdout, "published %d messages, %d acknowledged\n", sent, out.Acked())
	if e.ctx.Err() != nil {
		return errors.New("stopped before the end of the recording")
	}
	return err
}
