package running

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"nhip/internal/datadir"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/publish"
)

// Bounds of what tools publish.
const (
	// ConnectTimeout is how long DialBroker waits for a broker that does not answer.
	ConnectTimeout = 8 * time.Second

	// A disk's sync acknowledges about four messages of each connection; eight keep the disk busy.
	publishConnections = 8

	// A broker ends the connection when it rejects a message, restarts or has a full disk. With the pauses in between,
	// ten losses take two minutes.
	maxLosses = 10

	// maxDown is how long a broker may be away meanwhile: a restart takes seconds.
	maxDown = time.Minute

	logWaiting = time.Second // of waiting for the broker, before it is logged
)

// BrokerOptions select the broker that a tool publishes to, as the operator.
type BrokerOptions struct {
	URL     string // "": the broker of the nhip that runs on DataDir
	DataDir string
	Tool    string // name of the tool, part of its client id
	Logger  *slog.Logger
}

// DialBroker connects a publisher to the given broker or, without one, to the nhip that runs on the data folder. A
// broker that can't be reached is an error at once; one that does not answer is named while the tool waits.
func DialBroker(ctx context.Context, b BrokerOptions) (*publish.Pool, error) {
	o, err := b.options()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, ConnectTimeout)
	defer cancel()
	logged := make(chan struct{})
	waiting := time.AfterFunc(logWaiting, func() {
		defer close(logged)
		b.Logger.Info("waiting for the MQTT broker", "url", redacted(o.URL), "at_most", ConnectTimeout)
	})
	defer func() {
		if !waiting.Stop() {
			<-logged // before the tool prints anything else
		}
	}()
	out, err := publish.Dial(ctx, publish.Options{
		Options: o, Connections: publishConnections, MaxLosses: maxLosses, MaxDown: maxDown,
	})
	switch {
	case err == nil:
		return out, nil
	case b.URL != "":
		return nil, fmt.Errorf("--mqtt: %w", err)
	}
	return nil, fmt.Errorf("%w; the address is that of the nhip on %s, which may not run any more: start it with "+
		"`nhip up`, or name a broker with --mqtt URL", err, b.DataDir)
}

// redacted returns a URL without its password.
func redacted(raw string) string {
	at, err := mqtt.ParseURL(raw)
	if err != nil {
		return "?"
	}
	return at.Redacted()
}

func (b *BrokerOptions) options() (mqtt.Options, error) {
	o := mqtt.Options{
		URL: b.URL, ClientID: fmt.Sprintf("nhip-%s-%d", b.Tool, os.Getpid()), Username: "operator", Logger: b.Logger,
	}
	if o.URL == "" {
		at, err := datadir.ReadAddresses(b.DataDir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return o, fmt.Errorf("no nhip runs on %s; start one with `nhip up`, or name a broker with --mqtt URL or another "+
				"folder with --data-dir", b.DataDir)
		case err != nil:
			return o, err
		case at.MQTT == "":
			return o, fmt.Errorf("the nhip that runs on %s has no broker of its own; name the roles' broker (broker.url) with "+
				"--mqtt URL", b.DataDir)
		}
		o.URL = at.MQTT
	}
	token, err := datadir.ReadToken(b.DataDir)
	if err != nil && !(errors.Is(err, fs.ErrNotExist) && b.URL != "") { // an external broker may need no password
		return o, err
	}
	o.Password = token
	return o, nil
}
