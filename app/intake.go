package app

import (
	"errors"
	"fmt"
	"strings"

	"nhip"
	"nhip/collector"
	"nhip/gateway"
	"nhip/gateway/amqp"
	"nhip/internal/certs"
	"nhip/internal/health"
	"nhip/internal/topics"
)

// pollers are the feeds that a gateway fetches over HTTP.
type pollers struct{ all []*gateway.Poller }

// check returns the readiness check of the polled feeds, which is true if there are none.
func (p *pollers) check() health.Check {
	return health.Check{Name: "feeds", Optional: true, OK: func() bool {
		for _, f := range p.all {
			if !f.Fresh() {
				return false
			}
		}
		return true
	}}
}

// queueSources are the queues of AMQP brokers that a gateway receives from.
type queueSources struct {
	names []string
	all   []*amqp.Source
}

// check returns the readiness check of the sources, which is true if there are none.
func (q *queueSources) check() health.Check {
	return health.Check{Name: "sources", Optional: true, Fault: func() string {
		var faults []string
		for i, s := range q.all {
			if fault := s.Fault(); fault != "" {
				faults = append(faults, q.names[i]+": "+fault)
			}
		}
		return strings.Join(faults, "; ")
	}}
}

// startSources starts to receive from the queues. They stop before the acceptor does.
func (r *runtime) startSources(acceptor nhip.Acceptor, maxBytes int, queues *queueSources) error {
	for i, c := range r.conf.Sources {
		o := amqp.Options{
			Name: c.Name, URL: c.URL, Password: c.Password, Queue: c.Queue, Format: c.Format,
			MaxBytes: maxBytes, Acceptor: acceptor, Clock: r.clock, Logger: r.log, Registry: r.registry,
		}
		var err error
		if c.CA != "" {
			if o.Roots, err = certs.Pool(c.CA); err != nil {
				return fmt.Errorf("sources[%d].ca: %w", i, err)
			}
		}
		s, err := amqp.New(o)
		if err != nil {
			return fmt.Errorf("sources[%d]: %w", i, err)
		}
		queues.names, queues.all = append(queues.names, c.Name), append(queues.all, s)
		r.run("the source "+c.Name, s.Run)
	}
	return nil
}

// startIntakes starts what brings messages in other than MQTT, HTTP push and AMQP: station files and polled feeds. They
// stop before the acceptor does.
func (r *runtime) startIntakes(acceptor nhip.Acceptor, polled *pollers) error {
	if r.conf.Files.Root != "" {
		d, err := gateway.NewDropFolder(gateway.DropFolderOptions{
			Root: r.conf.Files.Root, Acceptor: acceptor, Clock: r.clock, Logger: r.log, Registry: r.registry,
			Check: r.checkMessage,
		})
		if err != nil {
			return fmt.Errorf("files.root: %w", err)
		}
		r.run("the station files", d.Run)
	}
	for i, c := range r.conf.Pulls {
		p, err := gateway.NewPoller(gateway.PollerOptions{
			Name: c.Name, URL: c.URL, Every: c.Every, Header: c.Header, Outgoing: r.outgoing(),
			Acceptor: acceptor, Clock: r.clock, Logger: r.log, Registry: r.registry,
		})
		if err != nil {
			return fmt.Errorf("pulls[%d]: %w", i, err)
		}
		polled.all = append(polled.all, p)
		r.run("the feed "+c.Name, p.Run)
	}
	return nil
}

// checkMessage returns what a collector with this configuration would reject of a message.
func (r *runtime) checkMessage(m nhip.Message) error {
	for _, f := range Feeds(&r.conf) {
		if !topics.Match(f.Topic, m.Topic) {
			continue
		}
		decoded, err := collector.Decode(f, m, r.clock, r.conf.Collector.LateWindow)
		if err != nil {
			return err
		}
		var faults []error
		for i := range decoded.Rejected {
			faults = append(faults, &decoded.Rejected[i])
		}
		return errors.Join(faults...)
	}
	return errors.New("no feed is configured for the topic " + m.Topic)
}
