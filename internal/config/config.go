// Package config loads the configuration. The sources, from the lowest to the highest precedence, are the defaults,
// the configuration file, environment variables and flags. The package records where each value was set, and reports
// faults with that position: line and column, variable or flag.
package config

import (
	"time"

	"nhip/geo/qc"
)

// Config is the whole configuration. The keys and their rules are in settings.go. A zero duration and an empty text
// mean that the value is not set.
type Config struct {
	HTTP      HTTP
	MQTT      MQTT
	Broker    Broker
	Collector Collector
	Stations  Stations
	Forward   Forward
	Public    Public
	Push      Push
	Files     Files
	Pulls     []Pull
	Sources   []Source
	Outgoing  Outgoing
	Health    Health
	Influx    Influx
	Feeds     []Feed // at least one
	Fleet     string // path of the fleet file; empty: fleet.yaml in the data folder, if it exists
	GTFS      string // paths or addresses of GTFS zips
	Agency    Agency
	Air       Air
	Retention Retention
	Map       Map
	Data      Data
	Predict   Predict
	Reports   Reports
	Reminders Reminders
	Access    Access
	Places    string // path of GeoJSON points that a search finds; empty: none
	Zones     []Zones
}

// Access configures who may do what.
type Access struct {
	OIDC OIDC
}

// OIDC is the OpenID Connect issuer at which staff sign in.
type OIDC struct {
	Issuer           string // its address; empty: none
	ClientID         string
	ClientSecret     string // secret
	ClientSecretFile string // path of the secret, in the place of ClientSecret
	Redirect         string // address to which the issuer sends browsers back; empty: below http.public_url
	Scopes           []string
	Session          time.Duration // how long somebody stays signed in
	Rules            []AccessRule  // the first that matches counts
}

// AccessRule gives people with a claim a role and a scope.
type AccessRule struct {
	Claim    string
	Value    string
	Role     string
	Zones    []string
	Areas    []string
	Stations []string
	Agencies []string
}

// Reports configures the reports of citizens (Open311).
type Reports struct {
	PerAddress  int64         // in an hour from one address; 0: no bound
	PerHour     int64         // in an hour in all; 0: no bound
	KeepContact time.Duration // how long names, addresses and numbers of senders are kept after a report
	FormSecret  string        // signs the tokens of the form; secret; empty: a random one
}

// Reminders configures the reminders of riders.
type Reminders struct {
	PerAddress int64 // in an hour from one address without a key; 0: no bound
	PerKey     int64 // of one key at a time; 0: no bound
	Webhooks   []ReminderHost
}

// ReminderHost is a host whose web hooks apps may name.
type ReminderHost struct {
	Host   string // with a port if it is not 443
	Secret string // secret; signs the notifications
}

// Agency is the agency of timetables that have no agency.txt.
type Agency struct {
	Name string
	Zone string // IANA name; empty: such timetables are refused
}

// Zones is a file of areas of one kind.
type Zones struct {
	File   string // path of GeoJSON
	Kind   string
	ID     string // property with the id; empty: the feature's own id, or else "code"
	NameVi string // property with the name; empty: "name"
	NameEn string // property with the English name; empty: "name_en"
	From   time.Time
	To     time.Time // exclusive
}

// HTTP configures the api's HTTP server.
type HTTP struct {
	Listen    string // host:port
	PublicURL string // under which clients reach it
	Plain     bool   // allows connections from other machines without TLS
	Metrics   string // who may read /metrics at the address of the api: MetricsOperator or MetricsPublic
	TLS       TLS
	Streams   Streams
	Limits    HTTPLimits

	TrustedProxies []string // addresses and networks of proxies whose X-Forwarded-For is believed
}

// Values of HTTP.Metrics.
const (
	MetricsOperator = "operator"
	MetricsPublic   = "public"
)

// HTTPLimits bounds what clients of an HTTP server, or one address, may hold at a time, and what clients of the api may
// ask for; 0 is no limit.
type HTTPLimits struct {
	Connections int64 // of all addresses
	PerAddress  int64 // connections of one address
	Bodies      int64 // requests of one address whose body is still open
	History     int64 // queries of the history of one address
	ClientRate  int64 // units a second of a client without a key; see quota.Limits
	KeyRate     int64 // units a second of a key
	SpareRate   int64 // units a second beyond these, of all together
}

// Streams bounds the live streams that are open at a time; 0 is no limit.
type Streams struct {
	Max        int64 // in all
	PerAddress int64 // from one address
}

// TLS holds the paths of PEM files. Without a certificate a server does not use TLS.
type TLS struct {
	Cert string
	Key  string
}

// MQTT configures the embedded broker's listener for devices.
type MQTT struct {
	Listen string // host:port
	Plain  bool   // allows connections from other machines without TLS
	TLS    TLS
	Limits Limits

	ClientCA string // path of PEM: authorities of the devices' certificates
	CRL      string // path of PEM: their revocation lists
}

// Limits bounds what a device or an address may use; 0 is no limit.
type Limits struct {
	Connections int64 // open at a time
	PerAddress  int64 // open at a time from one address
	ConnectRate int64 // a second from one address
	MessageRate int64 // messages a second of one device
	ByteRate    int64 // bytes a second of one device
}

// Broker is the external broker that connects roles in different processes. A process with all roles has its own.
type Broker struct {
	URL      string // tcp://host:port, or with TLS ssl://host:port
	CA       string // path of PEM: authorities of its certificate; empty: the system's
	Username string
	Password string // secret
}

// Collector configures the collector.
type Collector struct {
	ID           string // its name in topics and in the ledger
	JournalBytes int64  // on disk for facts that are not in the database yet
	MinFree      int64  // bytes of the disk that stay free
	DeadBytes    int64  // on disk for dead letters
	PhotoBytes   int64  // on disk for photos of reports
	HFP          bool   // also publish bus positions as HFP

	NewDevices     int64 // new vehicles and stations of a sender in an hour; 0: no bound
	NewFeedDevices int64 // new vehicles and stations of all senders of a feed in an hour; 0: no bound
	RowRate        int64 // rows a second of a sender, averaged over a day; 0: no bound

	PhotoKeep  time.Duration // how long photos of reports are kept
	LateWindow time.Duration // maximum age of facts on arrival; also how long facts are remembered as duplicates
}

// Stations configures what holds for all monitoring stations.
type Stations struct {
	Unknown string // whether the positions of stations that no fleet has ever named are fleet.Public or fleet.Private
}

// Forward bounds the journal of a gateway that runs alone.
type Forward struct {
	JournalBytes int64 // on disk for messages that are not forwarded yet
	MinFree      int64 // bytes of the disk that stay free
}

// Public configures the listeners where guests read the live topics, each a host:port; empty: none.
type Public struct {
	Listen    string // MQTT over WebSocket, with the certificate of HTTP.TLS if there is one
	MQTT      string // MQTT over TCP
	MQTTS     string // MQTT over TLS, with the certificate of HTTP.TLS
	Anonymous bool   // without a secret
}

// Any reports whether there is a listener for guests.
func (p *Public) Any() bool { return p.Listen != "" || p.MQTT != "" || p.MQTTS != "" }

// Push configures the HTTP server for devices of a gateway that runs alone. nhip up uses the api's server.
type Push struct {
	Listen string // host:port
}

// Files configures the folder where monitoring stations drop files.
type Files struct {
	Root string // path; empty: none
}

// Outgoing configures requests to addresses outside: pulls, webhooks and timetables.
type Outgoing struct {
	Allow []string // internal addresses and prefixes that are allowed
	Proxy string   // address of a proxy, or outbound.Environment; empty: none
}

// Pull is a GTFS-realtime feed to poll.
type Pull struct {
	Name   string        // last level of its topic
	URL    string        // of a FeedMessage, http or https
	Every  time.Duration // interval between requests
	Header string        // "Name: value" to send with requests; secret

	Timetable   string // the entry of gtfs that its ids are of; empty: that of the feed
	Predictions string // ours, theirs or better; empty: those of the feed
}

// Source is a queue of an AMQP 0-9-1 broker to receive messages from.
type Source struct {
	Name     string // last level of its topic
	URL      string // amqp://user:password@host:port/vhost, or amqps; secret in part
	Password string // replaces the one in URL; secret
	CA       string // path of PEM: authorities of the broker's certificate; empty: the system's
	Queue    string
	Format   string // name of the decoder
}

// Health configures the health server of a role without another HTTP server.
type Health struct {
	Listen string // host:port
}

// Influx is the database. Without a URL the embedded InfluxDB runs as a child process.
type Influx struct {
	URL    string
	Listen string // of the embedded InfluxDB
	Token  string // secret
	Org    string
	Bucket string

	BacklogRate int64 // rows a second of the backlog after an outage of the database; 0: no limit
}

// Air configures quality checks, aggregates and alerts.
type Air struct {
	Zone         string  // IANA name: time zone of days and months of stations without one in the fleet
	Reach        float64 // m: maximum distance from a station at which the air is interpolated
	Completeness float64 // percent of values an hour needs, and percent of hours a day needs
	// reasons that staff may choose from for a review, each "VIETNAMESE | ENGLISH"
	ReviewReasons []string
	Checks        []Check // changes of the default limits
	Alerts        []Alert
	Webhook       Webhook
	Mail          Mail
}

// Alert is an alert rule, see alert.Rule. A threshold that is NaN is not set.
type Alert struct {
	Name       string
	Measure    string
	Station    string
	Area       string
	Tendency   float64
	Preparing  float64
	Exceed     float64
	Hysteresis float64
	Hold       time.Duration
}

// Webhook is an address to which alerts are posted.
type Webhook struct {
	URL    string // empty: none
	Secret string // secret; signs the requests
}

// Mail is an SMTP server that sends alerts.
type Mail struct {
	Host     string // empty: none
	Port     int64
	Username string
	Password string // secret
	From     string
	To       []string
	Plain    bool // without TLS
}

// Retention is how long the history is kept; 0 means for ever. Aggregates and users' decisions are always kept.
type Retention struct {
	Position time.Duration
	Reading  time.Duration
	Arrival  time.Duration
}

// Check changes the limits of one quality check.
type Check struct {
	Check    string // name of the check, as in spike
	Quantity string // empty: all
	Kind     string // of stations: reference or low-cost; empty: both
	Off      bool
	Limits   qc.Params // a limit that is NaN keeps its default
}

// Feed maps topics to a decoder.
type Feed struct {
	Name    string        // in the fleet file; empty: its format
	Topic   string        // MQTT filter
	Format  string        // name of the decoder
	Agency  string        // of its buses
	Latency time.Duration // with which the feed passes facts on

	Timetable   string // the entry of gtfs that its ids of trips, routes and stops are of; empty: of all
	Predictions string // whose expected times of its trips are told: ours, theirs or better; empty: ours

	Zone      string        // IANA name: time zone of time stamps without an offset; empty: the format's own
	Period    time.Duration // averaging period if messages do not contain it; 0: the format's own
	SpeedUnit string        // km/h or m/s, if messages do not contain it; empty: km/h
	Fields    string        // paths in a free-form payload: "air.pm2_5=pm25, temp=temperature °F"
}

// Predict configures the prediction of arrivals.
type Predict struct {
	Lean float64 // share of the tolerance by which times for riders are told early, 0 to 1
}

// Data says under what others may use the city's data.
type Data struct {
	License    string // name, as in CC-BY-4.0; empty: not told
	LicenseURL string
	Source     string // who measures and publishes
}

// Map configures the web map.
type Map struct {
	Style       string    // URL of a MapLibre style
	PMTiles     string    // path of a base map
	Center      []float64 // lon, lat in degrees
	Zoom        float64   // 0 (the world) to 22
	Attribution string
}
