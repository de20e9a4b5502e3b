package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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
}

// newSimulation makes a simulated city on the configured timetable. Without one it makes a timetable of its own and
// writes it to the data folder, where other tools can read it.
func (r *runtime) newSimulation(t *transit) (*simulation, error) {
	s := &simulation{running: task.NewGroup()}
	var err error
	s.simulator, err = sim.New(sim.Options{
		Feed: t.feed, Buses: r.options.Buses, Clock: r.clock, Logger: r.log,
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
	return nil
}

func (s *simulation) stop(ctx context.Context) error {
	return errors.Join(s.running.Stop(ctx), s.devices.Close(ctx))
}
