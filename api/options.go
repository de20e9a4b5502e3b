package api

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"nhip"
	"nhip/api/accounts"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/open311"
	"nhip/api/quota"
	"nhip/api/records"
	"nhip/api/rest"
	"nhip/api/sta"
	"nhip/api/staff"
	"nhip/api/tides"
	"nhip/api/transit"
	"nhip/api/webmap"
	"nhip/geo/network"
	"nhip/geo/place"
	"nhip/geo/tile"
	"nhip/geo/zone"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/influx"
	"nhip/internal/mqtt"
	"nhip/internal/openid"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure an API.
type Options struct {
	Addr      string             // host:port; port 0 picks a free one
	Server    httpserver.Options // TLS, limits; New sets the handler, the logger and the registry
	PublicURL string             // address as clients reach it; "" takes it from each request
	Clock     nhip.Clock
	Begin     func()       // called before live messages, to start a replayed clock; may be nil
	Broker    mqtt.Options // New overwrites the subscriptions and callbacks
	History   History
	Checks    []health.Check    // of other parts of the process
	Network   *tile.TransitMap  // drawing of the timetable; nil if none is loaded
	Timetable *network.Network  // nil if none is loaded
	Lean      nhip.Opt[float64] // see transit.Options
	// ScoresFile is where the scores of realtime feeds are kept; see transit.Options
	ScoresFile string
	Map        Map
	In         http.Handler // serves /in/{format}/{device} if the process is a gateway, too; may be nil
	Web        fs.FS        // the built web map; nil serves a page with build instructions
	// Completeness is the least share of values that makes a mean complete, 0 to 1, as the collector has it; 0 is
	// rollup.DefaultCompleteness
	Completeness  float64
	ReviewReasons []nhip.LocalizedText // that staff may choose from
	Places        []place.Place        // that a search finds, beside the zones
	Zones         *zone.Set            // areas for which the air is computed; nil is none
	// distance from the nearest monitor up to which the air is estimated, m; 0 is air.DefaultReach
	AirReach  float64
	AirFile   string         // see air.Options.File
	Zone      *time.Location // of stations without a zone in the fleet; nil is UTC
	Simulated bool           // whether the data are simulated, which the web map shows
	Token     string         // the operator's token; "" allows nobody
	OpenID    *openid.Client // signs staff in at an issuer; nil: they have keys only
	Agencies  []string       // of the feeds; scopes may name them, and those of the buses
	Streams   Streams        // bounds of the live streams
	Reports   Reports        // reports of citizens
	Reminders Reminders      // of riders

	// RotateToken makes a new operator's token, writes it to its file and returns it; nil: there is no file.
	RotateToken func() (string, error)

	PublicMetrics     bool // /metrics needs no token
	HistoryPerAddress int  // queries of the history of one address at a time; 0 is no limit

	Rates   quota.Limits // of requests; zero is no limit
	License rest.License // of the data

	Logger   *slog.Logger
	Registry interface {
		prometheus.Registerer
		prometheus.Gatherer
	}

	airInterval time.Duration // see air.Options.Interval
}

// Streams bounds the live streams that are open at a time; 0 is no limit.
type Streams struct {
	Max        int // in all
	PerAddress int // from one IPv4 address or one /64 of IPv6
}

// Reports configures the reports of citizens.
type Reports struct {
	Limits      open311.Limits
	KeepContact time.Duration // how long what names a sender is kept after the report; 0: for ever
	FormSecret  string        // signs the tokens of the form; "" is a random one
}

// Reminders configures the reminders of riders. The tokens of pages are signed by Reports.FormSecret.
type Reminders struct {
	PerAddress, PerKey int      // see reminders.Limits
	Hosts              []string // of web hooks
}

// Map is the configuration of the web map.
type Map = webmap.Config

// CheckBasemap returns an error if a file is not a base map that the api can serve.
func CheckBasemap(path string) error { return webmap.CheckBasemap(path) }

// History is the history database. While it does not answer, errors have nhip.CodeUnavailable.
type History interface {
	live.History
	transit.History
	records.History
	tides.History
	staff.History
	sta.History
	catalog.History
	accounts.History
	// Ping returns an error if the database does not answer.
	Ping(ctx context.Context) error
}

// airHistory adapts a History to air.History.
type airHistory struct{ History }

// HourlyRollups implements air.History.
func (h airHistory) HourlyRollups(ctx context.Context, from, to time.Time, yield func(*nhip.Rollup) error) error {
	q := influx.RollupQuery{Period: nhip.PeriodHour, Quality: nhip.QualityReviewed, From: from, To: to, Brief: true}
	return h.Rollups(ctx, q, func(r influx.RollupRow) error { return yield(&r.Rollup) })
}

// StationReadings implements air.History.
func (h airHistory) StationReadings(ctx context.Context, station string, from, to time.Time,
	yield func(*nhip.AssessedReading) error,
) error {
	q := influx.ReadingQuery{Station: station, From: from, To: to}
	return h.Readings(ctx, q, func(r nhip.AssessedReading) error { return yield(&r) })
}
