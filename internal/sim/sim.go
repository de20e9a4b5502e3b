// Package sim draws a believable Hanoi: buses on streets between the city's real terminals and air
// monitors that look like the real ones, from the package's own tables. It speaks the platform's own
// JSON on the topics of devices, marked origin=simulated.
//
// Facts depend on the seed and on the clock's time only: the same start gives the same messages.
package sim

import (
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

// MaxStations is the most monitors that there can be.
const MaxStations = 10_000

// None in a count or span of Options asks for nothing where 0 asks for the default.
const None = -1

// Options say what is simulated.
type Options struct {
	// Feed is whose trips the buses drive; nil is the own city's. The clock must be within its
	// calendar.
	Feed *gtfs.Feed
	// Buses is how many vehicles there are, up to MaxBuses; 0 is DefaultBuses, None no buses. In the
	// own city all of them run at any hour; a feed's trips may need fewer.
	Buses int
	// Stations is how many monitors there are, up to MaxStations; 0 is DefaultStations, None none.
	Stations int
	// Interval is the time from fix to fix of a bus, at least a second; 0 is DefaultInterval.
	Interval time.Duration
	// History is how far back the monitors' backlog goes; 0 is DefaultHistory, None no backlog.
	History time.Duration
	// Clock tells the city's time; nil is the machine's. A clock that runs faster says so with a
	// Rate() float64, as nhip.ReplayClock does.
	Clock nhip.Clock
	// Seed makes another city out of the same tables.
	Seed uint64
	// Logger takes what goes wrong; nil is silence.
	Logger *slog.Logger
	// Publish sends one message. It may block; while it does, buses skip fixes rather than fall
	// behind. The payload is its to keep. Its errors are logged and the message is lost, as a
	// device's would be. Run needs it, Step does not.
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

// orDefault gives the default for 0 and 0 for None.
func orDefault[T int | time.Duration](v, def T) T {
	switch v {
	case 0:
		return def
	case None:
		return 0
	}
	return v
}

func (o *Options) check() error {
	switch {
	case o.Buses < 0 || o.Buses > MaxBuses:
		return nhip.Errorf(nhip.Invalid, "buses", "must be between 0 and %d, got %d", MaxBuses, o.Buses)
	case o.Stations < 0 || o.Stations > MaxStations:
		return nhip.Errorf(nhip.Invalid, "stations", "must be between 0 and %d, got %d", MaxStations, o.Stations)
	case o.Interval < time.Second:
		return nhip.Errorf(nhip.Invalid, "interval", "must be at least 1s, got %s", o.Interval)
	case o.History < 0 || o.History > nhip.LateWindow-24*time.Hour:
		return nhip.Errorf(nhip.Invalid, "history", "must be between 0 and 99 days, got %s", o.History)
	}
	return nil
}

// Simulator moves the city. Its methods are for one goroutine.
type Simulator struct {
	opt      Options
	feed     *gtfs.Feed
	world    *world
	sky      *sky
	buses    []*bus
	stations []*station

	begun   bool
	fixes   round   // of the buses
	reports round   // of the stations
	past    backlog // of the stations
	failing bool    // the last Publish failed
}

// New makes a city that begins with the first Step. The error is an *nhip.Error for the option that
// is wrong, with the code nhip.Invalid: a clock outside the feed's calendar is one of feed.
func New(o Options) (*Simulator, error) {
	o.setDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Simulator{opt: o, feed: o.Feed}
	if s.feed == nil {
		city, err := City()
		if err != nil {
			return nil, err
		}
		if s.feed, err = city.Feed(); err != nil {
			return nil, err
		}
	}
	s.world = newWorld(o.Seed, s.feed, o.Feed == nil)
	s.sky = &sky{seed: o.Seed, plane: newPlane(oldQuarter)}
	if o.Buses > 0 {
		if err := s.world.dispatch.check(o.Clock.Now().Unix()); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Feed returns the timetable that the buses drive.
func (s *Simulator) Feed() *gtfs.Feed { return s.feed }

func newWorld(seed uint64, f *gtfs.Feed, own bool) *world {
	w := &world{seed: seed, loc: f.Location(), plane: newPlane(f.Bounds().Center())}
	if own {
		w.dispatch = newCityDispatch(w, f)
	} else {
		w.dispatch = newFeedDispatch(w, f)
	}
	return w
}
