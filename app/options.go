package app

import (
	"log/slog"
	"time"

	"nhip"
	"nhip/internal/config"
	"nhip/internal/datadir"
)

// Options configures a role. The zero Options is valid for Up; the other roles need Config.Broker.URL and, except for
// a gateway, Config.Influx.URL.
type Options struct {
	// Config is the configuration, without faults: see LoadConfig. The default is config.Default.
	Config *config.Config

	// DataDir is the folder of everything that the role keeps. The default is datadir.Default. One process with all
	// roles has the folder to itself; a gateway, a collector and an api may share one.
	DataDir string

	// Clock is the city's time; a gateway alone always uses the wall clock. The default is nhip.WallClock. The first
	// device message starts a nhip.ReplayClock.
	Clock nhip.Clock

	// Logger receives the logs of all parts. The default discards them.
	Logger *slog.Logger

	// Simulate makes Up simulate a city, makes Collector accept simulated facts, and makes API mark the map as
	// simulated. Simulated and real facts never share a data folder.
	Simulate bool

	// Buses is how many buses Up simulates: sim.None for none. The default is sim.DefaultBuses.
	Buses int

	// Past is how much of the past Up simulates in a new data folder, up to MaxPast: the buses', beside the present, and
	// the stations'. 0 is none of the buses, and a day of the stations.
	Past time.Duration

	// Influxd is the program of the database that Up starts when Config.Influx.URL is empty. The default is influxd
	// in the folder of the running program.
	Influxd string
}

// SignInLink is an address that signs a browser in once.
type SignInLink struct {
	Role nhip.Role
	URL  string
}

// Link is an address with what it shows.
type Link struct{ Text, URL string }

// withDefaults returns o with its defaults filled in.
func (o Options) withDefaults() Options {
	if o.Config == nil {
		conf := config.Default()
		o.Config = &conf
	}
	if o.DataDir == "" {
		o.DataDir = datadir.Default
	}
	if o.Clock == nil {
		o.Clock = nhip.WallClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Addresses are the URLs of a started role. A URL that the role does not have is empty.
type Addresses struct {
	HTTP   string // API and web map
	MQTT   string // broker for devices
	Push   string // HTTP listener for devices, of a gateway alone
	Public string // MQTT over WebSocket for guests

	PublicMQTT  string // MQTT over TCP for guests
	PublicMQTTS string // MQTT over TLS for guests

	Health string // /livez, /readyz and /metrics, of a role without an API
	Broker string // the outside broker that the roles share
	Influx string // the database

	// Try are things to try in a simulated city.
	Try []Link

	// SignIn are the links of a simulated city that sign a browser in, one for each role; each works once.
	SignIn []SignInLink

	// Local has the addresses for tools on this machine, which are never behind TLS.
	Local datadir.Addresses
}
