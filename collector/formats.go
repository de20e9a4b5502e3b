package collector

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"nhip/collector/decode"
	"nhip/collector/decode/airgradient"
	"nhip/collector/decode/airnow"
	"nhip/collector/decode/chirpstack"
	"nhip/collector/decode/csvfile"
	"nhip/collector/decode/gtfsrt"
	"nhip/collector/decode/hfp"
	"nhip/collector/decode/openaq"
	"nhip/collector/decode/position"
	"nhip/collector/decode/purpleair"
	"nhip/collector/decode/reading"
	"nhip/collector/decode/say"
	"nhip/collector/decode/sensorcommunity"
	"nhip/collector/decode/stationfile"
	"nhip/collector/decode/tasmota"
	"nhip/collector/decode/tts"
	"nhip/collector/decode/ufms"
	"nhip/collector/decode/ufmsbus"
	"nhip/internal/topics"
)

// formats returns all decoders. A new format needs one line here and a package under decode.
func formats() []decode.Decoder {
	return []decode.Decoder{
		airgradient.Decoder,
		airnow.Decoder,
		chirpstack.Decoder,
		csvfile.Decoder,
		gtfsrt.Decoder,
		hfp.Decoder,
		openaq.Decoder,
		position.Decoder,
		purpleair.Decoder,
		reading.Decoder,
		sensorcommunity.Decoder,
		stationfile.Decoder,
		tasmota.Decoder,
		tts.Decoder,
		ufms.Decoder,
		ufmsbus.Decoder,
	}
}

// Decoder returns the decoder of a wire format; ok is false if there is none.
func Decoder(format string) (d decode.Decoder, ok bool) {
	all := formats()
	at := slices.IndexFunc(all, func(d decode.Decoder) bool { return d.Format == format })
	if at < 0 {
		return decode.Decoder{}, false
	}
	return all[at], true
}

// Formats returns the names of the wire formats that feeds may use, sorted.
func Formats() []string {
	var names []string
	for _, d := range formats() {
		names = append(names, d.Format)
	}
	slices.Sort(names)
	return names
}

// feed is a configured feed with its decoder.
type feed struct {
	decode.Feed
	decoder decode.Decoder
	version string // "format/version"
}

// userActionFeed returns the built-in feed of user actions, which can't be configured.
func userActionFeed() feed {
	f := decode.Feed{Topic: topics.UserActions, Format: say.Decoder.Format}
	return feed{Feed: f, decoder: say.Decoder, version: say.Decoder.Format + "/" + strconv.Itoa(say.Decoder.Version)}
}

// bindFeeds returns the feeds with their decoders.
func bindFeeds(feeds []decode.Feed) ([]feed, error) {
	var bound []feed
	for i, f := range feeds {
		d, known := Decoder(f.Format)
		if !known {
			return nil, fmt.Errorf("feeds[%d].format: %q is not one of %s", i, f.Format, strings.Join(Formats(), ", "))
		}
		if err := topics.CheckFilter(f.Topic); err != nil {
			return nil, fmt.Errorf("feeds[%d].%w", i, err)
		}
		bound = append(bound, feed{Feed: f, decoder: d, version: d.Format + "/" + strconv.Itoa(d.Version)})
	}
	return bound, nil
}
