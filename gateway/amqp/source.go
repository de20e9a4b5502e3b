package amqp

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/topics"
	"nhip/internal/wait"

	"github.com/prometheus/client_golang/prometheus"
	amqp091 "github.com/rabbitmq/amqp091-go"
)

// prefetch is how many messages the broker may send before the first is acknowledged. One sync of the journal covers
// them all, so it bounds the rate, too. With MaxBytes it bounds the memory of a source.
const prefetch = 256

// Options configure a Source.
type Options struct {
	Name     string         // of the source; the last level of its topic
	URL      string         // amqp://user:password@host:port/vhost, or amqps
	Password string         // replaces the password in the URL; empty: that one holds
	Roots    *x509.CertPool // verifies the broker with amqps; nil: the system's authorities do
	Queue    string         // must exist: its owner decides how it is kept
	Format   string         // of the messages
	MaxBytes int            // of a message; of a longer one the beginning is passed on, with its size
	Acceptor nhip.Acceptor
	Clock    nhip.Clock
	Logger   *slog.Logger
	Registry prometheus.Registerer

	timing timing
}

// timing are the waits of a source. Tests use shorter ones.
type timing struct {
	dial    time.Duration // of the connection with TLS and the log-in
	first   time.Duration // before the first new attempt to connect, or to store a message
	longest time.Duration // between attempts
	stable  time.Duration // a connection that lasts as long was good: the next pause is the first
	finish  time.Duration // for the outcome of messages that are being stored when the source stops
}

func defaultTiming() timing {
	return timing{
		dial: 10 * time.Second, first: time.Second, longest: 15 * time.Second, stable: 20 * time.Second,
		finish: 5 * time.Second,
	}
}

// Source passes the messages of a queue to an acceptor, as messages on nhip/in/<format>/<name>, in order. It
// acknowledges a message once it is stored, so the broker keeps it until then and delivers it again after a failure of
// either side; a message that was stored but not acknowledged is a duplicate then.
//
// A message that can't be stored now, as with a full disk, is tried again here and is not given back to the broker: a
// broker may drop a message that was given back too often, or send it again at once, for ever. A message that can never
// be stored is rejected without requeueing.
type Source struct {
	o       Options
	uri     amqp091.URI
	address string // host:port, for logs
	topic   string
	log     *slog.Logger
	metrics *metrics

	fault atomic.Pointer[string] // why no messages arrive, or ""
}

// New checks the options. It does not connect before Run.
func New(o Options) (*Source, error) {
	uri, err := amqp091.ParseURI(o.URL)
	if err != nil {
		return nil, errors.New("url: must be an address as in amqp://user@host/vhost") // the cause may contain a password
	}
	uri.Password = cmp.Or(o.Password, uri.Password)
	if o.timing == (timing{}) {
		o.timing = defaultTiming()
	}
	s := &Source{
		o: o, uri: uri, address: net.JoinHostPort(uri.Host, strconv.Itoa(uri.Port)),
		topic: topics.DeviceTopic(o.Format, o.Name),
	}
	s.log = o.Logger.With("component", "amqp source", "source", o.Name, "broker", s.address, "queue", o.Queue)
	s.setFault("not connected yet")
	s.metrics, err = newMetrics(o.Registry, s)
	return s, err
}

// Fault returns why no messages arrive or are stored, or "".
func (s *Source) Fault() string { return *s.fault.Load() }

func (s *Source) setFault(reason string) { s.fault.Store(&reason) }

// Run receives messages until ctx ends. Then it takes no more, waits for the outcome of those that it has passed on,
// and acknowledges them.
func (s *Source) Run(ctx context.Context) error {
	for pause := s.o.timing.first; ; pause = min(2*pause, s.o.timing.longest) {
		began := time.Now()
		err := s.session(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Since(began) >= s.o.timing.stable {
			pause = s.o.timing.first
		}
		s.noteFailure(err)
		if err := wait.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// session connects and receives messages until the connection or the consumer ends, or ctx does.
func (s *Source) session(ctx context.Context) error {
	n, err := s.connect(ctx)
	if err != nil {
		return s.explain(err)
	}
	s.metrics.connections.Inc()
	s.metrics.connected.Set(1)
	s.setFault("")
	s.log.Info("connected")
	defer s.metrics.connected.Set(0)
	return s.explain(n.serve(ctx))
}

// noteFailure logs a failure unless it is the last one again.
func (s *Source) noteFailure(err error) {
	if reason := err.Error(); reason != s.Fault() {
		s.log.Warn("no messages from the AMQP broker; connecting again", "error", reason)
		s.setFault(reason)
	}
}

// explain returns an error that names the cause in the words of the configuration.
func (s *Source) explain(err error) error {
	var refusal *amqp091.Error
	switch {
	case err == nil || !errors.As(err, &refusal):
		return err
	case refusal.Code == amqp091.NotFound:
		return fmt.Errorf("queue %q does not exist at %s", s.o.Queue, s.address)
	case errors.Is(err, amqp091.ErrCredentials):
		return fmt.Errorf("the broker at %s refuses the user name or the password", s.address)
	case errors.Is(err, amqp091.ErrVhost), refusal.Code == amqp091.NotAllowed:
		return fmt.Errorf("the broker at %s refuses the virtual host %q", s.address, s.uri.Vhost)
	case refusal.Code == amqp091.AccessRefused:
		return fmt.Errorf("the broker at %s refuses queue %q: %s", s.address, s.o.Queue, refusal.Reason)
	}
	return err
}
