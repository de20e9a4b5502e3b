package config

import (
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/aqi"
	"nhip/geo/qc"
	"nhip/internal/fleet"
	"nhip/internal/settings"
)

// maxZoom is where MapLibre's zoom levels end.
const maxZoom = 22

// Bounds of what may be set. A journal gives room back in pieces that hold its longest record.
const (
	minJournalBytes = 64 << 20
	minDeadBytes    = 1 << 20
	minMinFree      = 16 << 20
	minLateWindow   = time.Hour
	maxLateWindow   = 10 * 366 * 24 * time.Hour
	maxBacklogRate  = 10_000_000 // rows a second, beyond any database
	maxConnections  = 10_000_000 // beyond any machine
	maxByteRate     = 1 << 30
)

// envPrefix begins the name of every variable of ours.
const envPrefix = "NHIP_"

// The keys that hold lists; they are set in the file only.
const (
	feedsKey = "feeds"
	pullsKey = "pulls"
	zonesKey = "zones"

	checksKey = "air.checks"
	alertsKey = "air.alerts"
)

// settings are the keys that hold one value, in the order in which they are shown. What is missing
// here can't be set; a test holds it against the fields of Config.
func (c *Config) settings() []settings.Setting {
	return []settings.Setting{
		{Key: "http.listen", Value: settings.Text(&c.HTTP.Listen, settings.Listen)},
		{Key: "http.public_url", Value: settings.Text(&c.HTTP.PublicURL, settings.WebAddress)},
		{Key: "http.plain", Value: settings.Switch(&c.HTTP.Plain)},
		{Key: "http.tls.cert", Value: settings.Text(&c.HTTP.TLS.Cert, settings.Printable)},
		{Key: "http.tls.key", Value: settings.Text(&c.HTTP.TLS.Key, settings.Printable)},
		{Key: "mqtt.listen", Value: settings.Text(&c.MQTT.Listen, settings.Listen)},
		{Key: "mqtt.plain", Value: settings.Switch(&c.MQTT.Plain)},
		{Key: "mqtt.tls.cert", Value: settings.Text(&c.MQTT.TLS.Cert, settings.Printable)},
		{Key: "mqtt.tls.key", Value: settings.Text(&c.MQTT.TLS.Key, settings.Printable)},
		{Key: "mqtt.tls.client_ca", Value: settings.Text(&c.MQTT.ClientCA, settings.Printable)},
		{Key: "mqtt.tls.crl", Value: settings.Text(&c.MQTT.CRL, settings.Printable)},
		{Key: "mqtt.limits.connections", Value: settings.Count(&c.MQTT.Limits.Connections, maxConnections)},
		{Key: "mqtt.limits.per_address", Value: settings.Count(&c.MQTT.Limits.PerAddress, maxConnections)},
		{Key: "mqtt.limits.connect_rate", Value: settings.Count(&c.MQTT.Limits.ConnectRate, maxConnections)},
		{Key: "mqtt.limits.message_rate", Value: settings.Count(&c.MQTT.Limits.MessageRate, maxConnections)},
		{Key: "mqtt.limits.byte_rate", Value: settings.Count(&c.MQTT.Limits.ByteRate, maxByteRate)},
		{Key: "broker.url", Value: settings.Text(&c.Broker.URL, settings.BrokerAddress)},
		{Key: "broker.ca", Value: settings.Text(&c.Broker.CA, settings.Printable)},
		{Key: "broker.username", Value: settings.Text(&c.Broker.Username, settings.Printable)},
		{Key: "broker.password", Value: settings.Text(&c.Broker.Password, settings.Printable), Secret: true},
		{Key: "collector.id", Value: settings.Text(&c.Collector.ID, settings.ID)},
		{Key: "collector.journal_bytes", Value: settings.Size(&c.Collector.JournalBytes, minJournalBytes)},
		{Key: "collector.min_free", Value: settings.Size(&c.Collector.MinFree, minMinFree)},
		{Key: "collector.dead_bytes", Value: settings.Size(&c.Collector.DeadBytes, minDeadBytes)},
		{Key: "collector.hfp", Value: settings.Switch(&c.Collector.HFP)},
		{Key: "collector.late_window", Value: settings.Days(&c.Collector.LateWindow, minLateWindow, maxLateWindow)},
		{Key: "forward.journal_bytes", Value: settings.Size(&c.Forward.JournalBytes, minJournalBytes)},
		{Key: "forward.min_free", Value: settings.Size(&c.Forward.MinFree, minMinFree)},
		{Key: "public.listen", Value: settings.Text(&c.Public.Listen, listenOrNot)},
		{Key: "public.anonymous", Value: settings.Switch(&c.Public.Anonymous)},
		{Key: "push.listen", Value: settings.Text(&c.Push.Listen, settings.Listen)},
		{Key: "files.root", Value: settings.Text(&c.Files.Root, settings.Printable)},
		{Key: "health.listen", Value: settings.Text(&c.Health.Listen, settings.Listen)},
		{Key: "influx.url", Value: settings.Text(&c.Influx.URL, settings.WebAddress)},
		{Key: "influx.token", Value: settings.Text(&c.Influx.Token, settings.Printable), Secret: true},
		{Key: "influx.org", Value: settings.Text(&c.Influx.Org, settings.Printable)},
		{Key: "influx.bucket", Value: settings.Text(&c.Influx.Bucket, settings.Name)},
		{Key: "influx.backlog_rate", Value: settings.Count(&c.Influx.BacklogRate, maxBacklogRate)},
		{Key: "fleet", Value: settings.Text(&c.Fleet, settings.Printable)},
		{Key: "gtfs", Value: settings.Text(&c.GTFS, settings.Printable)},
		{Key: "air.zone", Value: settings.Text(&c.Air.Zone, settings.Zone)},
		{Key: "air.reach", Value: settings.Number(&c.Air.Reach, leastReach, mostReach)},
		{Key: "air.completeness", Value: settings.Number(&c.Air.Completeness, 1, percent)},
		{Key: "air.webhook.url", Value: settings.Text(&c.Air.Webhook.URL, settings.WebAddress)},
		{Key: "air.webhook.secret", Value: settings.Text(&c.Air.Webhook.Secret, settings.Printable), Secret: true},
		{Key: "air.mail.host", Value: settings.Text(&c.Air.Mail.Host, settings.Printable)},
		{Key: "air.mail.port", Value: settings.Count(&c.Air.Mail.Port, maxPort)},
		{Key: "air.mail.username", Value: settings.Text(&c.Air.Mail.Username, settings.Printable)},
		{Key: "air.mail.password", Value: settings.Text(&c.Air.Mail.Password, settings.Printable), Secret: true},
		{Key: "air.mail.from", Value: settings.Text(&c.Air.Mail.From, mailAddress)},
		{Key: "air.mail.to", Value: settings.Words(&c.Air.Mail.To, mailAddress)},
		{Key: "air.mail.plain", Value: settings.Switch(&c.Air.Mail.Plain)},
		{Key: "retention.position", Value: settings.Days(&c.Retention.Position, 0, maxLateWindow)},
		{Key: "retention.reading", Value: settings.Days(&c.Retention.Reading, 0, maxLateWindow)},
		{Key: "retention.arrival", Value: settings.Days(&c.Retention.Arrival, 0, maxLateWindow)},
		{Key: "map.style", Value: settings.Text(&c.Map.Style, settings.WebAddress)},
		{Key: "map.pmtiles", Value: settings.Text(&c.Map.PMTiles, settings.Printable)},
		{Key: "map.center", Value: settings.Point(&c.Map.Center)},
		{Key: "map.zoom", Value: settings.Number(&c.Map.Zoom, 0, maxZoom)},
		{Key: "map.attribution", Value: settings.Text(&c.Map.Attribution, settings.Printable)},
	}
}

// listenOrNot is an address to listen on, or nothing.
func listenOrNot(s string) error {
	if s == "" {
		return nil
	}
	return settings.Listen(s)
}

// settings are the keys of one feed, each behind a prefix as in "feeds[0].".
func (f *Feed) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "name", Value: settings.Text(&f.Name, settings.Printable)},
		{Key: prefix + "topic", Value: settings.Text(&f.Topic, settings.Name)},
		{Key: prefix + "format", Value: settings.Text(&f.Format, settings.Name)},
		{Key: prefix + "agency", Value: settings.Text(&f.Agency, settings.ID)},
		{Key: prefix + "latency", Value: settings.Span(&f.Latency)},
		{Key: prefix + "zone", Value: settings.Text(&f.Zone, settings.Zone)},
		{Key: prefix + "period", Value: settings.Span(&f.Period)},
		{Key: prefix + "speed_unit", Value: settings.Text(&f.SpeedUnit, settings.SpeedUnit)},
		{Key: prefix + "fields", Value: settings.Text(&f.Fields, settings.Printable)},
	}
}

// settings are the keys of one pull, each behind a prefix as in "pulls[0].".
func (p *Pull) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "name", Value: settings.Text(&p.Name, settings.ID)},
		{Key: prefix + "url", Value: settings.Text(&p.URL, settings.WebAddress)},
		{Key: prefix + "every", Value: settings.Days(&p.Every, time.Second, time.Hour)},
		{Key: prefix + "header", Value: settings.Text(&p.Header, settings.Printable), Secret: true},
	}
}

// settings are the keys of one file of zones, each behind a prefix as in "zones[0].".
func (z *Zones) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "file", Value: settings.Text(&z.File, settings.Printable)},
		{Key: prefix + "kind", Value: settings.Text(&z.Kind, settings.ID)},
		{Key: prefix + "id", Value: settings.Text(&z.ID, settings.Printable)},
		{Key: prefix + "name_vi", Value: settings.Text(&z.NameVi, settings.Printable)},
		{Key: prefix + "name_en", Value: settings.Text(&z.NameEn, settings.Printable)},
		{Key: prefix + "from", Value: settings.Moment(&z.From)},
		{Key: prefix + "to", Value: settings.Moment(&z.To)},
	}
}

// The air may be told up to so far from a monitor, m.
const leastReach, mostReach = 100, 100_000

const maxPort = 65535

// mailAddress is somebody's, or nothing.
func mailAddress(s string) error {
	if s == "" {
		return nil
	}
	if _, err := mail.ParseAddress(s); err != nil {
		return fmt.Errorf("must be a mail address, got %s", settings.Shown(s))
	}
	return nil
}

// longestHold is how long a grade may have to hold.
const longestHold = 7 * 24 * time.Hour

// settings are the keys of one alert, each behind a prefix as in "air.alerts[0].".
func (a *Alert) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "name", Value: settings.Text(&a.Name, settings.ID)},
		{Key: prefix + "measure", Value: settings.Text(&a.Measure, measureName)},
		{Key: prefix + "station", Value: settings.Text(&a.Station, settings.Printable)},
		{Key: prefix + "area", Value: settings.Text(&a.Area, settings.Printable)},
		{Key: prefix + "tendency", Value: settings.Number(&a.Tendency, -mostLimit, mostLimit)},
		{Key: prefix + "preparing", Value: settings.Number(&a.Preparing, -mostLimit, mostLimit)},
		{Key: prefix + "exceed", Value: settings.Number(&a.Exceed, -mostLimit, mostLimit)},
		{Key: prefix + "hysteresis", Value: settings.Number(&a.Hysteresis, 0, mostLimit)},
		{Key: prefix + "hold", Value: settings.Days(&a.Hold, 0, longestHold)},
	}
}

// said are the settings of an alert that are set: a grade that there is not is NaN.
func (a *Alert) said(prefix string) []settings.Setting {
	return slices.DeleteFunc(a.settings(prefix), func(s settings.Setting) bool { return s.Value.String() == "NaN" })
}

func measureName(s string) error {
	if _, known := nhip.ParseQuantity(s); known || aqi.Known(nhip.Scale(s)) || s == alert.Silent || s == alert.Frozen || s == alert.Capture {
		return nil
	}
	return fmt.Errorf("must be a quantity as in pm25, VN_AQI, US_EPA, WHO, %s, %s or %s, got %s", alert.Silent, alert.Frozen, alert.Capture, settings.Shown(s))
}

// mostLimit is beyond every limit of a check, in any unit.
const (
	mostLimit = 1e9
	percent   = 100
)

// settings are the keys of one check, each behind a prefix as in "air.checks[0].".
func (c *Check) settings(prefix string) []settings.Setting {
	all := []settings.Setting{
		{Key: prefix + "check", Value: settings.Text(&c.Check, checkName)},
		{Key: prefix + "quantity", Value: settings.Text(&c.Quantity, quantityName)},
		{Key: prefix + "kind", Value: settings.Choice(&c.Kind, fleet.Reference, fleet.LowCost)},
		{Key: prefix + "off", Value: settings.Switch(&c.Off)},
	}
	fields := c.Limits.Fields()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, settings.Setting{Key: prefix + name, Value: settings.Number(fields[name], -mostLimit, mostLimit)})
	}
	return all
}

// said are the settings of a check that are set.
func (c *Check) said(prefix string) []settings.Setting {
	return slices.DeleteFunc(c.settings(prefix), func(s settings.Setting) bool {
		_, isLimit := c.Limits.Fields()[strings.TrimPrefix(s.Key, prefix)]
		return isLimit && !slices.Contains(c.given(), strings.TrimPrefix(s.Key, prefix))
	})
}

func checkName(s string) error {
	if _, known := qc.ParseCheck(s); !known {
		return fmt.Errorf("must be one of %s, got %s", strings.Join(qc.CheckNames(), ", "), settings.Shown(s))
	}
	return nil
}

func quantityName(s string) error {
	if _, known := nhip.ParseQuantity(s); s != "" && !known {
		return fmt.Errorf("must be a quantity as in pm25, got %s", settings.Shown(s))
	}
	return nil
}

// required are a feed's keys without which it means nothing.
func required(prefix string) []string {
	return []string{prefix + "topic", prefix + "format", prefix + "agency"}
}

// all are the settings and those of each feed.
func (c *Config) all() []settings.Setting {
	all := c.settings()
	for i := range c.Feeds {
		all = append(all, c.Feeds[i].settings(prefix(feedsKey, i))...)
	}
	for i := range c.Pulls {
		all = append(all, c.Pulls[i].settings(prefix(pullsKey, i))...)
	}
	for i := range c.Zones {
		all = append(all, c.Zones[i].settings(prefix(zonesKey, i))...)
	}
	for i := range c.Air.Alerts {
		all = append(all, c.Air.Alerts[i].said(prefix(alertsKey, i))...)
	}
	for i := range c.Air.Checks {
		all = append(all, c.Air.Checks[i].said(prefix(checksKey, i))...)
	}
	return all
}

// prefix begins the keys of an item of a list.
func prefix(list string, i int) string { return fmt.Sprintf("%s[%d].", list, i) }

// Variable returns the name of the environment variable that sets a key: NHIP_HTTP_LISTEN for
// http.listen.
func Variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}
