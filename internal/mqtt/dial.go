package mqtt

import (
	"context"
	"crypto/tls"
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
	if !plain(uri) && !secured(uri) {
		return fmt.Errorf("the scheme of %s must be tcp or mqtt, with TLS ssl or mqtts", uri.Redacted())
	}
	return nil
}

func plain(uri *url.URL) bool { return uri.Scheme == "tcp" || uri.Scheme == "mqtt" }

func secured(uri *url.URL) bool { return uri.Scheme == "ssl" || uri.Scheme == "mqtts" }

// open makes a connection to a broker.
func (o Options) open(ctx context.Context, uri *url.URL) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout}
	switch {
	case plain(uri):
		return d.DialContext(ctx, "tcp", uri.Host)
	case secured(uri):
		c := tls.Dialer{NetDialer: &d, Config: &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}}
		return c.DialContext(ctx, "tcp", uri.Host)
	}
	return nil, checkURL(uri.String())
}
