package main

import (
	"context"
	"errors"
	"fmt"

	"nhip/geo/gtfs"
	"nhip/internal/mqtt"
	"nhip/internal/sim"
)

// simulatorLanes is how many connections the simulated devices share.
const simulatorLanes = 4

// newSimulator makes the simulated city, on a timetable of its own where feed is nil.
func (c *city) newSimulator(feed *gtfs.Feed) error {
	buses := c.cmd.Buses
	if buses == 0 {
		buses = sim.None
	}
	var err error
	c.simulator, err = sim.New(sim.Options{
		Feed: feed, Buses: buses, Clock: c.clock, Logger: c.log,
		Publish: func(topic string, payload []byte) error { return c.devices.Publish(c.simulating, topic, payload) },
	})
	if err != nil {
		return fmt.Errorf("can't simulate: %w", err)
	}
	return nil
}

// startSimulator puts the simulated devices on the broker, like any device from outside.
func (c *city) startSimulator() error {
	if c.simulator == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(c.ctx, connectTimeout)
	defer cancel()
	var err error
	c.devices, err = mqtt.DialFan(ctx, mqtt.FanOptions{Lanes: simulatorLanes, Options: mqtt.Options{
		URL: c.gateway.InsideURL(), ClientID: "nhip-simulator", Username: "simulator", Password: c.accounts.Operator, Logger: c.log,
	}})
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(context.Background())
	c.simulating = run
	ended := make(chan error, 1)
	go func() { ended <- c.simulator.Run(run) }()
	c.cleanup.Push("the simulator", func(ctx context.Context) error {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			return errors.Join(err, c.devices.Close(ctx))
		}
		return c.devices.Close(ctx)
	})
	return nil
}
