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

	"nhip/internal/wait"
)

// retryInterval is the pause between the attempts of DialRetry. A broker takes about as long to start.
const retryInterval = 2 * time.Second

// DialRetry is Dial for a broker that may start later: it retries until ctx ends and logs each cause once. It returns
// at once if a retry can't help: when the URL is invalid, or the broker refuses the log-in or a subscription.
func DialRetry(ctx context.Context, o Options) (*Client, error) {
	if _, err := ParseURL(o.URL); err != nil {
		return nil, err
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	logged := make(map[string]bool)
	for {
		c, err := dial(ctx, o, true)
		if err == nil || IsRefusal(err) {
			return c, err
		}
		if !logged[err.Error()] && ctx.Err() == nil {
			logged[err.Error()] = true
			log.Warn("waiting for the MQTT broker", "error", err)
		}
		if wait.Sleep(ctx, retryInterval) != nil {
			return nil, fmt.Errorf("gave up waiting: %w", errors.Join(err, context.Cause(ctx)))
		}
	}
}

// ParseURL returns the URL of a broker, which must have a scheme that OpenConn supports. The error contains no
// password.
func ParseURL(raw string) (*url.URL, error) {
	uri, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("the address of the MQTT broker is not a URL") // the parser's text may contain a password
	}
	if err := checkScheme(uri); err != nil {
		return nil, err
	}
	return uri, nil
}

func checkScheme(uri *url.URL) error {
	if !isPlain(uri) && !isTLS(uri) {
		return fmt.Errorf("the scheme of %s must be tcp or mqtt, with TLS ssl or mqtts, as in tcp://host:port",
			uri.Redacted())
	}
	return nil
}

func isPlain(uri *url.URL) bool { return uri.Scheme == "tcp" || uri.Scheme == "mqtt" }

func isTLS(uri *url.URL) bool { return uri.Scheme == "ssl" || uri.Scheme == "mqtts" }

// OpenConn opens a connection with buffers to the broker at uri and sends nothing over it yet. The caller closes it.
func (o Options) OpenConn(ctx context.Context, uri *url.URL) (net.Conn, error) {
	if err := checkScheme(uri); err != nil {
		return nil, err
	}
	conn, err := o.dialNetwork(ctx, uri)
	if err != nil {
		return nil, err
	}
	return newBufferedConn(conn), nil
}

func (o Options) dialNetwork(ctx context.Context, uri *url.URL) (net.Conn, error) {
	d := net.Dialer{Timeout: DialTimeout}
	if isPlain(uri) {
		return d.DialContext(ctx, "tcp", uri.Host)
	}
	c := tls.Dialer{NetDialer: &d, Config: &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}}
	return c.DialContext(ctx, "tcp", uri.Host)
}
