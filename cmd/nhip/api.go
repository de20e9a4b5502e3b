package main

import (
	"fmt"

	"nhip"
	"nhip/api"
	"nhip/api/web"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/geo/tile"
	"nhip/internal/config"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
	"nhip/internal/mqtt"
)

// apiCmd is nhip api.
type apiCmd struct {
	apartFlags

	HTTP     string `help:"Address of the API and the map; port 0 picks a free one (http.listen)." placeholder:"HOST:PORT"`
	GTFS     string `help:"Timetable to draw (gtfs); a path or an address, several with commas between." placeholder:"ZIP"`
	DataDir  string `help:"Folder in which local tools look for the address." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	Config   string `help:"Configuration file (YAML)." type:"path" placeholder:"FILE"`
	Clock    string `help:"Start the city's clock at T with the first live message and run it N times as fast." placeholder:"T[*N]"`
	Simulate bool   `help:"Say on the map that the city is simulated."`
}

func (c *apiCmd) flags() []config.Flag {
	return append(c.apartFlags.flags(),
		config.Flag{Name: "--http", Key: "http.listen", Value: c.HTTP},
		config.Flag{Name: "--gtfs", Key: "gtfs", Value: c.GTFS})
}

// front is a running nhip api.
type front struct {
	*process
	cmd *apiCmd
	api *api.API
}

// Run answers questions about the city.
func (c *apiCmd) Run(e *env) error {
	f := &front{process: newProcess(e), cmd: c}
	return f.live(f.prepare, f.start, f.announce)
}

func (f *front) prepare() error {
	if err := f.configure(f.cmd.Config, f.cmd.flags(), f.cmd.Clock); err != nil {
		return err
	}
	if err := f.needShared(); err != nil {
		return err
	}
	return f.openDataDir(f.cmd.DataDir, datadir.API)
}

func (f *front) start() error {
	db, err := f.openHistory()
	if err != nil {
		return err
	}
	feed, err := f.timetable()
	if err != nil {
		return err
	}
	var drawn *tile.Network
	if feed != nil {
		drawn, f.followed = drawing(feed), network.New(feed)
	}
	o, err := f.apiOptions(f.outside(unique("nhip-api")), db, drawn, f.cmd.Simulate)
	if err != nil {
		return err
	}
	if replayed, ok := f.clock.(*nhip.ReplayClock); ok {
		o.Begin = replayed.Begin
	}
	if o.Token, err = f.dir.Token(fleet.NewSecret); err != nil {
		return err
	}
	if f.api, err = f.newAPI(o); err != nil {
		return err
	}
	if err := f.api.Start(f.ctx); err != nil {
		return err
	}
	f.watchTimetable(func(feed *gtfs.Feed) { f.api.UseTimetable(network.New(feed), drawing(feed)) })
	return f.awaitReady(f.ctx, f.api.Waiting)
}

func (f *front) announce() error {
	if err := f.dir.Announce(datadir.Addresses{HTTP: f.api.InsideURL()}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(f.stdout, "ready http=%s broker=%s influx=%s\nmap   %s/\n", f.api.URL(), f.conf.Broker.URL, f.conf.Influx.URL, f.api.URL())
	return err
}

// apiOptions are those of an api, wherever it runs.
func (p *process) apiOptions(broker mqtt.Options, history api.History, drawn *tile.Network, simulated bool) (api.Options, error) {
	m := p.conf.Map
	if m.PMTiles != "" {
		if err := api.CheckBasemap(m.PMTiles); err != nil {
			return api.Options{}, fmt.Errorf("map.pmtiles: %w", err)
		}
	}
	zones, err := readZones(&p.conf)
	if err != nil {
		return api.Options{}, err
	}
	return api.Options{
		Zones: zones, AirReach: p.conf.Air.Reach,
		Addr: p.conf.HTTP.Listen, PublicURL: p.conf.HTTP.PublicURL, Clock: p.clock, Broker: broker, History: history,
		Network: drawn, Timetable: p.followed, Web: web.Files(), Simulated: simulated, Zone: location(p.conf.Air.Zone), Logger: p.log, Registry: p.registry,
		Map: api.Map{Style: m.Style, PMTiles: m.PMTiles, Center: [2]float64(m.Center), Zoom: m.Zoom, Attribution: p.attribution(simulated)},
	}, nil
}

// newAPI binds an api's port.
func (p *process) newAPI(o api.Options) (*api.API, error) {
	var err error
	if o.TLS, err = p.httpTLS(); err != nil {
		return nil, err
	}
	a, err := api.New(o)
	if err != nil {
		return nil, hint(err, "--http")
	}
	p.cleanup.Push("the api", a.Stop)
	return a, nil
}
