package app

import (
	"context"
	"errors"

	"nhip"
	"nhip/api"
	"nhip/collector"
	"nhip/gateway"
	"nhip/geo/gtfs"
	"nhip/geo/network"
	"nhip/internal/datadir"
	"nhip/internal/fleet"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/influx"
	"nhip/internal/influxd"
	"nhip/internal/mqtt"
)

// upApp is every role in one process.
type upApp struct {
	*runtime
	accounts   gateway.Accounts
	timetable  transit
	past       *simulatedPast // nil: none is simulated
	simulation *simulation    // nil: nothing is simulated
	gateway    *gateway.Gateway
	fleet      *fleet.Watch
	history    history
	influxd    *influxd.Server // nil: the database is elsewhere
	influxURL  string
	intake     intake
	api        *api.API
	health     *httpserver.Server
	polled     pollers
	queues     queueSources
	signIn     []SignInLink
	try        []Link
}

// history is the api's database, which is made after the api has its port and before it serves.
type history struct{ *influx.LazyDB }

// Up returns every role in one process, with an embedded broker and, unless Config.Influx.URL is set, an embedded
// database. It accepts messages before the database answers, and starts without it.
func Up(o Options) *Role {
	u := &upApp{runtime: newRuntime(o)}
	if u.conf.Public.Any() {
		u.conf.Collector.HFP = true // guests read nothing else
	}
	return &Role{
		runtime: u.runtime,
		steps: []step{
			u.prepare, u.listen, u.observe, u.makeHistory, u.startCollector, u.openHistory, u.startAPI, u.announce,
			u.startSimulation,
		},
		addresses: u.addresses,
	}
}

func (u *upApp) prepare(context.Context) error {
	if err := u.readBrokerCA(); err != nil {
		return err
	}
	if u.conf.Broker.URL != "" {
		return errors.New(
			"broker.url: nhip up has its own broker; leave it out, or start nhip gateway, collector and api apart")
	}
	if err := u.openDataDir(datadir.All); err != nil {
		return err
	}
	if err := u.markDataDir(); err != nil {
		return err
	}
	var err error
	if u.past, err = u.planPast(); err != nil {
		return err
	}
	u.writeSimulatedFleet()
	if err := u.claimParts(collectorParts...); err != nil {
		return err
	}
	u.accounts = gateway.Accounts{
		Role: fleet.NewSecret(), Own: fleet.NewSecret(), Operator: gateway.NewSecret(u.operatorToken()),
	}
	return nil
}

// listen binds every port before the database starts: a port in use must not cost the start of a database.
func (u *upApp) listen(ctx context.Context) error {
	public, err := u.publicOptions()
	if err != nil {
		return err
	}
	if u.gateway, u.fleet, err = u.newGateway(u.accounts, public); err != nil {
		return err
	}
	if err := u.makeTimetable(ctx); err != nil {
		return err
	}
	o, err := u.apiOptions(u.broker("nhip-api"), &u.history, &u.timetable)
	if err != nil {
		return err
	}
	o.Checks = append([]health.Check{
		{Name: "intake", OK: u.intake.taking, Optional: true},
		{Name: "journals", Optional: true, OK: func() bool { return u.intake.intact() && u.dir.Intact() }},
		{Name: "publishing", Optional: true, Fault: u.intake.connectionFault},
		u.polled.check(), u.queues.check(), u.timetable.check(), u.damaged.Check(), u.fleetCheck(u.fleet),
	}, storageChecks(u.intake.collector.Load)...)
	o.Token = u.accounts.Operator.String()
	o.RotateToken = func() (string, error) {
		token, err := u.rotateToken()
		if err == nil {
			u.gateway.ReplaceOperator(token)
		}
		return token, err
	}
	o.In = u.gateway.Push()
	u.api, err = u.newAPI(o)
	return err
}

// observe serves the health and the metrics of all roles, for those without the operator's token.
func (u *upApp) observe(context.Context) (err error) {
	u.health, err = u.serveHealth(u.api.Readiness())
	return err
}

// publicOptions returns the listeners for guests.
func (u *upApp) publicOptions() (gateway.PublicOptions, error) {
	p := u.conf.Public
	o := gateway.PublicOptions{WebSocket: p.Listen, MQTT: p.MQTT, MQTTS: p.MQTTS, Anonymous: p.Anonymous}
	var err error
	if o.TLS, err = u.httpTLS(); err != nil {
		return o, err
	}
	o.Proxies, err = u.proxies()
	return o, err
}

// makeTimetable loads the configured timetable, or makes that of a simulated city. Without either the map shows
// positions only.
func (u *upApp) makeTimetable(ctx context.Context) error {
	var err error
	if u.timetable, err = u.loadTimetable(ctx); err != nil || !u.options.Simulate {
		return err
	}
	u.simulation, err = u.newSimulation(&u.timetable, u.past)
	return err
}

// gatewayName is the name of the gateway of nhip up.
const gatewayName = "nhip-gateway"

// broker returns the options of a role's connection to the embedded broker.
func (u *upApp) broker(id string) mqtt.Options {
	return mqtt.Options{URL: u.gateway.InsideURL(), ClientID: id, Username: id, Password: u.accounts.Role}
}

// makeHistory starts the embedded database and does not wait for it.
func (u *upApp) makeHistory(context.Context) error {
	o, child, err := u.embeddedDatabase()
	if err != nil {
		return err
	}
	u.influxd, u.influxURL = child, o.URL
	if u.history.LazyDB, err = influx.NewLazy(o); err != nil {
		return err
	}
	u.cleanup.Push("the database client", func(context.Context) error { u.history.Close(); return nil })
	return nil
}

// openHistory opens the database, now or as soon as it answers. Only a database elsewhere that rejects the
// configuration at once ends the start.
func (u *upApp) openHistory(ctx context.Context) error {
	if u.influxd != nil {
		u.history.OpenAfter(u.influxd.Await)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, databaseWait)
	defer cancel()
	return u.history.Open(ctx)
}

// startCollector accepts messages in every way, and starts the collector. Devices may publish before the collector is
// connected to the broker. If the disk keeps the collector from opening its journals, they are refused until it has.
func (u *upApp) startCollector(ctx context.Context) error {
	u.intake.start, u.intake.log = u.openCollector, u.log
	opened, err := u.intake.open()
	if err != nil {
		return err
	}
	u.cleanup.Push("the collector", u.intake.stop)
	u.cleanup.Push("the intake", u.gateway.StopAccepting)
	u.startDeviceStates(u.gateway, u.fleet, gatewayName, u.broker("nhip-devices"))
	if err := u.gateway.Start(&u.intake); err != nil {
		return err
	}
	u.followFleetChanges(u.fleet, u.broker("nhip-device-changes"))
	if opened {
		dial, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		if err := u.intake.collector.Load().Start(dial); err != nil {
			return err
		}
	} else {
		u.run("opening the collector", u.intake.openLater)
	}
	if err := u.startIntakes(&u.intake, &u.polled); err != nil {
		return err
	}
	return u.startSources(&u.intake, gateway.MaxMessage, &u.queues)
}

func (u *upApp) openCollector() (*collector.Collector, error) {
	return u.newCollector(u.collectorOptions(u.broker("nhip-collector"), u.history.LazyDB, u.timetable.network))
}

// startAPI starts the api and gives it a moment to receive the city's state. It is not needed to start: /readyz names
// what is missing.
func (u *upApp) startAPI(ctx context.Context) error {
	dial, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := u.api.Start(dial); err != nil {
		return err
	}
	if u.simulation == nil { // the simulator keeps the timetable that it started with
		u.watchTimetable(u.timetable, u.useTimetable)
	}
	if u.intake.collector.Load() == nil {
		return nil // there is no state without a collector
	}
	ready, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := u.awaitReady(ready, u.api.Waiting); err != nil && ctx.Err() == nil {
		u.log.Warn("started without all parts", "error", err)
	}
	return ctx.Err()
}

func (u *upApp) useTimetable(f *gtfs.Feed) {
	n := network.New(f)
	if c := u.intake.collector.Load(); c != nil {
		u.trackOn(c, n)
	}
	u.api.UseTimetable(n, transitMapOf(f))
}

// announce writes the addresses to the data folder, for local tools.
func (u *upApp) announce(context.Context) error {
	u.announceAddresses(u.addresses().Local)
	return nil
}

func (u *upApp) addresses() Addresses {
	return Addresses{
		HTTP: u.api.URL(), Health: u.health.URL(), MQTT: u.gateway.URL(), Influx: u.influxURL,
		Public: u.gateway.PublicURL(), PublicMQTT: u.gateway.PublicMQTT(), PublicMQTTS: u.gateway.PublicMQTTS(),
		SignIn: u.signIn, Try: u.try,
		Local: datadir.Addresses{HTTP: u.api.InsideURL(), MQTT: u.gateway.InsideURL(), Influx: u.influxURL},
	}
}

// startSimulation connects the simulated devices to the broker, as devices of the operator.
func (u *upApp) startSimulation(ctx context.Context) error {
	if u.simulation == nil {
		return nil
	}
	err := u.simulation.start(ctx, mqtt.Options{
		URL: u.gateway.InsideURL(), ClientID: "nhip-simulator", Username: "simulator",
		Password: u.accounts.Own, Logger: u.log,
	})
	if err != nil {
		return err
	}
	u.cleanup.Push("the simulator", u.simulation.stop)
	u.makeSignInLinks()
	u.try = u.tries()
	if u.past != nil && u.past.fresh {
		u.run("the simulated service alert", u.writeSimulatedAlert)
	}
	return nil
}

// makeSignInLinks makes an address for each role of staff that signs a browser in once: a simulated city has no staff.
func (u *upApp) makeSignInLinks() {
	for _, role := range nhip.Roles {
		if role.Staff() {
			u.signIn = append(u.signIn, SignInLink{role, u.api.SignInLink(role)})
		}
	}
}
