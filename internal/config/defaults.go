package config

import (
	"time"

	"nhip"
	"nhip/geo/air"
	"nhip/geo/predict"
	"nhip/internal/fleet"
	"nhip/internal/openid"
)

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

	// Names of values in the payload formatters of common LoRaWAN monitors.
	defaultFields = "pm1=pm1, pm1_0=pm1, pm25=pm25, pm2_5=pm25, pm10=pm10, pm10_0=pm10, " +
		"temperature=temperature, humidity=humidity, pressure=pressure hPa"

	// Without a database, the journal and the outbox grow by 2 GB an hour with 2,500 buses that send a position every
	// second.
	defaultJournalBytes = 16 << 30
	defaultDeadBytes    = 4 << 30
	defaultPhotoBytes   = 2 << 30
	defaultMinFree      = 256 << 20 // a checkpoint of the ledger takes some megabytes, and so does the database
	defaultBacklogRate  = 20_000    // a fifth of the rate of InfluxDB on two cores

	// A spring brought 2,632 reports. What names a sender is kept while a report is usually answered.
	defaultPhotoKeep         = 180 * 24 * time.Hour
	defaultReportsPerAddress = 30
	defaultReportsPerHour    = 1_000
	defaultKeepContact       = 90 * 24 * time.Hour

	// 5,000 phones may share the address of a mobile operator. Each has a stream and a connection for the rest. The
	// database runs 16 queries of the history at a time.
	defaultHTTPConnections = 20_000
	defaultHTTPPerAddress  = 10_000
	defaultHTTPBodies      = 256
	defaultHTTPHistory     = 4
	// A phone that opens the map costs some 80 units of requests, and then one or two a second; a bucket has 30 seconds.
	defaultClientRate = 10
	defaultKeyRate    = 100
	defaultSpareRate  = 1_000 // a fifth of what two cores serve of lists

	// Streams leave connections for other requests.
	defaultStreams           = 15_000
	defaultStreamsPerAddress = 6_000

	// The buses of a city share few addresses of their mobile operators, and all reconnect at once after an outage.
	defaultConnections = 20_000
	defaultPerAddress  = 5_000
	defaultConnectRate = 500
	defaultMessageRate = 20        // twenty times the rate of a usual device
	defaultByteRate    = 128 << 10 // two of the largest packets
)

// hanoi returns the position of Hoàn Kiếm lake, the default center of the map.
func hanoi() []float64 { return []float64{105.8524, 21.0288} }

// Default budgets of a sender. A city with all its buses on one feed is known after an hour.
const (
	defaultNewDevices     = 1000
	defaultNewFeedDevices = 200_000
	defaultRowRate        = 1000
)

// Default returns the default configuration.
func Default() Config {
	return Config{
		HTTP: HTTP{
			Listen: defaultHTTP, Metrics: MetricsOperator, TrustedProxies: []string{},
			Streams: Streams{Max: defaultStreams, PerAddress: defaultStreamsPerAddress},
			Limits: HTTPLimits{
				Connections: defaultHTTPConnections, PerAddress: defaultHTTPPerAddress, Bodies: defaultHTTPBodies,
				History: defaultHTTPHistory, ClientRate: defaultClientRate, KeyRate: defaultKeyRate,
				SpareRate: defaultSpareRate,
			},
		},
		MQTT: MQTT{Listen: defaultMQTT, Limits: Limits{
			Connections: defaultConnections, PerAddress: defaultPerAddress, ConnectRate: defaultConnectRate,
			MessageRate: defaultMessageRate, ByteRate: defaultByteRate,
		}},
		Collector: Collector{
			ID: defaultID, JournalBytes: defaultJournalBytes, MinFree: defaultMinFree, DeadBytes: defaultDeadBytes,
			PhotoBytes: defaultPhotoBytes, PhotoKeep: defaultPhotoKeep,
			NewDevices: defaultNewDevices, NewFeedDevices: defaultNewFeedDevices, RowRate: defaultRowRate,
			LateWindow: nhip.LateWindow,
		},
		Stations: Stations{Unknown: fleet.Public},
		Forward:  Forward{JournalBytes: defaultJournalBytes, MinFree: defaultMinFree},
		Push:     Push{Listen: defaultPush},
		Outgoing: Outgoing{Allow: []string{}},
		Health:   Health{Listen: defaultHealth},
		Influx:   Influx{Bucket: defaultBucket, BacklogRate: defaultBacklogRate},
		Feeds:    defaultFeeds(),
		Air: Air{
			Zone: defaultZone, Reach: air.DefaultReach, Completeness: defaultCompleteness,
			ReviewReasons: defaultReasons(),
			Mail:          Mail{Port: defaultMailPort, To: []string{}},
		},
		Map:       Map{Center: hanoi(), Zoom: defaultZoom},
		Predict:   Predict{Lean: predict.Lean},
		Access:    Access{OIDC: OIDC{Scopes: []string{"profile", "email"}, Session: openid.MaxSession}},
		Reminders: Reminders{PerAddress: defaultRemindersPerAddress, PerKey: defaultRemindersPerKey},
		Reports: Reports{
			PerAddress: defaultReportsPerAddress, PerHour: defaultReportsPerHour, KeepContact: defaultKeepContact,
		},
	}
}

func defaultFeeds() []Feed {
	return []Feed{
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
		{Topic: "nhip/in/ufms-bus/+", Format: "ufms-bus", Agency: defaultAgency},
		{Topic: "nhip/in/gtfs-rt/+", Format: "gtfs-rt", Agency: defaultAgency},
	}
}
