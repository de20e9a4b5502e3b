package app

import (
	"cmp"
	"slices"
	"time"

	"nhip"
	"nhip/collector/decode"
	"nhip/internal/config"
	"nhip/internal/timetable"
	"nhip/internal/topics"
)

// Feeds returns all feeds of a collector: those of pulls with keys of their own, the configured ones, then those of
// messages that a gateway received over HTTP, from files or by polling (nhip/in/<format>/<device>), then those of
// imports. A message of the last two is decoded with the first configured feed of its format.
func Feeds(c *config.Config) []decode.Feed {
	var all []config.Feed
	for _, p := range c.Pulls {
		if f, ok := pullFeed(c, p); ok && (p.Timetable != "" || p.Predictions != "") {
			all = append(all, f)
		}
	}
	all = append(all, c.Feeds...)
	for _, f := range c.Feeds {
		f.Topic = topics.In + f.Format + "/+"
		if !slices.ContainsFunc(all, func(other config.Feed) bool { return topics.Covers(other.Topic, f.Topic) }) {
			all = append(all, f)
		}
	}
	for _, format := range ImportFormats() {
		all = append(all, importFeed(c, format))
	}
	out := make([]decode.Feed, len(all))
	for i, f := range all {
		fields, _ := decode.ParseFields(f.Fields) // LoadConfig has checked it
		out[i] = decode.Feed{
			Topic: f.Topic, Format: f.Format, Agency: f.Agency, Latency: f.Latency, Timetable: timetableOf(c, f.Timetable),
			Predictions: nhip.Predictions(f.Predictions),
			Zone:        location(f.Zone), Period: f.Period, SpeedUnit: f.SpeedUnit, Fields: fields,
		}
	}
	return out
}

// pullFormat is the format of pulls.
const pullFormat = "gtfs-rt"

// pullFeed returns the feed of a pull: the one that its messages would have otherwise, with the pull's own keys. It
// returns false if no feed has their format.
func pullFeed(c *config.Config, p config.Pull) (config.Feed, bool) {
	topic := topics.DeviceTopic(pullFormat, p.Name)
	i := slices.IndexFunc(c.Feeds, func(f config.Feed) bool { return topics.Match(f.Topic, topic) })
	if i < 0 {
		i = slices.IndexFunc(c.Feeds, func(f config.Feed) bool { return f.Format == pullFormat })
	}
	if i < 0 || c.Feeds[i].Format != pullFormat {
		return config.Feed{}, false
	}
	f := c.Feeds[i]
	f.Topic, f.Timetable = topic, cmp.Or(p.Timetable, f.Timetable)
	f.Predictions = cmp.Or(p.Predictions, f.Predictions)
	return f, true
}

// timetableOf returns the number of a timetable in gtfs, from 1, and 0 for "".
func timetableOf(c *config.Config, name string) int {
	if name == "" {
		return 0
	}
	i, err := timetable.Find(c.GTFS, name)
	if err != nil {
		return 0 // LoadConfig has refused it
	}
	return i + 1
}

// ImportFormats returns the formats of histories, which can be imported.
func ImportFormats() []string {
	return []string{"airnow", "csv", "openaq", "sensor-community", "station-file"}
}

// ImportFeed returns the feed by which an import of a format is decoded.
func ImportFeed(c *config.Config, format string) decode.Feed {
	feeds := Feeds(c)
	return feeds[slices.IndexFunc(feeds, func(f decode.Feed) bool { return f.Topic == importTopic(format) })]
}

func importTopic(format string) string { return topics.Import + format + "/+" }

// importAgency is the agency of an import if no configured feed has its format. Readings have no agency.
const importAgency = "import"

func importFeed(c *config.Config, format string) config.Feed {
	f := config.Feed{Format: format, Agency: importAgency}
	if i := slices.IndexFunc(c.Feeds, func(other config.Feed) bool { return other.Format == format }); i >= 0 {
		f = c.Feeds[i]
	}
	f.Topic = importTopic(format)
	return f
}

// location returns the time zone of a name that LoadConfig has checked; nil for "".
func location(name string) *time.Location {
	if name == "" {
		return nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}

// agenciesOf returns the agencies of the feeds.
func agenciesOf(c *config.Config) (out []string) {
	for _, f := range Feeds(c) {
		if f.Agency != "" {
			out = append(out, f.Agency)
		}
	}
	return out
}
