package main

import (
	"context"
	"errors"
	"fmt"

	"nhip"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/gateway"
	"nhip/internal/health"
	"nhip/internal/mqtt"
)

// startOtherIntakes starts the ways in that neither MQTT nor a push is: dropped files and feeds that are
// asked. They end before the door does.
func (p *process) startOtherIntakes(door nhip.Door) error {
	if p.conf.Files.Root != "" {
		d, err := gateway.NewDrop(gateway.DropOptions{
			Root: p.conf.Files.Root, Door: door, Clock: p.clock, Logger: p.log, Registry: p.registry, Check: p.checkMessage,
		})
		if err != nil {
			return fmt.Errorf("files.root: %w", err)
		}
		p.run("the station files", d.Run)
	}
	for i, c := range p.conf.Pulls {
		pull, err := gateway.NewPull(gateway.PullOptions{
			Name: c.Name, URL: c.URL, Every: c.Every, Header: c.Header, Door: door, Clock: p.clock, Logger: p.log, Registry: p.registry,
		})
		if err != nil {
			return fmt.Errorf("pulls[%d]: %w", i, err)
		}
		p.pulls = append(p.pulls, pull)
		p.run("the feed "+c.Name, pull.Run)
	}
	return nil
}

// run keeps f running until the process stops.
func (p *process) run(name string, f func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); f(ctx) }()
	p.cleanup.Push(name, func(context.Context) error {
		cancel()
		<-ended
		return nil
	})
}

// feedsCheck tells of the feeds that are asked whether they are fresh. Where none is, it is always.
func (p *process) feedsCheck() health.Check {
	return health.Check{Name: "feeds", Spare: true, OK: func() bool {
		for _, pull := range p.pulls {
			if !pull.Fresh() {
				return false
			}
		}
		return true
	}}
}

// checkMessage tells what of a message a collector with this configuration turns away.
func (p *process) checkMessage(m nhip.Message) error {
	for _, f := range p.feeds() {
		if mqtt.Match(f.Topic, m.Topic) {
			return p.faultsOf(f, m)
		}
	}
	return errors.New("no feed is configured for the topic " + m.Topic)
}

func (p *process) faultsOf(f decode.Feed, m nhip.Message) error {
	said, err := collector.Decode(f, m, p.clock, p.conf.Collector.LateWindow)
	if err != nil {
		return err
	}
	var faults []error
	for i := range said.Rejected {
		faults = append(faults, &said.Rejected[i])
	}
	return errors.Join(faults...)
}
