// Package config reads what is set: defaults, then the configuration file, then the environment,
// then flags, each over the one before. It knows where every value comes from, and what it refuses
// it refuses by that place: line and column, variable or flag.
package config

import (
	"math"
	"slices"
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/alert"
	"nhip/geo/qc"
	"nhip/internal/fleet"
)

// Config is everything that can be set. The names of the keys, and what each may be, are in
// settings.go. Zero durations and empty texts are "not set".
type Config struct {
	HTTP      HTTP
	MQTT      MQTT
	Broker    Broker
	Collector Collector
	Forward   Forward
	Public    Public
	Push      Push
	Files     Files
	Pulls     []Pull
	Health    Health
	Influx    Influx
	Feeds     []Feed // at least one
	Fleet     string // path of the fleet file; empty: fleet.yaml of the data folder, where there is one
	GTFS      string // path of a GTFS zip
	Air       Air
	Retention Retention
	Map       Map
	Zones     []Zones // files of areas
}

// Zones is a file of areas of one kind.
type Zones struct {
	File   string // path of GeoJSON
	Kind   string
	ID     string // the property that holds the id; empty: the feature's own, or else "code"
	NameVi string // the property that holds the name; empty: "name"
	NameEn string // empty: "name_en"
	From   time.Time
	To     time.Time // exclusive
}

// HTTP is the api's door.
type HTTP struct {
	Listen    string // host:port
	PublicURL string // how the outside reaches it
	Plain     bool   // without TLS beyond this machine
	TLS       TLS
}

// TLS is what a door shows: paths of PEM files. Without a certificate the door is plain.
type TLS struct {
	Cert string
	Key  string
}

// MQTT is the embedded broker's door.
type MQTT struct {
	Listen string // host:port
	Plain  bool   // without TLS beyond this machine
	TLS    TLS
	Limits Limits

	ClientCA string // path of PEM: whose certificates devices may show
	CRL      string // path of PEM: those that were taken back
}

// Limits keep what a device or an address takes within bounds; 0 is no limit.
type Limits struct {
	Connections int64 // open at a time
	PerAddress  int64 // open at a time from one address
	ConnectRate int64 // a second from one address
	MessageRate int64 // messages a second of one device
	ByteRate    int64 // bytes a second of one device
}

// Broker is the outside broker at which roles meet that run apart. One process with every role has
// its own.
type Broker struct {
	URL      string // tcp://host:port, or with TLS ssl://host:port
	CA       string // path of PEM: who vouches for it; empty: whom the system trusts
	Username string
	Password string // secret
}

// Collector is the collector itself.
type Collector struct {
	ID           string // its name in topics and in the ledger
	JournalBytes int64  // most bytes on disk of what is on its way to the database
	MinFree      int64  // bytes of the disk that are left alone
	DeadBytes    int64  // most bytes on disk of dead letters
	HFP          bool   // buses are told as HFP, too

	LateWindow time.Duration // how old facts may be, and for how long it is known what was said
}

// Forward is what a gateway that runs alone keeps while it has no line.
type Forward struct {
	JournalBytes int64 // most bytes on disk
	MinFree      int64 // bytes of the disk that are left alone
}

// Public is the door of those who hear the live city, over MQTT in WebSocket, and say nothing.
type Public struct {
	Listen    string // host:port; empty: nobody does
	Anonymous bool   // without a secret
}

// Push is the door of devices that speak HTTP, of a gateway that runs alone. nhip up has it at the api's.
type Push struct {
	Listen string // host:port
}

// Files are those that monitoring stations drop.
type Files struct {
	Root string // path of the tree; empty: none
}

// Pull is a GTFS-realtime feed that is asked.
type Pull struct {
	Name   string        // its topic ends with it
	URL    string        // of vehicle positions, http or https
	Every  time.Duration // how often
	Header string        // "Name: value" that the server asks for; secret
}

// Health is the door of those who operate a role that has no HTTP of its own.
type Health struct {
	Listen string // host:port
}

// Influx is where the history is kept; without a URL the embedded InfluxDB runs as a child.
type Influx struct {
	URL    string
	Token  string // secret
	Org    string
	Bucket string

	BacklogRate int64 // rows a second of what waited while it was away; 0 for as many as it takes
}

// Air says how readings are judged and summed up.
type Air struct {
	Zone         string  // IANA name: whose days and months are summed up, where the fleet names none
	Reach        float64 // m: how far from the nearest monitor the air is told
	Completeness float64 // percent of the values that an hour, and of the hours that a day needs
	Checks       []Check // what differs from the usual rules
	Alerts       []Alert // when staff are told
	Webhook      Webhook
	Mail         Mail
}

// Alert is a rule: see alert.Rule. Thresholds that are NaN are none.
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

// AlertRules returns the rules by which staff are told.
func (a *Air) AlertRules() []alert.Rule {
	var out []alert.Rule
	for _, r := range a.Alerts {
		out = append(out, alert.Rule{
			Name: r.Name, Measure: r.Measure, Station: r.Station, Area: r.Area, Grades: [3]float64{r.Tendency, r.Preparing, r.Exceed},
			Hysteresis: r.Hysteresis, Hold: r.Hold,
		})
	}
	return out
}

// Webhook is an address to which alerts are posted.
type Webhook struct {
	URL    string // empty: none
	Secret string // secret; signs what is posted
}

// Mail is a server that sends alerts on.
type Mail struct {
	Host     string // empty: none
	Port     int64
	Username string
	Password string // secret
	From     string
	To       []string
	Plain    bool // without TLS
}

// Retention is how long the history is kept; 0 for ever. Roll-ups and what people said are always kept.
type Retention struct {
	Position time.Duration
	Reading  time.Duration
	Arrival  time.Duration
}

// Check changes the limits of one check.
type Check struct {
	Check    string // its name, as in spike
	Quantity string // empty: every one
	Kind     string // of stations: reference or low-cost; empty: both
	Off      bool
	Limits   qc.Limits // what is NaN stays as it is
}

// given returns the names of the limits that are set, sorted.
func (c *Check) given() []string {
	var names []string
	for name, v := range c.Limits.Fields() {
		if !math.IsNaN(*v) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Rules returns the rules by which readings are judged.
func (a *Air) Rules() *qc.Rules {
	rules := qc.NewRules()
	for i := range a.Checks {
		a.Checks[i].apply(rules)
	}
	return rules
}

func (c *Check) apply(rules *qc.Rules) {
	check, _ := qc.ParseCheck(c.Check) // it was looked up when it was read
	for class, kind := range map[qc.Class]string{qc.LowCost: fleet.LowCost, qc.Reference: fleet.Reference} {
		if c.Kind != "" && c.Kind != kind {
			continue
		}
		rules.Set(nhip.Quantity(c.Quantity), class, check, func(l *qc.Limits) {
			if c.Off {
				*l = qc.Off()
			}
			for _, name := range c.given() {
				*l.Fields()[name] = *c.Limits.Fields()[name]
			}
		})
	}
}

// Feed maps topics to a decoder.
type Feed struct {
	Name    string        // by which the fleet calls it; empty: its format
	Topic   string        // MQTT filter
	Format  string        // name of the decoder
	Agency  string        // whose buses
	Latency time.Duration // how late the feed may pass facts on

	Zone      string        // of stamps that carry no offset, an IANA name; empty: the format's own
	Period    time.Duration // averaging period where the format does not say it; 0: the format's own
	SpeedUnit string        // of speeds whose format does not say it: km/h or m/s; empty: km/h
	Fields    string        // what a payload without a form of its own says under which name: "air.pm2_5=pm25, temp=temperature °F"
}

// Map is the web map's ground.
type Map struct {
	Style       string    // URL of a MapLibre style
	PMTiles     string    // path of a base map
	Center      []float64 // lon, lat in degrees
	Zoom        float64   // 0 (the world) to 22
	Attribution string
}

// Defaults.
const (
	defaultHTTP   = "127.0.0.1:8080"
	defaultMQTT   = "127.0.0.1:1883"
	defaultHealth = "127.0.0.1:0"
	defaultPush   = "127.0.0.1:0"
	defaultID     = "main"
	defaultBucket = "nhip"
	defaultAgency = "hanoi"
	defaultZoom   = 12
	defaultZone   = "Asia/Ho_Chi_Minh"

	defaultCompleteness = 75 // percent
	defaultMailPort     = 587

	// What the payload formatters of common LoRaWAN monitors call their values.
	defaultFields = "pm1=pm1, pm1_0=pm1, pm25=pm25, pm2_5=pm25, pm10=pm10, pm10_0=pm10, temperature=temperature, humidity=humidity, pressure=pressure hPa"

	// The intake and the outbox of a city of 2,500 buses that speak each second grow by 2 GB in an hour
	// without a database.
	defaultJournalBytes = 16 << 30
	defaultDeadBytes    = 4 << 30
	defaultMinFree      = 256 << 20 // a checkpoint of the ledger takes some megabytes, and so does the database
	defaultBacklogRate  = 20_000    // a fifth of what an InfluxDB on two cores takes

	// A city's buses come through few addresses of their mobile operators, and all at once after a cut.
	defaultConnections = 20_000
	defaultPerAddress  = 5_000
	defaultConnectRate = 500
	defaultMessageRate = 20        // twenty times what a box says
	defaultByteRate    = 128 << 10 // two of the largest packets
)

// hanoi is the middle of the map of a city that is not known yet: Hoàn Kiếm lake.
func hanoi() []float64 { return []float64{105.8524, 21.0288} }

// Default returns what holds where nothing is set.
func Default() Config {
	return Config{
		HTTP: HTTP{Listen: defaultHTTP},
		MQTT: MQTT{Listen: defaultMQTT, Limits: Limits{
			Connections: defaultConnections, PerAddress: defaultPerAddress, ConnectRate: defaultConnectRate,
			MessageRate: defaultMessageRate, ByteRate: defaultByteRate,
		}},
		Collector: Collector{ID: defaultID, JournalBytes: defaultJournalBytes, MinFree: defaultMinFree, DeadBytes: defaultDeadBytes, LateWindow: nhip.LateWindow},
		Forward:   Forward{JournalBytes: defaultJournalBytes, MinFree: defaultMinFree},
		Push:      Push{Listen: defaultPush},
		Health:    Health{Listen: defaultHealth},
		Influx:    Influx{Bucket: defaultBucket, BacklogRate: defaultBacklogRate},
		Feeds: []Feed{
			{Topic: "/hfp/v2/#", Format: "hfp", Agency: "hsl"},
			{Topic: "nhip/in/position/+", Format: "position", Agency: defaultAgency},
			{Topic: "nhip/in/reading/+", Format: "reading", Agency: defaultAgency},
			{Topic: "airgradient/readings/+", Format: "airgradient", Agency: defaultAgency},
			{Topic: "tele/+/SENSOR", Format: "tasmota", Agency: defaultAgency, Zone: defaultZone},
			{Topic: "v3/+/devices/+/up", Format: "tts", Agency: defaultAgency, Fields: defaultFields},
			{Topic: "application/+/device/+/event/up", Format: "chirpstack", Agency: defaultAgency, Fields: defaultFields},
			{Topic: "nhip/in/sensor-community/+", Format: "sensor-community", Agency: defaultAgency},
			{Topic: "nhip/in/purpleair/+", Format: "purpleair", Agency: defaultAgency},
			{Topic: "nhip/in/station-file/+", Format: "station-file", Agency: defaultAgency},
			{Topic: "nhip/in/ufms/+", Format: "ufms", Agency: defaultAgency},
			{Topic: "nhip/in/gtfs-rt/+", Format: "gtfs-rt", Agency: defaultAgency},
		},
		Air: Air{Zone: defaultZone, Reach: air.DefaultReach, Completeness: defaultCompleteness, Mail: Mail{Port: defaultMailPort, To: []string{}}},
		Map: Map{Center: hanoi(), Zoom: defaultZoom},
	}
}
