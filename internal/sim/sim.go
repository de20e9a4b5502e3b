// Package sim simulates devices in a realistic Hanoi: buses on streets between the city's real terminals, and air
// monitors similar to the real ones, from the package's own tables. It publishes the platform's own JSON format on the
// devices' topics, marked origin=simulated.
//
// Messages depend on the seed and the clock's time only: the same start gives the same messages.
package sim

import (
	"cmp"
	"log/slog"
	"time"

	"nhip"
	"nhip/geo/gtfs"
)

// Defaults of Options.
const (
	DefaultBuses    = 300
	DefaultStations = 40
	DefaultInterval = 10 * time.Second
	DefaultHistory  = 24 * time.Hour
)

// MaxStations is the maximum of Options.Stations.
const MaxStations = 10_000

// MaxLead is the maximum of Options.Lead, for which a bus that has sent nothing since is still live.
const MaxLead = nhip.BusExpiresAfter

// None is the value for zero in Options, where 0 means the default.
const None = -1

// Options configure a Simulator.
type Options struct {
	// Feed has the trips that the buses drive; nil for those of the simulated network. The clock must be within the feed's
	// calendar.
	Feed *gtfs.Feed
	// Buses is the number of buses, up to MaxBuses; 0 means DefaultBuses, None no buses. In the simulated network all
	// buses run at any hour, and its timetable has the work of as many; a feed's trips may need fewer.
	Buses int
	// Stations is the number of air stations, up to MaxStations; 0 means DefaultStations, None no stations.
	Stations int
	// Interval is the time between the fixes of a bus, at least a second; 0 means DefaultInterval.
	Interval time.Duration
	// History is the time span of the stations' backlog; 0 means DefaultHistory, None no backlog.
	History time.Duration
	// Lead is how long before the first Step the buses begin to run, up to MaxLead. Their positions of that time, every
	// PastInterval, are among the messages of the first Step, after the stations' reports.
	Lead time.Duration
	// Clock is the simulation's clock; default nhip.WallClock. A clock that does not run at real time has a method
	// Rate() float64, as nhip.ReplayClock does.
	Clock nhip.Clock
	// Seed selects the random numbers.
	Seed uint64
	// Logger is for errors; nil for no log.
	Logger *slog.Logger
	// OnStart, if it is set, is called by Run once the messages of the first Step are published.
	OnStart func()
	// Publish publishes one message. It may block; meanwhile buses skip fixes instead of falling behind. It may keep the
	// payload. If it returns an error, the error is logged and the message is lost, as that of a device would be. Run
	// needs Publish, Step does not.
	Publish func(topic string, payload []byte) error
}

func (o *Options) setDefaults() {
	o.Buses = orDefault(o.Buses, DefaultBuses)
	o.Stations = orDefault(o.Stations, DefaultStations)
	o.History = orDefault(o.History, DefaultHistory)
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	if o.Clock == nil {
		o.Clock = nhip.WallClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// orDefault returns def for 0, and 0 for None.
func orDefault[T int | time.Duration](v, def T) T {
	switch v {
	case 0:
		return def
	case None:
		return 0
	}
	return v
}

func (o *Options) validate() error {
	switch {
	case o.Buses < 0 || o.Buses > MaxBuses:
		return nhip.Errorf(nhip.CodeInvalid, "buses", "must be between 0 and %d, got %d", MaxBuses, o.Buses)
	case o.Stations < 0 || o.Stations > MaxStations:
		return nhip.Errorf(nhip.CodeInvalid, "stations", "must be between 0 and %d, got %d", MaxStations, o.Stations)
	case o.Interval < time.Second:
		return nhip.Errorf(nhip.CodeInvalid, "interval", "must be at least 1s, got %s", nhip.FormatDuration(o.Interval))
	case o.Lead < 0 || o.Lead > MaxLead:
		return nhip.Errorf(nhip.CodeInvalid, "lead", "must be between 0 and %s, got %s", MaxLead, o.Lead)
	case o.History < 0 || o.History > nhip.LateWindow-24*time.Hour:
		return nhip.Errorf(nhip.CodeInvalid, "history", "must be between 0 and 99 days, got %s", o.History)
	}
	return nil
}

// Simulator simulates buses and air stations. Its methods must be called from one goroutine at a time.
type Simulator struct {
	opt      Options
	feed     *gtfs.Feed
	world    *world
	air      *airField
	buses    []*bus
	stations []*station

	started bool
	fixes   roundRobin // of the buses
	reports roundRobin // of the stations
	past    backlog    // of the stations
	failing bool       // the last Publish failed
}

// New returns a Simulator, which starts with the first Step. The error is an *nhip.Error with the code Invalid and the
// wrong option as its field, which is feed for a clock outside the feed's calendar.
func New(o Options) (*Simulator, error) { return newOn(o, drawFeed) }

// drawFeed draws the network and returns its timetable for a number of buses.
func drawFeed(buses int) (*gtfs.Feed, error) {
	network, err := NewStreetGraph()
	if err != nil {
		return nil, err
	}
	return network.Feed(buses)
}

// newOn is New with the simulated timetable that draw returns, unless the options have a feed.
func newOn(o Options, draw func(buses int) (*gtfs.Feed, error)) (*Simulator, error) {
	o.setDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &Simulator{opt: o, feed: o.Feed}
	if s.feed == nil {
		var err error
		if s.feed, err = draw(cmp.Or(o.Buses, DefaultBuses)); err != nil {
			return nil, err
		}
	}
	s.world = newWorld(o.Seed, s.feed, o.Feed == nil)
	s.air = &airField{seed: o.Seed, plane: newPlane(cityCenter)}
	if o.Buses > 0 {
		if err := s.world.dispatch.check(o.Clock.Now().Unix()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Feed returns the timetable that the buses drive.
func (s *Simulator) Feed() *gtfs.Feed { return s.feed }

func newWorld(seed uint64, f *gtfs.Feed, simulated bool) *world {
	w := &world{seed: seed, loc: f.Location(), plane: newPlane(f.Bounds().Center())}
	if simulated {
		w.dispatch = newLineDispatch(w, f)
	} else {
		w.dispatch = newFeedDispatch(w, f)
	}
	return w
}
