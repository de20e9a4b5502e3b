package config

import (
	"fmt"
	"strings"
	"time"
)

// maxZoom is where MapLibre's zoom levels end.
const maxZoom = 22

// Bounds of what may be set. A journal gives room back in pieces that hold its longest record.
const (
	minJournalBytes = 64 << 20
	minDeadBytes    = 1 << 20
	minMinFree      = 16 << 20
	minLateWindow   = time.Hour
	maxLateWindow   = 10 * 366 * day
	maxBacklogRate  = 10_000_000 // rows a second, beyond any database
)

// envPrefix begins the name of every variable of ours.
const envPrefix = "NHIP_"

// feedsKey is the one key that holds a list; it is set in the file only.
const feedsKey = "feeds"

// setting is one key and the value behind it.
type setting struct {
	key    string
	value  value
	secret bool // never shown
}

// settings are the keys that hold one value, in the order in which they are shown. What is missing
// here can't be set; a test holds it against the fields of Config.
func (c *Config) settings() []setting {
	return []setting{
		{key: "http.listen", value: text{&c.HTTP.Listen, listen}},
		{key: "http.public_url", value: text{&c.HTTP.PublicURL, webAddress}},
		{key: "mqtt.listen", value: text{&c.MQTT.Listen, listen}},
		{key: "broker.url", value: text{&c.Broker.URL, brokerAddress}},
		{key: "broker.username", value: text{&c.Broker.Username, printable}},
		{key: "broker.password", value: text{&c.Broker.Password, printable}, secret: true},
		{key: "collector.id", value: text{&c.Collector.ID, id}},
		{key: "collector.journal_bytes", value: size{&c.Collector.JournalBytes, minJournalBytes}},
		{key: "collector.min_free", value: size{&c.Collector.MinFree, minMinFree}},
		{key: "collector.dead_bytes", value: size{&c.Collector.DeadBytes, minDeadBytes}},
		{key: "collector.late_window", value: days{span{&c.Collector.LateWindow}, minLateWindow, maxLateWindow}},
		{key: "health.listen", value: text{&c.Health.Listen, listen}},
		{key: "influx.url", value: text{&c.Influx.URL, webAddress}},
		{key: "influx.token", value: text{&c.Influx.Token, printable}, secret: true},
		{key: "influx.org", value: text{&c.Influx.Org, printable}},
		{key: "influx.bucket", value: text{&c.Influx.Bucket, name}},
		{key: "influx.backlog_rate", value: count{&c.Influx.BacklogRate, maxBacklogRate}},
		{key: "gtfs", value: text{&c.GTFS, printable}},
		{key: "map.style", value: text{&c.Map.Style, webAddress}},
		{key: "map.center", value: point{&c.Map.Center}},
		{key: "map.zoom", value: number{&c.Map.Zoom, 0, maxZoom}},
		{key: "map.attribution", value: text{&c.Map.Attribution, printable}},
	}
}

// settings are the keys of one feed, each behind a prefix as in "feeds[0].".
func (f *Feed) settings(prefix string) []setting {
	return []setting{
		{key: prefix + "topic", value: text{&f.Topic, name}},
		{key: prefix + "format", value: text{&f.Format, name}},
		{key: prefix + "agency", value: text{&f.Agency, id}},
		{key: prefix + "latency", value: span{&f.Latency}},
		{key: prefix + "zone", value: text{&f.Zone, zone}},
		{key: prefix + "period", value: span{&f.Period}},
		{key: prefix + "speed_unit", value: text{&f.SpeedUnit, speedUnit}},
		{key: prefix + "fields", value: text{&f.Fields, printable}},
	}
}

// required are a feed's keys without which it means nothing.
func required(prefix string) []string {
	return []string{prefix + "topic", prefix + "format", prefix + "agency"}
}

// all are the settings and those of each feed.
func (c *Config) all() []setting {
	all := c.settings()
	for i := range c.Feeds {
		all = append(all, c.Feeds[i].settings(feedPrefix(i))...)
	}
	return all
}

func feedPrefix(i int) string { return fmt.Sprintf("%s[%d].", feedsKey, i) }

// Variable returns the name of the environment variable that sets a key: NHIP_HTTP_LISTEN for
// http.listen.
func Variable(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// find returns the setting of a key.
func find(all []setting, key string) (setting, bool) {
	for _, s := range all {
		if s.key == key {
			return s, true
		}
	}
	return setting{}, false
}

// names lists the keys directly below a prefix, for whoever wrote one that is not there.
func names(all []setting, prefix string) []string {
	var names []string
	for _, s := range all {
		rest, below := strings.CutPrefix(s.key, prefix)
		name, _, _ := strings.Cut(rest, ".")
		if below && (len(names) == 0 || names[len(names)-1] != name) { // sections stand together
			names = append(names, name)
		}
	}
	if prefix == "" {
		names = append(names, feedsKey)
	}
	return names
}
