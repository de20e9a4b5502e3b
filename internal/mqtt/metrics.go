package mqtt

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// dropLogEvery is the least time between two log lines about messages that are not published.
const dropLogEvery = time.Second

// metrics are those of the clients of a process, which share one registry.
type metrics struct {
	unpublished prometheus.Counter
	lost        prometheus.Counter
}

func newMetrics(r prometheus.Registerer) *metrics {
	return &metrics{
		unpublished: sharedCounter(r, "nhip_mqtt_unpublished_total",
			"Messages between roles that were dropped, because no broker takes such a topic or size."),
		lost: sharedCounter(r, "nhip_mqtt_connections_lost_total", "Lost connections between roles and their broker."),
	}
}

// sharedCounter returns the counter of a name in a registry, which several clients count in.
func sharedCounter(r prometheus.Registerer, name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	if r == nil {
		return c
	}
	var other prometheus.AlreadyRegisteredError
	if err := r.Register(c); errors.As(err, &other) {
		return other.ExistingCollector.(prometheus.Counter)
	} else if err != nil {
		panic(err) // another metric has the name
	}
	return c
}

// failedToken is the token of a message that is not sent. It implements paho.Token.
type failedToken struct{ err error }

func (failedToken) Wait() bool                     { return true }
func (failedToken) WaitTimeout(time.Duration) bool { return true }
func (t failedToken) Error() error                 { return t.err }

func (failedToken) Done() <-chan struct{} { return ended }

// ended is closed.
var ended = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
