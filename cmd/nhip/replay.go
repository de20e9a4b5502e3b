package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nhip/internal/mqtt/publish"
	"nhip/internal/recording"
	"nhip/internal/running"

	"github.com/schollz/progressbar/v3"
)

// lastAcks is how long the tools wait for the last acknowledgements.
const lastAcks = 30 * time.Second

// barInterval is the least time between two drawings of a progress bar.
const barInterval = 200 * time.Millisecond

// brokerFlags select the broker that a tool publishes to, as the operator.
type brokerFlags struct {
	MQTT    string `help:"${help_broker}" placeholder:"URL"`
	DataDir string `help:"${help_running_dir}" default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
}

// dial connects a publisher for a tool.
func (f *brokerFlags) dial(e *env, tool string) (*publish.Pool, error) {
	return running.DialBroker(e.ctx, running.BrokerOptions{URL: f.MQTT, DataDir: f.DataDir, Tool: tool, Logger: e.log})
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
