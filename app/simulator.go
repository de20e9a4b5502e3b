package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"nhip/geo/gtfs"
	"nhip/internal/durable"
	"nhip/internal/mqtt"
	"nhip/internal/mqtt/publish"
	"nhip/internal/sim"
	"nhip/internal/task"
)

const (
	// simulatorConnections is how many connections the simulated devices share.
	simulatorConnections = 4

	// simulatedTimetable is the file in the data folder that receives the timetable of a simulated city.
	simulatedTimetable = "simulated-gtfs.zip"
)

// simulation is a simulated city whose devices publish like any others.
type simulation struct {
	simulator *sim.Simulator
	devices   *publish.Pool
	running   *task.Group
	past      *simulatedPast // nil: none
	pastPath  string
	started   chan struct{} // closed once the devices have published their first messages
	log       *slog.Logger
}

// newSimulation makes a simulated city on the configured timetable. Without one it makes a timetable of its own and
// writes it to the data folder, where other tools can read it.
func (r *runtime) newSimulation(t *transit, past *simulatedPast) (*simulation, error) {
	s := &simulation{
		running: task.NewGroup(), past: past, pastPath: r.dir.Path(simulatedPastFile), started: make(chan struct{}),
		log: r.log,
	}
	history := time.Duration(0) // the default, which fills the time while nothing ran
	if !past.complete() {
		history = min(r.clock.Now().Sub(past.From), 2*MaxPast)
	}
	var err error
	s.simulator, err = sim.New(sim.Options{
		Feed: t.feed, Buses: r.options.Buses, Clock: r.clock, Logger: r.log, History: history, Lead: past.lead(),
		OnStart: func() { close(s.started) },
		Publish: func(topic string, payload []byte) error {
			return s.devices.Publish(s.running.Context(), topic, payload)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("can't simulate: %w", err)
	}
	if t.feed == nil {
		t.use(s.simulator.Feed())
		r.writeTimetable(t.feed)
	}
	return s, nil
}

// writeTimetable replaces the file with the simulated timetable, which only other tools read: a disk that does not take
// it costs no more than that.
func (r *runtime) writeTimetable(feed *gtfs.Feed) {
	path := r.dir.Path(simulatedTimetable)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		r.damaged.SetAside(path, errors.New("must be a file, is a folder"))
	}
	if err := durable.Write(path, func(w io.Writer) error { return feed.Write(w) }); err != nil {
		r.log.Error("can't write the simulated timetable for other tools", "error", err)
	}
}

// start connects the simulated devices to a broker and lets them publish.
func (s *simulation) start(ctx context.Context, broker mqtt.Options) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	var err error
	s.devices, err = publish.Dial(ctx, publish.Options{
		Connections: simulatorConnections, Options: broker,
	})
	if err != nil {
		return err
	}
	s.running.Go("simulator", s.simulator.Run)
	if s.past.complete() {
		return nil
	}
	broker.ClientID += "-past"
	devices, err := publish.Dial(ctx, publish.Options{Connections: pastConnections, Options: broker})
	if err != nil {
		return err
	}
	s.running.Go("the simulated past", func(ctx context.Context) error { return s.publishPast(ctx, devices) })
	return nil
}

// publishPast publishes what is missing of the past of the buses, once those of the present are on the map. Without it
// the present goes on.
func (s *simulation) publishPast(ctx context.Context, devices *publish.Pool) error {
	select {
	case <-s.started:
	case <-ctx.Done():
	}
	w := &pastWriter{past: s.past, path: s.pastPath, devices: devices}
	buses, err := s.simulator.Past(s.past.From, s.past.Until)
	if err == nil {
		err = w.run(ctx, buses)
	}
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.log.Warn("the simulated past of the buses is incomplete", "error", err)
	default:
		s.log.Info("the simulated past of the buses is complete", "positions", w.sent)
	}
	_ = devices.Close(ctx) // what is not acknowledged is published again after the next start
	return ctx.Err()
}

func (s *simulation) stop(ctx context.Context) error {
	return errors.Join(s.running.Stop(ctx), s.devices.Close(ctx))
}
