package app

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/collector"
	"nhip/collector/decode"
	"nhip/gateway"
	"nhip/internal/config"
	"nhip/internal/timetable"
	"nhip/internal/topics"
)

// LoadConfig reads the configuration as config.Load does, and adds the faults that only the roles can see: unknown
// formats, keys without effect, listeners without TLS. Its Err returns all faults.
func LoadConfig(s config.Sources) *config.Effective {
	set := config.Load(s)
	for i, f := range set.Feeds {
		prefix := fmt.Sprintf("feeds[%d].", i)
		checkFeed(set, prefix, f)
		checkTimetableName(set, prefix+"timetable", f.Timetable, f.Format)
		if f.Predictions != "" && f.Format != pullFormat {
			set.Refuse(prefix+"predictions", "has no effect on this format; it is for "+pullFormat)
		}
	}
	for i, p := range set.Pulls {
		if _, _, err := gateway.ParseHeader(p.Header); err != nil {
			set.Refuse(fmt.Sprintf("pulls[%d].header", i), err.Error())
		}
		checkTimetableName(set, fmt.Sprintf("pulls[%d].timetable", i), p.Timetable, pullFormat)
		_, ok := pullFeed(&set.Config, p)
		for _, own := range [...]struct{ key, value string }{
			{"timetable", p.Timetable}, {"predictions", p.Predictions},
		} {
			if !ok && own.value != "" {
				set.Refuse(fmt.Sprintf("pulls[%d].%s", i, own.key), "has no effect without a feed with the format "+pullFormat)
			}
		}
	}
	for i, s := range set.Sources {
		checkSource(set, fmt.Sprintf("sources[%d].", i), s)
	}
	checkDependencies(set)
	checkRetention(set)
	checkPlain(set)
	checkGuests(set)
	checkIssuer(set)
	return set
}

// checkFeed refuses a feed that no decoder can read. config.Load has refused empty keys.
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
	if err := topics.CheckFilter(f.Topic); errors.As(err, &fault) {
		set.Refuse(prefix+"topic", fault.Rule)
	}
}

// checkSource refuses a source whose messages no feed would decode. config.Load has refused empty keys.
func checkSource(set *config.Effective, prefix string, s config.Source) {
	if s.Format == "" {
		return
	}
	if formats := collector.Formats(); !slices.Contains(formats, s.Format) {
		set.Refuse(prefix+"format", fmt.Sprintf("must be one of %s, got %q", strings.Join(formats, ", "), s.Format))
		return
	}
	topic := topics.DeviceTopic(s.Format, s.Name)
	feeds := Feeds(&set.Config)
	i := slices.IndexFunc(feeds, func(f decode.Feed) bool { return topics.Match(f.Topic, topic) })
	if i < 0 || feeds[i].Format != s.Format {
		set.Refuse(prefix+"format", fmt.Sprintf("needs a feed of the format %s for the topic %s", s.Format, topic))
	}
}

// checkTimetableName refuses a timetable that is not in gtfs, and one of a feed whose messages name no trips.
func checkTimetableName(set *config.Effective, key, name, format string) {
	if name == "" {
		return
	}
	if trips := []string{"gtfs-rt", "hfp", "position", "ufms-bus"}; !slices.Contains(trips, format) {
		set.Refuse(key, "has no effect on this format; it is for "+strings.Join(trips, ", "))
		return
	}
	if _, err := timetable.Find(set.GTFS, name); err != nil {
		set.Refuse(key, err.Error())
	}
}

// credentials are the keys that may stand in an environment which all roles share, beside the file or the flag with the
// address for the one role that needs them.
func credentials() []string {
	return []string{
		"broker.ca", "broker.username", "broker.password", "influx.token", "influx.org", "air.webhook.secret",
		"air.mail.username", "air.mail.password", "access.oidc.client_secret",
	}
}

// checkDependencies refuses keys that have no effect without another key.
func checkDependencies(set *config.Effective) {
	for _, c := range []struct{ key, value, needs, with string }{
		{"broker.ca", set.Broker.CA, "broker.url", set.Broker.URL},
		{"broker.username", set.Broker.Username, "broker.url", set.Broker.URL},
		{"broker.password", set.Broker.Password, "broker.url", set.Broker.URL},
		{"influx.token", set.Influx.Token, "influx.url", set.Influx.URL},
		{"influx.org", set.Influx.Org, "influx.url", set.Influx.URL},
		{"air.webhook.url", set.Air.Webhook.URL, "air.webhook.secret", set.Air.Webhook.Secret},
		{"air.webhook.secret", set.Air.Webhook.Secret, "air.webhook.url", set.Air.Webhook.URL},
		{"air.mail.host", set.Air.Mail.Host, "air.mail.from", set.Air.Mail.From},
		{"air.mail.to", strings.Join(set.Air.Mail.To, " "), "air.mail.host", set.Air.Mail.Host},
		{"air.mail.from", set.Air.Mail.From, "air.mail.host", set.Air.Mail.Host},
		{"air.mail.username", set.Air.Mail.Username, "air.mail.host", set.Air.Mail.Host},
		{"air.mail.password", set.Air.Mail.Password, "air.mail.username", set.Air.Mail.Username},
		{
			"public.anonymous", textOf(set.Public.Anonymous), "public.listen, public.mqtt or public.mqtts",
			textOf(set.Public.Any()),
		},
		{"http.tls.cert", set.HTTP.TLS.Cert, "http.tls.key", set.HTTP.TLS.Key},
		{"http.tls.key", set.HTTP.TLS.Key, "http.tls.cert", set.HTTP.TLS.Cert},
		{"mqtt.tls.cert", set.MQTT.TLS.Cert, "mqtt.tls.key", set.MQTT.TLS.Key},
		{"mqtt.tls.key", set.MQTT.TLS.Key, "mqtt.tls.cert", set.MQTT.TLS.Cert},
		{"mqtt.tls.client_ca", set.MQTT.ClientCA, "mqtt.tls.cert", set.MQTT.TLS.Cert},
		{"mqtt.tls.crl", set.MQTT.CRL, "mqtt.tls.client_ca", set.MQTT.ClientCA},
	} {
		shared := set.FromEnvironment(c.key) && slices.Contains(credentials(), c.key)
		if c.value != "" && c.with == "" && !shared {
			set.Refuse(c.key, "has no effect without "+c.needs)
		}
	}
}

// textOf returns a text for a switch that is on, and "" for one that is off.
func textOf(on bool) string {
	if on {
		return "true"
	}
	return ""
}

// assessmentSpan is how much of the readings around a late one is read to assess it.
const assessmentSpan = 48 * time.Hour

// checkRetention refuses to delete readings that are still needed to assess late ones.
func checkRetention(set *config.Effective) {
	least := set.Collector.LateWindow + assessmentSpan
	if set.Retention.Reading > 0 && set.Retention.Reading < least {
		set.Refuse("retention.reading", fmt.Sprintf(
			"must be at least %s: collector.late_window, in which readings may still come, and two days around them", least))
	}
}

// checkPlain refuses a listener that other machines reach without TLS, unless the configuration asks for it: a proxy
// in front may have the certificate.
func checkPlain(set *config.Effective) {
	for _, l := range []struct {
		section, listen, cert string
		plain                 bool
	}{
		{"http", set.HTTP.Listen, set.HTTP.TLS.Cert, set.HTTP.Plain},
		{"mqtt", set.MQTT.Listen, set.MQTT.TLS.Cert, set.MQTT.Plain},
		{"push", set.Push.Listen, set.HTTP.TLS.Cert, set.HTTP.Plain},
		{"public", set.Public.Listen, set.HTTP.TLS.Cert, set.HTTP.Plain},
	} {
		tls := "http" // the section with the certificate
		if l.section == "mqtt" {
			tls = l.section
		}
		if l.listen != "" && l.cert == "" && !l.plain && !loopback(l.listen) {
			set.Refuse(l.section+".listen", fmt.Sprintf(
				"is reached from other machines and would be plain; set %s.tls, or %s.plain where something in front has TLS",
				tls, tls))
		}
	}
}

// checkGuests refuses listeners for guests that lack a certificate, or on which secrets would be sent in plain text.
func checkGuests(set *config.Effective) {
	if p := set.Public; p.MQTTS != "" && set.HTTP.TLS.Cert == "" {
		set.Refuse("public.mqtts", "needs the certificate of http.tls")
	} else if p.MQTT != "" && !p.Anonymous && !set.HTTP.Plain && !loopback(p.MQTT) {
		set.Refuse("public.mqtt", "is reached from other machines, and guests would send their secrets in plain text; "+
			"set public.anonymous, use public.mqtts, or set http.plain where something in front has TLS")
	}
}

// loopback reports whether only this machine reaches an address.
func loopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
