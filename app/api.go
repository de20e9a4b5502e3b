package app

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"nhip"
	"nhip/api"
	"nhip/api/open311"
	"nhip/api/quota"
	"nhip/api/rest"
	"nhip/api/web"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/zone"
	"nhip/internal/config"
	"nhip/internal/datadir"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/mqtt"
	"nhip/internal/sim"
)

// apiApp is an api alone, on the shared broker and database.
type apiApp struct {
	*runtime
	timetable transit
	api       *api.API
	health    *httpserver.Server
}

// API returns an api alone. It is ready when it has the city's current state.
func API(o Options) *Role {
	a := &apiApp{runtime: newRuntime(o)}
	return &Role{
		runtime:   a.runtime,
		steps:     []step{a.prepare, a.listen, a.observe, a.start, a.announce},
		addresses: a.addresses,
	}
}

func (a *apiApp) prepare(context.Context) error {
	if err := a.readBrokerCA(); err != nil {
		return err
	}
	if err := a.requireShared(); err != nil {
		return err
	}
	return a.openDataDir(datadir.API)
}

func (a *apiApp) listen(ctx context.Context) error {
	db, err := a.openSharedDatabase(ctx)
	if err != nil {
		return err
	}
	if a.timetable, err = a.loadTimetable(ctx); err != nil {
		return err
	}
	o, err := a.apiOptions(a.sharedBroker(unique("nhip-api")), db, &a.timetable)
	if err != nil {
		return err
	}
	if replayed, ok := a.clock.(*nhip.ReplayClock); ok {
		o.Begin = replayed.Begin
	}
	o.Token, o.RotateToken = a.operatorToken(), a.rotateToken
	o.Checks = []health.Check{a.damaged.Check(), a.timetable.check()}
	a.api, err = a.newAPI(o)
	return err
}

// observe serves the api's health and metrics, for those without the operator's token.
func (a *apiApp) observe(context.Context) (err error) {
	a.health, err = a.serveHealth(a.api.Readiness())
	return err
}

func (a *apiApp) start(ctx context.Context) error {
	if err := a.api.Start(ctx); err != nil {
		return err
	}
	a.watchTimetable(a.timetable, func(f *gtfs.Feed) { a.api.UseTimetable(network.New(f), transitMapOf(f)) })
	return a.awaitReady(ctx, a.api.Waiting)
}

// announce writes the api's address to the data folder, for local tools.
func (a *apiApp) announce(context.Context) error {
	a.announceAddresses(a.addresses().Local)
	return nil
}

func (a *apiApp) addresses() Addresses {
	return Addresses{
		HTTP: a.api.URL(), Health: a.health.URL(), Broker: a.conf.Broker.URL, Influx: a.conf.Influx.URL,
		Local: datadir.Addresses{HTTP: a.api.InsideURL()},
	}
}

// surfaceFile keeps what the api has learned about the surfaces of the air.
const surfaceFile = "air-surface.json"

// scoresFile keeps how right the expected times of realtime feeds were.
const scoresFile = "feed-scores.json"

// simulatedAttribution is the default attribution of a map of a simulated city.
const simulatedAttribution = "Nhịp: thành phố mô phỏng / a simulated city"

// apiOptions returns the options of an api, alone or among all roles.
func (r *runtime) apiOptions(broker mqtt.Options, history api.History, t *transit) (api.Options, error) {
	m := r.conf.Map
	if m.PMTiles != "" {
		if err := api.CheckBasemap(m.PMTiles); err != nil {
			return api.Options{}, fmt.Errorf("map.pmtiles: %w", err)
		}
	}
	zones, err := loadZones(&r.conf)
	if err != nil {
		return api.Options{}, err
	}
	if zones == nil && r.options.Simulate {
		zones = zone.New(sim.Districts())
	}
	places, err := loadPlaces(r.conf.Places)
	if err != nil {
		return api.Options{}, err
	}
	signIn, err := r.openID()
	if err != nil {
		return api.Options{}, err
	}
	attribution := m.Attribution
	if r.options.Simulate {
		attribution = cmp.Or(attribution, simulatedAttribution)
	}
	return api.Options{
		Addr: r.conf.HTTP.Listen, PublicURL: r.conf.HTTP.PublicURL, Clock: r.clock, Logger: r.log, Registry: r.registry,
		Broker: broker, History: history, Network: t.transitMap(), Timetable: t.network, Web: web.Files(),
		Agencies:     agenciesOf(&r.conf),
		OpenID:       signIn,
		Completeness: r.conf.Air.Completeness / percent, ReviewReasons: r.conf.Air.Reasons(),
		Places: places, Zones: zones, Zone: location(r.conf.Air.Zone),
		AirReach: r.conf.Air.Reach, Lean: nhip.Some(r.conf.Predict.Lean),
		ScoresFile: r.dir.Path(scoresFile), AirFile: r.dir.Path(surfaceFile), Simulated: r.options.Simulate,
		Streams: api.Streams{Max: int(r.conf.HTTP.Streams.Max), PerAddress: int(r.conf.HTTP.Streams.PerAddress)},
		Reminders: api.Reminders{
			PerAddress: int(r.conf.Reminders.PerAddress), PerKey: int(r.conf.Reminders.PerKey),
			Hosts: slices.Sorted(maps.Keys(r.conf.Reminders.Secrets())),
		},
		Reports: api.Reports{
			Limits: open311.Limits{
				PerAddress: int(r.conf.Reports.PerAddress), PerHour: int(r.conf.Reports.PerHour),
			},
			KeepContact: r.conf.Reports.KeepContact, FormSecret: r.conf.Reports.FormSecret,
		},
		Map: api.Map{
			Style: m.Style, PMTiles: m.PMTiles, Center: [2]float64(m.Center), Zoom: m.Zoom, Attribution: attribution,
		},
	}, nil
}

// newAPI makes an api, which listens and does not serve yet.
func (r *runtime) newAPI(o api.Options) (*api.API, error) {
	var err error
	if o.Server, err = r.httpOptions("api"); err != nil {
		return nil, err
	}
	o.Server.Logger = nil // New sets it
	o.HistoryPerAddress = int(r.conf.HTTP.Limits.History)
	l := r.conf.HTTP.Limits
	o.Rates = quota.Limits{Client: float64(l.ClientRate), Key: float64(l.KeyRate), Spare: float64(l.SpareRate)}
	d := r.conf.Data
	o.License = rest.License{Name: d.License, URL: d.LicenseURL, Source: d.Source}
	o.PublicMetrics = r.conf.HTTP.Metrics == config.MetricsPublic
	a, err := api.New(o)
	if err != nil {
		return nil, &ListenError{"http.listen", err}
	}
	r.cleanup.Push("the api", a.Stop)
	return a, nil
}
