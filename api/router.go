package api

import (
	"bytes"
	_ "embed" // of the contract
	"net/http"
	"strings"

	"nhip"
	"nhip/api/access"
	"nhip/api/accounts"
	"nhip/api/cap"
	"nhip/api/docs"
	"nhip/api/edr"
	"nhip/api/geojson"
	"nhip/api/gtfsrt"
	"nhip/api/oba"
	"nhip/api/ogc"
	"nhip/api/open311"
	"nhip/api/places"
	"nhip/api/quota"
	"nhip/api/records"
	"nhip/api/reminders"
	"nhip/api/rest"
	"nhip/api/servicealerts"
	"nhip/api/siri"
	"nhip/api/sta"
	"nhip/api/staff"
	"nhip/api/stream"
	"nhip/api/tides"
	"nhip/api/tiles"
	"nhip/api/v1"
	"nhip/api/webmap"
	"nhip/internal/capdoc"
	"nhip/internal/health"
	"nhip/internal/httpserver"
	"nhip/internal/problem"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

//go:embed openapi.yaml
var contract []byte

// vietnameseTexts are those of the contract.
//
//go:embed openapi.vi.yaml
var vietnameseTexts []byte

// Contract returns a copy of api/openapi.yaml.
func Contract() []byte { return bytes.Clone(contract) }

// compressLevel is the gzip level of answers that are built for each request.
const compressLevel = 5

// compressed are the media types that are compressed for each request. Tiles are cached in compressed form instead.
var compressed = []string{
	geojson.ContentType, edr.ContentType, rest.FormatJSON, problem.ContentType, rest.FormatCSV, "application/yaml",
	"application/vnd.oai.openapi+json",
	capdoc.ContentType, cap.FeedType, "text/xml", "text/html", "text/css", "text/javascript", "image/svg+xml",
}

// router returns the handler of all surfaces, and the routes behind it.
func (a *API) router() (http.Handler, chi.Router) {
	p, o, slots := a.responder, &a.o, rest.NewQuerySlots()
	a.classes = rest.NewAdmission(o.HistoryPerAddress, o.Server.Overload.Backoff, o.Registry)
	classes, limit := a.classes, rest.NewRateLimit(o.Rates, o.Registry)
	limit.ChargeDraws(classes.Tile)
	guard := access.NewGuard(a.token, a.keyring, a.log, o.Registry)
	o.Map.Files, o.Map.Simulated, o.Map.AirReach = o.Web, o.Simulated, a.air.Reach()
	o.Map.Zone, o.Map.License = o.Zone, o.License
	web := &webmap.Handler{
		Config: o.Map, Transit: a.transit, Air: a.air, Live: a.live, Clock: o.Clock, Responder: p,
	}
	now := &v1.Handler{
		Transit: a.transit, Air: a.air, Live: a.live, Stations: a.stations, Clock: o.Clock,
		Places: places.New(o.Places, o.Zones, a.live), Responder: p,
	}
	inPages := chi.NewRouter() // the answers that pages hold
	now.Routes(inPages)
	web.TileRoutes(inPages)
	web.API = inPages

	environment := &edr.Handler{
		Air: a.air, Live: a.live, Stations: a.stations, History: o.History, Slots: slots, Clock: o.Clock,
		Contract: edr.CutContract(contract), Responder: p,
	}

	r := chi.NewRouter()
	seconds := a.durations()
	r.Use(a.measure(seconds), a.recover, allowOrigins(r), middleware.GetHead, p.Authenticate(guard))
	r.NotFound(limit.Charge(quota.Cheap, nil)(http.HandlerFunc(p.NotFound)).ServeHTTP)
	r.MethodNotAllowed(methodNotAllowed(r))
	r.Get("/livez", health.Live)
	r.Method(http.MethodGet, "/readyz", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.ready.ServeHTTP(w, r)
	}))
	metrics := promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{})
	if !o.PublicMetrics {
		metrics = p.RequireWhole(nhip.MayReadLedger)(metrics)
	}
	r.Method(http.MethodGet, "/metrics", metrics)
	zipped := middleware.Compress(compressLevel, compressed...)
	things := &sta.Handler{
		History: o.History, Live: a.live, Stations: a.stations, Series: a.series, Clock: o.Clock, Class: classes.History,
		Slots: slots, Responder: p,
	}
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, classes.List), classes.List.Admit, o.License.Announce, zipped)
		now.Routes(r)
		(&ogc.Handler{
			Transit: a.transit, Air: a.air, Live: a.live, Clock: o.Clock, Contract: ogc.CutContract(contract), Responder: p,
		}).Routes(r)
		environment.Routes(r)
		things.RootRoutes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.History, classes.History), classes.History.Admit, o.License.Announce, zipped)
		environment.DataRoutes(r)
	})
	open, keyed := a.newReports(guard), rest.KeyParameter("key", a.keyring)
	where := &oba.Handler{
		Transit: a.transit, Live: a.live, Clock: o.Clock, Problems: open, Kept: oba.NewKept(o.Registry), Responder: p,
	}
	r.Group(func(r chi.Router) {
		r.Use(keyed, limit.Charge(quota.List, classes.List), classes.List.Admit, o.License.Announce)
		(&gtfsrt.Handler{Transit: a.transit, Live: a.live, Clock: o.Clock, Responder: p}).Routes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(keyed, limit.Charge(quota.List, classes.List), classes.List.Admit, o.License.Announce, zipped)
		where.Routes(r)
		(&siri.Handler{Transit: a.transit, Live: a.live, Clock: o.Clock, Responder: p}).Routes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(keyed, limit.Charge(quota.Write, nil))
		where.ReportRoutes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.History, classes.History), o.License.Announce, zipped)
		exports := rest.NewExportSlots()
		(&records.Handler{
			History: o.History, Live: a.live, Clock: o.Clock, Class: classes.History, Slots: slots, Stations: a.stations,
			Exports: exports, License: o.License, Responder: p,
		}).Routes(r)
		(&tides.Handler{
			History: o.History, Live: a.live, Transit: a.transit, Stations: a.stations, Clock: o.Clock,
			Class: classes.History, Slots: slots, Exports: exports, License: o.License, Responder: p,
		}).Routes(r)
		things.Routes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.Cheap, classes.Cheap), classes.Cheap.Admit)
		things.WriteRoutes(r)
	})
	routes := r
	r.Group(func(r chi.Router) {
		r.Use(othersFirst(routes), limit.Charge(quota.Cheap, classes.Cheap), classes.Cheap.Admit, plainRanges, zipped)
		web.Routes(r)
		docs.New(contract, vietnameseTexts, p).Routes(r)
	})
	remind := a.newReminders()
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, classes.List), classes.List.Admit, zipped)
		web.PageRoutes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.Stream, classes.Stream), classes.Stream.Admit)
		(&stream.Handler{Hub: a.hub, Address: httpserver.ClientAddr, Responder: p}).Routes(r)
		remind.StreamRoutes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, classes.List), classes.List.Admit, zipped)
		open.Routes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.History, classes.History), classes.History.Admit)
		open.PhotoRoutes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, nil))
		open.WorkRoutes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, classes.List), classes.List.Admit)
		remind.Routes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, nil))
		remind.WorkRoutes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, nil))
		collectors := staff.Collectors{Live: a.live, RPC: a.rpc}
		(&staff.Handler{
			History: o.History, Stations: a.stations, Collectors: collectors,
			Gateways: staff.Gateways{Names: a.live.Gateways, RPC: a.rpc},
			Fleet:    staff.Fleet{Actions: a.actions, Documents: a.documents},
			Events:   a.events, Clock: o.Clock, Slots: slots, Completeness: o.Completeness,
			Decided: new(staff.Decided), Reasons: o.ReviewReasons,
			Responder: p,
		}).Routes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, nil))
		loaded := p
		loaded.Ready = a.reportsReady
		(&servicealerts.Handler{Transit: a.transit, Actions: a.actions, Clock: o.Clock, Responder: loaded}).Routes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, classes.List), classes.List.Admit, zipped)
		(&cap.Handler{
			Alerts: a.events, Stations: a.stations, Zones: o.Zones, Clock: o.Clock, Zone: o.Zone, Source: o.License.Source,
			Simulated: o.Simulated, Responder: p,
		}).Routes(r)
	})
	people := a.accounts(guard)
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.List, nil))
		people.Routes(r)
	})
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.Cheap, classes.Cheap), classes.Cheap.Admit)
		people.SessionRoutes(r)
	})
	if o.In != nil {
		r.Method(http.MethodPost, "/in/{format}/{device}", o.In)
	}
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.Cheap, classes.Cheap), classes.Cheap.Admit)
		web.TileRoutes(r)
	})
	t := &tiles.Handler{
		Transit: a.transit, Air: a.air, Live: a.live, Clock: o.Clock, Cache: a.tiles, Draws: classes.Tile, Responder: p,
	}
	r.Group(func(r chi.Router) {
		r.Use(limit.Charge(quota.Cached, classes.Tile))
		t.Routes(r)
	})
	charged := limit.Charge(quota.Cached, classes.Tile)(t)
	return a.tilesFirst(p.Authenticate(guard)(charged), seconds, r), r
}

// newReports returns the surface of the reports. Its state is that of the documents.
func (a *API) newReports(callers access.Authenticator) *open311.Handler {
	responder := a.responder
	responder.Ready = a.reportsReady
	return open311.New(open311.Options{
		Reports: a.reports, Store: open311.Documents{Actions: a.actions},
		Photos: open311.CollectorPhotos{Names: a.live.Collectors, Call: a.rpc.Call},
		Around: open311.Surroundings{Transit: a.transit, Air: a.air, Live: a.live}, Callers: callers,
		Clock: a.o.Clock, Zone: a.o.Zone, Limits: a.o.Reports.Limits, Secret: a.o.Reports.FormSecret,
		Keep:   a.o.Reports.KeepContact,
		Closed: a.closing, Metrics: a.o.Registry, Responder: responder,
	})
}

// newReminders returns the surface of reminders. Its state is that of the documents.
func (a *API) newReminders() *reminders.Handler {
	responder := a.responder
	responder.Ready = a.reportsReady
	o := &a.o
	return reminders.New(reminders.Options{
		Book: a.reminders, Actions: a.actions, Transit: a.transit, Air: a.air, Stations: a.stations, Clock: o.Clock,
		Zone: o.Zone, Hosts: o.Reminders.Hosts, Secret: o.Reports.FormSecret, Closed: a.closing, Metrics: o.Registry,
		Limits: reminders.Limits{
			PerAddress: o.Reminders.PerAddress, PerKey: o.Reminders.PerKey, Streams: o.Streams.Max,
			PerStream: o.Streams.PerAddress,
		},
		Responder: responder,
	})
}

// accounts returns the handler of keys, sessions and the audit log.
func (a *API) accounts(guard *access.Guard) *accounts.Handler {
	h := &accounts.Handler{
		Actions: a.actions, Documents: a.documents, Keyring: a.keyring, Guard: guard, Links: a.links, History: a.o.History,
		Stations: a.stations, Zones: zonesNow{a.o.Zones, a.o.Clock}, Clock: a.o.Clock,
		Agencies: func() []string { return knownAgencies(a.o.Agencies, a.live, a.transit) },
		OpenID:   a.o.OpenID, SignIns: accounts.NewSignInMetrics(a.o.Registry),
		Secure: a.o.Server.TLS != nil || strings.HasPrefix(a.o.PublicURL, "https:"), Responder: a.responder,
	}
	if a.o.OpenID != nil {
		a.keyring.UseRules(a.o.OpenID.Rules())
	}
	if a.o.RotateToken != nil {
		h.RotateToken = a.rotateToken
	}
	return h
}

// rotateToken replaces the operator's token.
func (a *API) rotateToken() (string, error) {
	token, err := a.o.RotateToken()
	if err == nil {
		a.token.Set(token)
	}
	return token, err
}
