package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"nhip"
	"nhip/api"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/gateway"
	"nhip/geo/gtfs"
	"nhip/internal/config"
	"nhip/internal/mqtt"
)

// errFaulty ends nhip check when it has printed the faults, as they are: an editor finds the lines.
var errFaulty = errors.New("faulty configuration")

// checkCmd is nhip check.
type checkCmd struct {
	settingFlags

	DataDir string `help:"Data folder, for its fleet." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
	File    string `arg:"" optional:"" help:"Configuration file (YAML); without one, the defaults and the environment."`
}

// settingFlags are the flags that lie over the configuration.
type settingFlags struct {
	HTTP      string `help:"Address of the API and the map; port 0 picks a free one." placeholder:"HOST:PORT"`
	MQTT      string `help:"Address of the embedded broker; port 0 picks a free one." placeholder:"HOST:PORT"`
	Fleet     string `help:"The fleet file; default: fleet.yaml of the data folder, where there is one." type:"path" placeholder:"FILE"`
	GTFS      string `help:"Timetable to draw and, with --simulate, to drive; a path or an address, several with commas between." placeholder:"ZIP"`
	InfluxURL string `help:"An InfluxDB elsewhere instead of the embedded one; its token is influx.token of the configuration or NHIP_INFLUX_TOKEN." placeholder:"URL"`
}

func (f *settingFlags) flags() []config.Flag {
	return []config.Flag{
		{Name: "--http", Key: "http.listen", Value: f.HTTP},
		{Name: "--mqtt", Key: "mqtt.listen", Value: f.MQTT},
		{Name: "--fleet", Key: "fleet", Value: f.Fleet},
		{Name: "--gtfs", Key: "gtfs", Value: f.GTFS},
		{Name: "--influx-url", Key: "influx.url", Value: f.InfluxURL},
	}
}

// Run prints the effective configuration, or every fault that would keep nhip from starting.
func (c *checkCmd) Run(e *env) error {
	set := effective(c.File, c.flags())
	checkTimetable(set)
	err := set.Err()
	if _, fault := readFleet(&set.Config, c.DataDir); fault != nil {
		err = errors.Join(err, fault)
	}
	if tiles := set.Map.PMTiles; tiles != "" {
		if fault := api.CheckBasemap(tiles); fault != nil {
			err = errors.Join(err, fmt.Errorf("map.pmtiles: %w", fault))
		}
	}
	if _, fault := readZones(&set.Config); fault != nil {
		err = errors.Join(err, fault)
	}
	if err != nil {
		fmt.Fprintln(e.stderr, err)
		return errFaulty
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 3, ' ', 0)
	for _, s := range set.Entries() {
		fmt.Fprintf(w, "%s = %s\t(%s)\n", s.Key, s.Value, s.Origin)
	}
	return w.Flush()
}

// effective is what defaults, file, environment and flags make together, with every fault.
func effective(path string, flags []config.Flag) *config.Effective {
	set := config.Load(config.Sources{Path: path, Environ: os.Environ(), Flags: flags})
	for i, f := range set.Feeds {
		checkFeed(set, fmt.Sprintf("feeds[%d].", i), f)
	}
	for i, p := range set.Pulls {
		if _, _, err := gateway.ParseHeader(p.Header); err != nil {
			set.Refuse(fmt.Sprintf("pulls[%d].header", i), err.Error())
		}
	}
	checkTogether(set)
	checkPlain(set)
	return set
}

// checkTogether refuses what means nothing without another key.
func checkTogether(set *config.Effective) {
	for _, c := range []struct{ key, value, needs, with string }{
		{"broker.ca", set.Broker.CA, "broker.url", set.Broker.URL},
		{"broker.username", set.Broker.Username, "broker.url", set.Broker.URL},
		{"broker.password", set.Broker.Password, "broker.url", set.Broker.URL},
		{"influx.token", set.Influx.Token, "influx.url", set.Influx.URL},
		{"influx.org", set.Influx.Org, "influx.url", set.Influx.URL},
		{"air.webhook.url", set.Air.Webhook.URL, "air.webhook.secret", set.Air.Webhook.Secret},
		{"air.webhook.secret", set.Air.Webhook.Secret, "air.webhook.url", set.Air.Webhook.URL},
		{"air.mail.host", set.Air.Mail.Host, "air.mail.from", set.Air.Mail.From},
		{"air.mail.host", set.Air.Mail.Host, "air.mail.to", strings.Join(set.Air.Mail.To, " ")},
		{"air.mail.from", set.Air.Mail.From, "air.mail.host", set.Air.Mail.Host},
		{"air.mail.username", set.Air.Mail.Username, "air.mail.host", set.Air.Mail.Host},
		{"air.mail.password", set.Air.Mail.Password, "air.mail.username", set.Air.Mail.Username},
		{"public.anonymous", onlyIf(set.Public.Anonymous), "public.listen", set.Public.Listen},
		{"http.tls.cert", set.HTTP.TLS.Cert, "http.tls.key", set.HTTP.TLS.Key},
		{"http.tls.key", set.HTTP.TLS.Key, "http.tls.cert", set.HTTP.TLS.Cert},
		{"mqtt.tls.cert", set.MQTT.TLS.Cert, "mqtt.tls.key", set.MQTT.TLS.Key},
		{"mqtt.tls.key", set.MQTT.TLS.Key, "mqtt.tls.cert", set.MQTT.TLS.Cert},
		{"mqtt.tls.client_ca", set.MQTT.ClientCA, "mqtt.tls.cert", set.MQTT.TLS.Cert},
		{"mqtt.tls.crl", set.MQTT.CRL, "mqtt.tls.client_ca", set.MQTT.ClientCA},
	} {
		if c.value != "" && c.with == "" {
			set.Refuse(c.key, "has no effect without "+c.needs)
		}
	}
	if least := set.Collector.LateWindow + lateJudging; set.Retention.Reading > 0 && set.Retention.Reading < least {
		set.Refuse("retention.reading", fmt.Sprintf("must be at least %s: collector.late_window, in which readings may still come, and two days around them", least))
	}
}

// lateJudging is how much around a late reading is looked at to judge it.
const lateJudging = 48 * time.Hour

// onlyIf is some text for a switch that is on.
func onlyIf(on bool) string {
	if on {
		return "true"
	}
	return ""
}

// checkPlain refuses a door that strangers reach and that says everything in the clear, unless that is
// asked for: a proxy in front may do the rest.
func checkPlain(set *config.Effective) {
	for _, d := range []struct {
		section, listen, cert string
		plain                 bool
	}{
		{"http", set.HTTP.Listen, set.HTTP.TLS.Cert, set.HTTP.Plain},
		{"mqtt", set.MQTT.Listen, set.MQTT.TLS.Cert, set.MQTT.Plain},
		{"push", set.Push.Listen, set.HTTP.TLS.Cert, set.HTTP.Plain},
		{"public", set.Public.Listen, set.HTTP.TLS.Cert, set.HTTP.Plain},
	} {
		tls := d.section
		if d.section != "mqtt" {
			tls = "http" // whose certificate it has
		}
		if d.listen != "" && d.cert == "" && !d.plain && !loopback(d.listen) {
			set.Refuse(d.section+".listen", fmt.Sprintf("is reached from other machines and would be plain; set %s.tls, or %s.plain where something in front has TLS", tls, tls))
		}
	}
}

// loopback reports whether an address is reached from this machine only.
func loopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkFeed refuses what the collector can't read. What is empty has been refused already.
func checkFeed(set *config.Effective, prefix string, f config.Feed) {
	formats := collector.Formats()
	if f.Format != "" && !slices.Contains(formats, f.Format) {
		set.Refuse(prefix+"format", fmt.Sprintf("must be one of %s, got %q", strings.Join(formats, ", "), f.Format))
	}
	var fault *nhip.Error
	if _, err := decode.ParseFields(f.Fields); errors.As(err, &fault) {
		set.Refuse(prefix+"fields", fault.Rule)
	}
	if f.Topic == "" {
		return
	}
	if err := mqtt.CheckFilter(f.Topic); errors.As(err, &fault) {
		set.Refuse(prefix+"topic", fault.Rule)
	}
}

// checkTimetable reads the timetable, as nhip up will.
func checkTimetable(set *config.Effective) {
	if set.GTFS == "" {
		return
	}
	for _, path := range strings.Split(set.GTFS, ",") {
		path = strings.TrimSpace(path)
		if strings.Contains(path, "://") {
			continue // it is fetched at the start
		}
		if _, err := gtfs.ReadFile(path); err != nil {
			set.Refuse("gtfs", "can't read the timetable: "+err.Error())
		}
	}
}
