package config

import (
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/geo/alert"
	"nhip/geo/aqi"
	"nhip/geo/qc"
	"nhip/internal/fleet"
	"nhip/internal/openid"
	"nhip/internal/outbound"
	"nhip/internal/settings"
)

// maxZoom is MapLibre's largest zoom level.
const maxZoom = 22

// Bounds of values. A journal frees disk space in segments that hold at least its longest record.
const (
	minJournalBytes = 64 << 20
	minDeadBytes    = 1 << 20
	minPhotoBytes   = 1 << 20
	minPhotoKeep    = time.Hour
	maxKeep         = 10 * 366 * 24 * time.Hour
	maxReports      = 1_000_000
	minFormSecret   = 32 // characters
	minMinFree      = 16 << 20
	minLateWindow   = time.Hour
	maxLateWindow   = 10 * 366 * 24 * time.Hour
	maxBacklogRate  = 10_000_000 // rows a second; no database is faster
	maxBudget       = 1_000_000_000
	maxConnections  = 10_000_000 // no machine has more
	maxUnitRate     = 1_000_000  // no machine answers more requests a second
	maxByteRate     = 1 << 30
)

// envPrefix is the prefix of our environment variables.
const envPrefix = "NHIP_"

// The keys of lists, which can be set in the file only.
const (
	feedsKey = "feeds"
	pullsKey = "pulls"
	zonesKey = "zones"

	sourcesKey = "sources"
	checksKey  = "air.checks"
	alertsKey  = "air.alerts"
	rulesKey   = "access.oidc.rules"
	hooksKey   = "reminders.webhooks"
)

// settings returns the keys with one value, in the order of display. A test checks that each field of Config has a
// key.
func (c *Config) settings() []settings.Setting {
	return []settings.Setting{
		{Key: "http.listen", Value: settings.Text(&c.HTTP.Listen, settings.Listen)},
		{Key: "http.public_url", Value: settings.Text(&c.HTTP.PublicURL, settings.WebAddress)},
		{Key: "http.plain", Value: settings.Bool(&c.HTTP.Plain)},
		{Key: "http.trusted_proxies", Value: settings.TextList(&c.HTTP.TrustedProxies, settings.Network)},
		{Key: "http.metrics", Value: settings.Choice(&c.HTTP.Metrics, MetricsOperator, MetricsPublic)},
		{Key: "http.limits.connections", Value: settings.Count(&c.HTTP.Limits.Connections, maxConnections)},
		{Key: "http.limits.per_address", Value: settings.Count(&c.HTTP.Limits.PerAddress, maxConnections)},
		{Key: "http.limits.bodies", Value: settings.Count(&c.HTTP.Limits.Bodies, maxConnections)},
		{Key: "http.limits.history", Value: settings.Count(&c.HTTP.Limits.History, maxConnections)},
		{Key: "http.limits.client_rate", Value: settings.Count(&c.HTTP.Limits.ClientRate, maxUnitRate)},
		{Key: "http.limits.key_rate", Value: settings.Count(&c.HTTP.Limits.KeyRate, maxUnitRate)},
		{Key: "http.limits.spare_rate", Value: settings.Count(&c.HTTP.Limits.SpareRate, maxUnitRate)},
		{Key: "http.tls.cert", Value: settings.Text(&c.HTTP.TLS.Cert, settings.Printable)},
		{Key: "http.tls.key", Value: settings.Text(&c.HTTP.TLS.Key, settings.Printable)},
		{Key: "http.streams.max", Value: settings.Count(&c.HTTP.Streams.Max, maxConnections)},
		{Key: "http.streams.per_address", Value: settings.Count(&c.HTTP.Streams.PerAddress, maxConnections)},
		{Key: "mqtt.listen", Value: settings.Text(&c.MQTT.Listen, settings.Listen)},
		{Key: "mqtt.plain", Value: settings.Bool(&c.MQTT.Plain)},
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
		{Key: "collector.photo_bytes", Value: settings.Size(&c.Collector.PhotoBytes, minPhotoBytes)},
		{Key: "collector.photo_keep", Value: settings.Days(&c.Collector.PhotoKeep, minPhotoKeep, maxKeep)},
		{Key: "collector.hfp", Value: settings.Bool(&c.Collector.HFP)},
		{Key: "collector.new_devices", Value: settings.Count(&c.Collector.NewDevices, maxBudget)},
		{Key: "collector.new_feed_devices", Value: settings.Count(&c.Collector.NewFeedDevices, maxBudget)},
		{Key: "collector.row_rate", Value: settings.Count(&c.Collector.RowRate, maxBudget)},
		{Key: "collector.late_window", Value: settings.Days(&c.Collector.LateWindow, minLateWindow, maxLateWindow)},
		{Key: "stations.unknown", Value: settings.Choice(&c.Stations.Unknown, fleet.Public, fleet.Private)},
		{Key: "forward.journal_bytes", Value: settings.Size(&c.Forward.JournalBytes, minJournalBytes)},
		{Key: "forward.min_free", Value: settings.Size(&c.Forward.MinFree, minMinFree)},
		{Key: "public.listen", Value: settings.Text(&c.Public.Listen, optionalListen)},
		{Key: "public.mqtt", Value: settings.Text(&c.Public.MQTT, optionalListen)},
		{Key: "public.mqtts", Value: settings.Text(&c.Public.MQTTS, optionalListen)},
		{Key: "public.anonymous", Value: settings.Bool(&c.Public.Anonymous)},
		{Key: "push.listen", Value: settings.Text(&c.Push.Listen, settings.Listen)},
		{Key: "files.root", Value: settings.Text(&c.Files.Root, settings.Printable)},
		{Key: "health.listen", Value: settings.Text(&c.Health.Listen, settings.Listen)},
		{Key: "outgoing.allow", Value: settings.TextList(&c.Outgoing.Allow, allowRule)},
		{Key: "outgoing.proxy", Value: settings.Text(&c.Outgoing.Proxy, proxyRule)},
		{Key: "influx.url", Value: settings.Text(&c.Influx.URL, settings.WebAddress)},
		{Key: "influx.listen", Value: settings.Text(&c.Influx.Listen, localListen)},
		{Key: "influx.token", Value: settings.Text(&c.Influx.Token, settings.Printable), Secret: true},
		{Key: "influx.org", Value: settings.Text(&c.Influx.Org, settings.Printable)},
		{Key: "influx.bucket", Value: settings.Text(&c.Influx.Bucket, settings.Name)},
		{Key: "influx.backlog_rate", Value: settings.Count(&c.Influx.BacklogRate, maxBacklogRate)},
		{Key: "reports.per_address", Value: settings.Count(&c.Reports.PerAddress, maxReports)},
		{Key: "reports.per_hour", Value: settings.Count(&c.Reports.PerHour, maxReports)},
		{Key: "reports.keep_contact", Value: settings.Days(&c.Reports.KeepContact, minPhotoKeep, maxKeep)},
		{Key: "reports.form_secret", Value: settings.Text(&c.Reports.FormSecret, formSecret), Secret: true},
		{Key: "reminders.per_address", Value: settings.Count(&c.Reminders.PerAddress, nhip.MaxReminders)},
		{Key: "reminders.per_key", Value: settings.Count(&c.Reminders.PerKey, nhip.MaxReminders)},
		{Key: "access.oidc.issuer", Value: settings.Text(&c.Access.OIDC.Issuer, issuerRule)},
		{Key: "access.oidc.client_id", Value: settings.Text(&c.Access.OIDC.ClientID, settings.Printable)},
		{
			Key: "access.oidc.client_secret", Value: settings.Text(&c.Access.OIDC.ClientSecret, settings.Printable),
			Secret: true,
		},
		{Key: "access.oidc.client_secret_file", Value: settings.Text(&c.Access.OIDC.ClientSecretFile, settings.Printable)},
		{Key: "access.oidc.redirect", Value: settings.Text(&c.Access.OIDC.Redirect, redirectRule)},
		{Key: "access.oidc.scopes", Value: settings.TextList(&c.Access.OIDC.Scopes, scopeRule)},
		{Key: "access.oidc.session", Value: settings.Days(&c.Access.OIDC.Session, minSignIn, openid.MaxSession)},
		{Key: "fleet", Value: settings.Text(&c.Fleet, settings.Printable)},
		{Key: "gtfs", Value: settings.Text(&c.GTFS, settings.Printable)},
		{Key: "gtfs_agency.name", Value: settings.Text(&c.Agency.Name, settings.Printable)},
		{Key: "gtfs_agency.zone", Value: settings.Text(&c.Agency.Zone, settings.Zone)},
		{Key: "air.zone", Value: settings.Text(&c.Air.Zone, settings.Zone)},
		{Key: "air.reach", Value: settings.Number(&c.Air.Reach, minReach, maxReach)},
		{Key: "air.completeness", Value: settings.Number(&c.Air.Completeness, 1, percent)},
		{Key: "air.review_reasons", Value: settings.TextList(&c.Air.ReviewReasons, reasonRule)},
		{Key: "air.webhook.url", Value: settings.Text(&c.Air.Webhook.URL, settings.WebAddress)},
		{Key: "air.webhook.secret", Value: settings.Text(&c.Air.Webhook.Secret, settings.Printable), Secret: true},
		{Key: "air.mail.host", Value: settings.Text(&c.Air.Mail.Host, settings.Printable)},
		{Key: "air.mail.port", Value: settings.Count(&c.Air.Mail.Port, maxPort)},
		{Key: "air.mail.username", Value: settings.Text(&c.Air.Mail.Username, settings.Printable)},
		{Key: "air.mail.password", Value: settings.Text(&c.Air.Mail.Password, settings.Printable), Secret: true},
		{Key: "air.mail.from", Value: settings.Text(&c.Air.Mail.From, mailAddress)},
		{Key: "air.mail.to", Value: settings.TextList(&c.Air.Mail.To, mailAddress)},
		{Key: "air.mail.plain", Value: settings.Bool(&c.Air.Mail.Plain)},
		{Key: "predict.lean", Value: settings.Number(&c.Predict.Lean, 0, 1)},
		{Key: "retention.position", Value: settings.Days(&c.Retention.Position, 0, maxLateWindow)},
		{Key: "retention.reading", Value: settings.Days(&c.Retention.Reading, 0, maxLateWindow)},
		{Key: "retention.arrival", Value: settings.Days(&c.Retention.Arrival, 0, maxLateWindow)},
		{Key: "map.style", Value: settings.Text(&c.Map.Style, settings.WebAddress)},
		{Key: "map.pmtiles", Value: settings.Text(&c.Map.PMTiles, settings.Printable)},
		{Key: "map.center", Value: settings.Point(&c.Map.Center)},
		{Key: "map.zoom", Value: settings.Number(&c.Map.Zoom, 0, maxZoom)},
		{Key: "map.attribution", Value: settings.Text(&c.Map.Attribution, settings.Printable)},
		{Key: "data.license", Value: settings.Text(&c.Data.License, settings.Printable)},
		{Key: "data.license_url", Value: settings.Text(&c.Data.LicenseURL, settings.WebAddress)},
		{Key: "data.source", Value: settings.Text(&c.Data.Source, settings.Printable)},
		{Key: "places", Value: settings.Text(&c.Places, settings.Printable)},
	}
}

// localListen accepts an address that only this machine reaches, or an empty text.
func localListen(s string) error {
	at, err := netip.ParseAddrPort(s)
	if s == "" || err == nil && at.Addr().IsLoopback() && at.Addr().Zone() == "" {
		return nil
	}
	return fmt.Errorf("must be an address of this machine only, as in 127.0.0.1:8086, got %s", settings.Shown(s))
}

// formSecret accepts a text that can't be guessed, or an empty one.
func formSecret(s string) error {
	if s != "" && len(s) < minFormSecret {
		return fmt.Errorf("must have at least %d characters", minFormSecret)
	}
	return settings.Printable(s)
}

// optionalListen accepts an address to listen on, or an empty text.
func optionalListen(s string) error {
	if s == "" {
		return nil
	}
	return settings.Listen(s)
}

// settings returns the keys of one feed, with a prefix as in "feeds[0].".
func (f *Feed) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "name", Value: settings.Text(&f.Name, settings.Printable)},
		{Key: prefix + "topic", Value: settings.Text(&f.Topic, settings.Name)},
		{Key: prefix + "format", Value: settings.Text(&f.Format, settings.Name)},
		{Key: prefix + "agency", Value: settings.Text(&f.Agency, settings.ID)},
		{Key: prefix + "latency", Value: settings.Duration(&f.Latency)},
		{Key: prefix + "timetable", Value: settings.Text(&f.Timetable, settings.Printable)},
		{Key: prefix + "predictions", Value: predictions(&f.Predictions)},
		{Key: prefix + "zone", Value: settings.Text(&f.Zone, settings.Zone)},
		{Key: prefix + "period", Value: settings.Duration(&f.Period)},
		{Key: prefix + "speed_unit", Value: settings.Text(&f.SpeedUnit, settings.SpeedUnit)},
		{Key: prefix + "fields", Value: settings.Text(&f.Fields, settings.Printable)},
	}
}

// allowRule accepts an entry of outgoing.allow.
func allowRule(s string) error {
	if s == "" {
		return nil
	}
	if _, err := outbound.ParseAllow(s); err != nil {
		return fmt.Errorf("%w, got %s", err, settings.Shown(s))
	}
	return nil
}

// proxyRule accepts outgoing.proxy. The value may contain a password.
func proxyRule(s string) error { return outbound.CheckProxy(s) }

// settings returns the keys of one pull, with a prefix as in "pulls[0].".
func (p *Pull) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "name", Value: settings.Text(&p.Name, settings.ID)},
		{Key: prefix + "url", Value: settings.Text(&p.URL, settings.WebAddress)},
		{Key: prefix + "every", Value: settings.Days(&p.Every, time.Second, time.Hour)},
		{Key: prefix + "header", Value: settings.Text(&p.Header, settings.Printable), Secret: true},
		{Key: prefix + "timetable", Value: settings.Text(&p.Timetable, settings.Printable)},
		{Key: prefix + "predictions", Value: predictions(&p.Predictions)},
	}
}

// predictions accepts whose expected times are told, or an empty text.
func predictions(to *string) settings.Value {
	return settings.Text(to, func(s string) error {
		if s == "" {
			return nil
		}
		return settings.Choice(new(string), string(nhip.PredictionsOurs), string(nhip.PredictionsTheirs),
			string(nhip.PredictionsBetter)).Set(s)
	})
}

// settings returns the keys of one source, with a prefix as in "sources[0].".
func (s *Source) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "name", Value: settings.Text(&s.Name, settings.ID)},
		{Key: prefix + "url", Value: settings.Text(&s.URL, settings.QueueAddress), Address: true},
		{Key: prefix + "password", Value: settings.Text(&s.Password, settings.Printable), Secret: true},
		{Key: prefix + "ca", Value: settings.Text(&s.CA, settings.Printable)},
		{Key: prefix + "queue", Value: settings.Text(&s.Queue, queueName)},
		{Key: prefix + "format", Value: settings.Text(&s.Format, settings.Name)},
	}
}

// maxQueueName is the length of a short string of AMQP 0-9-1, in bytes.
const maxQueueName = 255

func queueName(s string) error {
	if len(s) > maxQueueName {
		return fmt.Errorf("must be at most %d bytes, got %d", maxQueueName, len(s))
	}
	return settings.Name(s)
}

// passwordVariable returns the variable of a source's password: NHIP_SOURCES_BUSES_PASSWORD for the name buses. Other
// characters than letters and digits are "_" in it.
func (s *Source) passwordVariable() string {
	return Variable(sourcesKey + "." + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s.Name) + ".password")
}

// settings returns the keys of one file of zones, with a prefix as in "zones[0].".
func (z *Zones) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "file", Value: settings.Text(&z.File, settings.Printable)},
		{Key: prefix + "kind", Value: settings.Text(&z.Kind, settings.ID)},
		{Key: prefix + "id", Value: settings.Text(&z.ID, settings.Printable)},
		{Key: prefix + "name_vi", Value: settings.Text(&z.NameVi, settings.Printable)},
		{Key: prefix + "name_en", Value: settings.Text(&z.NameEn, settings.Printable)},
		{Key: prefix + "from", Value: settings.Time(&z.From)},
		{Key: prefix + "to", Value: settings.Time(&z.To)},
	}
}

// Bounds of air.reach, m.
const minReach, maxReach = 100, 100_000

const maxPort = 65535

// maxReason is the length of a reason, bytes.
const maxReason = 200

// reasonRule accepts a reason of reviews: a Vietnamese and an English text.
func reasonRule(s string) error {
	vi, en, both := strings.Cut(s, "|")
	if s == "" || both && strings.TrimSpace(vi) != "" && strings.TrimSpace(en) != "" && len(s) <= maxReason {
		return settings.Printable(s)
	}
	return fmt.Errorf("must be a Vietnamese and an English text, as in Bảo dưỡng | Maintenance, got %s", settings.Shown(s))
}

// mailAddress accepts an e-mail address, or an empty text.
func mailAddress(s string) error {
	if s == "" {
		return nil
	}
	if _, err := mail.ParseAddress(s); err != nil {
		return fmt.Errorf("must be an e-mail address, got %s", settings.Shown(s))
	}
	return nil
}

// maxHold bounds how long a threshold must be exceeded before an alert.
const maxHold = 7 * 24 * time.Hour

// settings returns the keys of one alert, with a prefix as in "air.alerts[0].".
func (a *Alert) settings(prefix string) []settings.Setting {
	return []settings.Setting{
		{Key: prefix + "name", Value: settings.Text(&a.Name, settings.ID)},
		{Key: prefix + "measure", Value: settings.Text(&a.Measure, measureName)},
		{Key: prefix + "station", Value: settings.Text(&a.Station, settings.Printable)},
		{Key: prefix + "area", Value: settings.Text(&a.Area, settings.Printable)},
		{Key: prefix + "tendency", Value: settings.Number(&a.Tendency, -maxLimit, maxLimit)},
		{Key: prefix + "preparing", Value: settings.Number(&a.Preparing, -maxLimit, maxLimit)},
		{Key: prefix + "exceed", Value: settings.Number(&a.Exceed, -maxLimit, maxLimit)},
		{Key: prefix + "hysteresis", Value: settings.Number(&a.Hysteresis, 0, maxLimit)},
		{Key: prefix + "hold", Value: settings.Days(&a.Hold, 0, maxHold)},
	}
}

// configured returns the keys of an alert that are set. A threshold that is not set is NaN.
func (a *Alert) configured(prefix string) []settings.Setting {
	return slices.DeleteFunc(a.settings(prefix), func(s settings.Setting) bool { return s.Value.String() == "NaN" })
}

func measureName(s string) error {
	others := []string{alert.MeasureSilent, alert.MeasureFrozen, alert.MeasureCapture}
	q, known := nhip.ParseQuantity(s)
	if known && !q.Circular() || aqi.Known(nhip.Scale(s)) || slices.Contains(others, s) {
		return nil
	}
	return fmt.Errorf("must be a quantity as in pm25, VN_AQI, US_EPA, WHO, %s, %s or %s, got %s",
		alert.MeasureSilent, alert.MeasureFrozen, alert.MeasureCapture, settings.Shown(s))
}

const (
	maxLimit = 1e9 // of a check or a threshold, in any unit
	percent  = 100
)

// settings returns the keys of one check, with a prefix as in "air.checks[0].".
func (c *Check) settings(prefix string) []settings.Setting {
	all := []settings.Setting{
		{Key: prefix + "check", Value: settings.Text(&c.Check, checkName)},
		{Key: prefix + "quantity", Value: settings.Text(&c.Quantity, quantityName)},
		{Key: prefix + "kind", Value: settings.Choice(&c.Kind, fleet.Reference, fleet.LowCost)},
		{Key: prefix + "off", Value: settings.Bool(&c.Off)},
	}
	fields := c.Limits.Fields()
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		all = append(all, settings.Setting{Key: prefix + name, Value: settings.Number(fields[name], -maxLimit, maxLimit)})
	}
	return all
}

// configured returns the keys of a check that are set.
func (c *Check) configured(prefix string) []settings.Setting {
	return slices.DeleteFunc(c.settings(prefix), func(s settings.Setting) bool {
		_, isLimit := c.Limits.Fields()[strings.TrimPrefix(s.Key, prefix)]
		return isLimit && !slices.Contains(c.limitNames(), strings.TrimPrefix(s.Key, prefix))
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

// required returns the required keys of a feed.
func required(prefix string) []string {
	return []string{prefix + "topic", prefix + "format", prefix + "agency"}
}

// all returns the keys with one value and then the keys of lists.
func (c *Config) all() []settings.Setting {
	all := c.settings()
	for i := range c.Feeds {
		all = append(all, c.Feeds[i].settings(prefix(feedsKey, i))...)
	}
	for i := range c.Pulls {
		all = append(all, c.Pulls[i].settings(prefix(pullsKey, i))...)
	}
	for i := range c.Sources {
		all = append(all, c.Sources[i].settings(prefix(sourcesKey, i))...)
	}
	for i := range c.Zones {
		all = append(all, c.Zones[i].settings(prefix(zonesKey, i))...)
	}
	for i := range c.Air.Alerts {
		all = append(all, c.Air.Alerts[i].configured(prefix(alertsKey, i))...)
	}
	for i := range c.Access.OIDC.Rules {
		all = append(all, c.Access.OIDC.Rules[i].settings(prefix(rulesKey, i))...)
	}
	for i := range c.Reminders.Webhooks {
		all = append(all, c.Reminders.Webhooks[i].settings(prefix(hooksKey, i))...)
	}
	for i := range c.Air.Checks {
		all = append(all, c.Air.Checks[i].configured(prefix(checksKey, i))...)
	}
	return all
}

// prefix returns the prefix of the keys of a list's item.
func prefix(list string, i int) string { return fmt.Sprintf("%s[%d].", list, i) }

// Variable returns the name of the environment variable of a key: NHIP_HTTP_LISTEN for http.listen.
func Variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}
