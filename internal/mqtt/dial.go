package mqtt

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"nhip/internal/pause"
)

// retryAfter is the pause between the tries of DialPatiently: a broker takes about as long to start.
const retryAfter = 2 * time.Second

// DialPatiently is Dial for a broker that may come later: it tries until ctx ends and logs each
// cause once. It gives up at once where waiting does not help: when the broker refuses the log-in
// or a subscription, and when the URL is none.
func DialPatiently(ctx context.Context, o Options) (*Client, error) {
	if err := checkURL(o.URL); err != nil {
		return nil, err
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	told := make(map[string]bool)
	for {
		c, err := Dial(ctx, o)
		if err == nil || isRefusal(err) {
			return c, err
		}
		if !told[err.Error()] && ctx.Err() == nil {
			told[err.Error()] = true
			log.Warn("waiting for the MQTT broker", "error", err)
		}
		if !pause.For(ctx, retryAfter) {
			return nil, fmt.Errorf("gave up waiting: %w", errors.Join(err, context.Cause(ctx)))
		}
	}
}

// checkURL refuses what open can't dial.
func checkURL(raw string) error {
	uri, err := url.Parse(raw)
	if err != nil {
		return errors.New("the address of the MQTT broker is no URL") // the parser's words may hold a password
	}
	return checkScheme(uri)
}

func checkScheme(uri *url.URL) error {
	if uri.Scheme != "tcp" && uri.Scheme != "mqtt" {
		return fmt.Errorf("the scheme of %s must be tcp or mqtt", uri.Redacted())
	}
	return nil
}

// open makes a buffered connection to a broker.
func open(ctx context.Context, uri *url.URL, timeout time.Duration) (net.Conn, error) {
	if err := checkScheme(uri); err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: timeout}
	conn, err := d.DialContext(ctx, "tcp", uri.Host)
	if err != nil {
		return nil, err
	}
	return Buffer(conn), nil
}
