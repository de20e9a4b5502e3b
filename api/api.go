// Package api answers the city: GeoJSON and server-sent events for the app and the agency, tiles
// for maps, and the web map itself. It knows the city now only from the retained live topics, and
// the past only from the history database. openapi.yaml is its contract.
package api

import (
	"context"
	"crypto/tls"
	_ "embed" // the contract is served as it is
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/geo/zone"
	"nhip/internal/ask"
	"nhip/internal/health"
	"nhip/internal/influx"
	"nhip/internal/mqtt"

	"github.com/prometheus/client_golang/prometheus"
)

//go:embed openapi.yaml
var contract []byte

// History is the database of what was. Its errors are nhip.Unavailable when it is away.
type History interface {
	// Readings yields a station's readings, oldest first.
	Readings(ctx context.Context, q influx.ReadingQuery, yield func(nhip.Judged) error) error
	// Rollups yields hours, days or months, oldest first.
	Rollups(ctx context.Context, q influx.RollupQuery, yield func(influx.Rolled) error) error
	// Reviews returns what people have decided about a station, "" is all, in the order of that.
	Reviews(ctx context.Context, station string, until time.Time) ([]nhip.Review, error)
	// Said returns all that a station said of a quantity at one moment.
	Said(ctx context.Context, station string, quantity nhip.Quantity, at time.Time) ([]influx.Said, error)
	// Fleet yields where each vehicle was last in a span, with what it said there.
	Fleet(ctx context.Context, from, to time.Time, yield func(nhip.Position) error) error
	// Arrivals yields all arrivals, oldest first.
	Arrivals(ctx context.Context, from, to time.Time, yield func(nhip.Arrival) error) error
	// Tallies counts the rows of a device of the ledger, or of all where it is "", by hour.
	Tallies(ctx context.Context, device string, from, to time.Time) (map[influx.TallyKey]influx.Tally, error)
	// Ping tells whether the database answers.
	Ping(ctx context.Context) error
}

// Options say what an api needs.
type Options struct {
	Addr      string      // host:port; port 0 picks a free one
	TLS       *tls.Config // nil: plain
	PublicURL string      // how the outside reaches us; "" takes it from each request
	Clock     nhip.Clock
	Begin     func()       // called at live news, to set a replayed clock going; may be nil
	Broker    mqtt.Options // where the live topics are; Subscribe and Handle are the api's
	History   History
	Checks    []health.Check   // what else the process needs, where it is more than an api
	Network   *tile.Network    // what is drawn of the timetable; nil: none is loaded
	Timetable *network.Network // what buses run on; nil: none is loaded
	Map       Map
	In        http.Handler   // takes /in/… in, where the process is a gateway, too; nil: nothing is there
	Web       fs.FS          // the built web map; nil: a page that says how to build it
	Zones     *zone.Set      // areas of which the air is told; nil: none
	AirReach  float64        // how far from the nearest monitor the air is told, m; 0: air.DefaultReach
	Zone      *time.Location // whose days are told, where the fleet names none for a station; nil: UTC
	Simulated bool
	Token     string // the operator's: who has it may see the ledger and the dead letters; "" for nobody
	Logger    *slog.Logger
	Registry  interface {
		prometheus.Registerer
		prometheus.Gatherer
	}
}

// Map is what the web map starts with.
type Map struct {
	Style       string     // URL of a MapLibre style; "" draws our own ground
	PMTiles     string     // path of a base map; "" for none
	Center      [2]float64 // lon, lat, for a city that is not known yet
	Zoom        float64
	Attribution string
}

// Timings of the HTTP server.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	finishTimeout = 3 * time.Second // that a stop leaves to requests under way
)

// API is a running api.
type API struct {
	o        Options
	log      *slog.Logger
	city     *city
	drawn    atomic.Pointer[tile.Network]
	drawings atomic.Uint64 // counts networks that were drawn
	tiles    *tileCache
	palettes map[nhip.Scale]*tile.Palette
	fleets   *memo[*fleetThen]
	sky      *sky
	hub      *hub
	client   *mqtt.Client
	asker    *ask.Asker  // speaks over the same connection
	echoes   echoes      // of what people say
	board    board       // of alerts
	broker   atomic.Bool // the connection stands and is subscribed
	history  *health.Watch
	ready    *health.Readiness
	listener net.Listener // with TLS where that is configured
	inside   net.Listener // plain, for who is on this machine, where the other is not; else the same
	// questions holds a place for each question to the history that is under way.
	questions chan struct{}
	server    *http.Server

	run    context.Context // ends with Stop; nil before Start
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// New binds the address. Nothing is served before Start.
func New(o Options) (*API, error) {
	l, inside, err := listen(o)
	if err != nil {
		return nil, err
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Network == nil {
		o.Network = &tile.Network{}
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/") // paths are put behind it
	a := &API{o: o, log: o.Logger.With("component", "api"), hub: newHub(), listener: l, inside: inside, questions: make(chan struct{}, maxQuestions)}
	a.city = newCity(a.hub, o.Network)
	a.drawn.Store(o.Network)
	a.sky = newSky(&a.o, a.city)
	a.tiles, a.palettes, a.fleets = newTileCache(), newPalettes(), newMemo[*fleetThen](mostFleets, mostReading)
	a.city.sky = a.sky
	if o.Timetable != nil {
		a.city.transit.Store(newTransit(o.Timetable, o.Clock))
	}
	a.asker = ask.NewAsker(ask.AskerOptions{ID: o.Broker.ClientID, Registerer: o.Registry})
	a.history = health.NewWatch(o.History.Ping)
	a.ready = a.newReadiness()
	a.watchTimetable()
	o.Registry.MustRegister(newETAMetrics(a), newSkyMetrics(a))
	a.server = &http.Server{
		Handler: a.routes(), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug), // clients that hang up are no news
	}
	return a, nil
}

// insideAddr is where who is on this machine comes in.
const insideAddr = "127.0.0.1:0"

func listen(o Options) (l, inside net.Listener, err error) {
	if l, err = net.Listen("tcp", o.Addr); err != nil {
		return nil, nil, fmt.Errorf("can't listen for HTTP on %s: %w", o.Addr, err)
	}
	if o.TLS == nil {
		return l, l, nil
	}
	if inside, err = net.Listen("tcp", insideAddr); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("can't listen for HTTP on %s: %w", insideAddr, err), l.Close())
	}
	return tls.NewListener(l, o.TLS), inside, nil
}

// Addr returns the address that is listened on.
func (a *API) Addr() string { return a.listener.Addr().String() }

// URL returns the address as browsers write it.
func (a *API) URL() string {
	if a.o.TLS != nil {
		return "https://" + a.Addr()
	}
	return "http://" + a.Addr()
}

// InsideURL returns the address for who is on this machine: it is never behind TLS.
func (a *API) InsideURL() string { return "http://" + a.inside.Addr().String() }

// Start serves, and waits for the broker until ctx ends: until the city is gathered, what needs it
// says so. A broker that refuses us is an error at once.
func (a *API) Start(ctx context.Context) error {
	run, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.wg.Go(func() { a.history.Run(run) })
	a.wg.Go(func() { a.serve(a.listener) })
	a.run = run
	a.wg.Go(func() { a.sky.run(run) })
	if t := a.city.transit.Load(); t != nil {
		a.remember(t)
	}
	if a.inside != a.listener {
		a.wg.Go(func() { a.serve(a.inside) })
	}
	var err error
	if a.client, err = mqtt.DialPatiently(ctx, a.asker.Extend(a.ears())); err == nil {
		a.asker.Use(a.client)
	}
	return err
}

func (a *API) serve(l net.Listener) {
	if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		a.log.Error("the HTTP server ended", "error", err)
	}
}

// ears says how the api listens to the live topics.
func (a *API) ears() mqtt.Options {
	broker := a.o.Broker
	broker.Logger = a.log
	broker.Subscribe = map[string]byte{mqtt.LiveBuses: 0, mqtt.LiveAir: 0, mqtt.LiveCensus: 0, mqtt.Fleet: 0, mqtt.Arrivals: 0, mqtt.Reviews: 1, mqtt.Acks: 1, mqtt.Alerts: 1}
	broker.Handle = func(topic string, payload []byte, retained bool) {
		if !retained && a.o.Begin != nil {
			a.o.Begin()
		}
		if a.hearEvent(topic, payload) {
			return
		}
		if err := a.city.hear(topic, payload); err != nil {
			a.log.Error("a live topic holds what can't be read", "topic", topic, "error", err)
		}
	}
	broker.OnConnect = a.city.connected
	broker.OnUp = func() { a.broker.Store(true) }
	broker.OnDown = func(error) { a.broker.Store(false) }
	return broker
}

// Stop ends the streams, gives requests a moment to finish, and disconnects.
func (a *API) Stop(ctx context.Context) error {
	a.hub.close()
	moment, cancel := context.WithTimeout(ctx, finishTimeout)
	defer cancel()
	err := a.server.Shutdown(moment)
	if errors.Is(err, context.DeadlineExceeded) {
		err = a.server.Close() // a client that does not read must not hold up the rest of the house
	}
	if a.cancel == nil {
		return errors.Join(err, ignoreClosed(a.listener.Close()), ignoreClosed(a.inside.Close()))
	}
	a.cancel()
	a.sky.past.close()
	a.fleets.close()
	a.asker.Close()
	if a.client != nil {
		a.client.Close()
	}
	a.wg.Wait()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
