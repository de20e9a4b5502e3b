// Package api serves buses, stations and air quality over HTTP: GeoJSON and server-sent events for the app and the
// agency, layers and tiles for map programs, and the web map. It receives the current state from the retained live
// topics and reads the past from the history database. openapi.yaml is its contract.
//
// This package only wires the packages below it: surfaces such as v1, the models live, transit and air, and what all
// surfaces share, such as rest.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/actions"
	"nhip/api/air"
	"nhip/api/catalog"
	"nhip/api/live"
	"nhip/api/open311"
	"nhip/api/reminders"
	"nhip/api/reports"
	"nhip/api/rest"
	"nhip/api/sta"
	"nhip/api/staff"
	"nhip/api/stream"
	"nhip/api/tiles"
	"nhip/api/transit"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/mqtt"
	"nhip/internal/recovery"
	"nhip/internal/rpc"
	"nhip/internal/task"

	"github.com/go-chi/chi/v5"
)

// stopTimeout is how long running requests may take when the api stops.
const stopTimeout = 3 * time.Second

// API is an api. Its life is New, Start, Stop.
type API struct {
	o         Options
	log       *slog.Logger
	guard     *recovery.Guard
	transit   *transit.Model
	live      *live.State
	air       *air.Model
	stations  *catalog.Catalog
	series    *sta.Series
	hub       *stream.Hub
	token     *access.Token
	keyring   *access.Keyring
	links     *access.Links
	actions   *actions.Client
	documents *actions.Documents
	reports   *reports.State
	reminders *reminders.Book
	stopOnce  sync.Once
	closing   chan struct{} // closed by Stop: ends the streams of reports
	events    *staff.Events
	tiles     *tiles.Cache
	responder rest.Responder
	classes   *rest.Admission

	broker     atomic.Bool                 // connected and subscribed
	client     atomic.Pointer[mqtt.Client] // nil before Start has connected
	rpc        *rpc.Client                 // uses client
	history    *health.Watch
	collectors *collectorWatch
	ready      *health.Readiness
	listener   net.Listener // with TLS if configured
	inside     net.Listener // without TLS, for local clients; the same as listener without TLS
	server     *http.Server
	tasks      *task.Group
}

// New listens on the address but serves nothing before Start. The errors are those of listening.
func New(o Options) (*API, error) {
	o.Server.Work, o.Server.Overload = httpserver.NewWorkSlots(), newOverload()
	o.Server.Name, o.Server.Logger, o.Server.Registry = "api", o.Logger.With("component", "api"), o.Registry
	listener, inside, err := listen(o)
	if err != nil {
		return nil, err
	}
	a := &API{
		o: o, log: o.Logger.With("component", "api"), listener: listener, inside: inside, tasks: task.NewGroup(),
		tiles: tiles.NewCache(), history: health.NewWatch(o.History.Ping),
	}
	a.guard = recovery.NewGuard(o.Registry, a.log)
	a.responder = rest.Responder{Logger: a.log, PublicURL: o.PublicURL, Ready: a.stateReady}
	a.transit = transit.New(transit.Options{
		Clock: o.Clock, History: o.History, Network: o.Timetable, Map: o.Network, Lean: o.Lean, ScoresFile: o.ScoresFile,
		Logger: a.log,
	})
	a.live = live.New(live.Options{
		Clock: o.Clock, History: o.History, LineOf: a.transit.Line, Zone: o.Zone, Logger: a.log,
	})
	a.stations = catalog.New(a.live, o.History, a.log)
	a.series = sta.NewSeries(o.History)
	a.air = air.New(air.Options{
		Clock: o.Clock, State: a.live, History: airHistory{o.History}, Zones: o.Zones, Reach: o.AirReach, File: o.AirFile,
		Interval: o.airInterval, Logger: a.log,
	})
	streams := stream.Options{
		Clock: o.Clock, MaxStreams: o.Streams.Max, PerAddress: o.Streams.PerAddress, Registerer: o.Registry,
		Guard: a.guard, Watch: a.watch(),
	}
	a.hub = stream.NewHub(streams)
	for _, observer := range []live.Observer{a.transit, a.air, a.hub} {
		a.live.Observe(observer)
	}
	a.actions, a.documents = actions.NewClient(a.publish, o.Clock, a.log), actions.NewDocuments()
	a.token, a.links = access.NewToken(o.Token), access.NewLinks()
	a.keyring = access.NewKeyring(o.Clock, zonesNow{o.Zones, o.Clock}, a.documents.Complete, a.log)
	for _, kind := range []string{nhip.DocumentKey, nhip.DocumentKeyUse, nhip.DocumentSession} {
		a.documents.Watch(kind, a.keyring.Update)
	}
	a.reports, a.closing = reports.NewState(), make(chan struct{})
	open311.Follow(a.documents, a.reports, a.log)
	a.reminders = reminders.Follow(a.documents, a.log)
	a.documents.Watch(nhip.DocumentServiceAlert, a.transit.Written)
	a.events = staff.NewEvents(a.actions, a.log)
	a.rpc = rpc.NewClient(rpc.ClientOptions{ID: o.Broker.ClientID, Registerer: o.Registry})
	a.collectors = newCollectorWatch(a.live.Collectors, a.broker.Load, a.rpc)
	a.ready = a.newReadiness()
	a.registerMetrics()
	var router chi.Router
	o.Server.Handler, router = a.router()
	a.server = httpserver.New(o.Server)
	a.server.Handler = routed{a.server.Handler, router}
	return a, nil
}

// routed is a handler that tells its routes, which a test compares with the contract.
type routed struct {
	http.Handler
	routes
}

type routes interface{ chi.Routes } // its name must differ from that of a method

// insideAddr is the address for local clients.
const insideAddr = "127.0.0.1:0"

func listen(o Options) (listener, inside net.Listener, err error) {
	if listener, err = net.Listen("tcp", o.Addr); err != nil {
		return nil, nil, fmt.Errorf("can't listen for HTTP on %s: %w", o.Addr, err)
	}
	if o.Server.TLS == nil {
		listener = o.Server.Listener(listener)
		return listener, listener, nil
	}
	if inside, err = net.Listen("tcp", insideAddr); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("can't listen for HTTP on %s: %w", insideAddr, err), listener.Close())
	}
	local := o.Server
	local.Name, local.TLS = "inside", nil // with limits of its own: strangers must not lock out local tools
	return o.Server.Listener(listener), local.Listener(inside), nil
}

// Addr returns the address that the api listens on.
func (a *API) Addr() string { return a.listener.Addr().String() }

// URL returns the address as an http or https URL.
func (a *API) URL() string {
	if a.o.Server.TLS != nil {
		return "https://" + a.Addr()
	}
	return "http://" + a.Addr()
}

// InsideURL returns the address for local clients, which never uses TLS.
func (a *API) InsideURL() string { return "http://" + a.inside.Addr().String() }

// Start serves, and connects to the broker. It retries until ctx ends, but returns an error at once if the broker
// rejects the connection. Until the live state is complete, requests that need it get 503.
func (a *API) Start(ctx context.Context) error {
	a.tasks.Go("history watch", func(ctx context.Context) error { return a.history.Run(ctx) })
	a.tasks.Go("server", func(context.Context) error { return a.serve(a.listener) })
	if a.inside != a.listener {
		a.tasks.Go("inside server", func(context.Context) error { return a.serve(a.inside) })
	}
	a.tasks.Go("collector watch", a.collectors.run)
	uses := keyUses{a.keyring, a.documents, a.actions, a.log}
	a.tasks.Go("uses of keys", uses.run)
	a.tasks.Go("live streams", a.hub.Run)
	a.tasks.Go("air training", a.air.Run)
	a.tasks.Go("arrival training", a.transit.Train)
	a.tasks.Go("scores of realtime feeds", a.transit.KeepScores)
	a.tasks.Go("report retention", a.reportRetention().Run)
	client, err := mqtt.DialRetry(ctx, a.rpc.Extend(a.brokerOptions()))
	if err != nil {
		return err
	}
	a.client.Store(client)
	a.rpc.Use(client)
	return nil
}

// reportRetention returns the deletion of what is no longer needed of the reports.
func (a *API) reportRetention() *open311.Retention {
	return &open311.Retention{
		Reports: a.reports, Store: open311.Documents{Actions: a.actions}, Clock: a.o.Clock,
		KeepContact: a.o.Reports.KeepContact,
		Ready:       func() bool { return a.reportsReady() && a.receiving() },
		Failed: func(report string, err error) {
			a.log.Warn("can't delete outdated data of a report; it is tried again", "report", report, "error", err)
		},
	}
}

func (a *API) serve(l net.Listener) error {
	err := a.server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	a.log.Error("HTTP server failed", "error", err)
	return err
}

// UseTimetable replaces the timetable. It must be called between Start and Stop.
func (a *API) UseTimetable(n *network.Network, drawn *tile.TransitMap) {
	a.transit.Use(n, drawn, a.live.Buses())
	a.tasks.Go("arrival training", a.transit.Train)
}

// Stop ends the streams, waits up to 3 s for running requests, and disconnects.
func (a *API) Stop(ctx context.Context) error {
	a.hub.Close()
	a.events.Close()
	a.stopOnce.Do(func() { close(a.closing) })
	grace, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := a.server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = a.server.Close() // a client that does not read must not delay the stop
	}
	a.tasks.Cancel()
	a.air.Close()
	a.stations.Close()
	a.series.Close()
	a.live.Close()
	a.rpc.Close()
	if client := a.client.Load(); client != nil {
		client.Close()
	}
	return errors.Join(err, ignoreClosed(a.listener.Close()), ignoreClosed(a.inside.Close()),
		a.tasks.Stop(context.WithoutCancel(ctx)))
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// SignInLink returns an address that signs a browser in once, with a role. It must be called after Start.
func (a *API) SignInLink(role nhip.Role) string {
	base := a.o.PublicURL
	if base == "" {
		base = a.URL()
	}
	return strings.TrimSuffix(base, "/") + "/sign-in/" + a.links.New(role, a.o.Clock.Now())
}
