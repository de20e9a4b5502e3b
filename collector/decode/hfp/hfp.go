// Package hfp decodes HSL's High-Frequency Positioning, version 2.
//
// The topic names the vehicle and, for a bus on a journey, its line, headsign and next stop:
//
//	/hfp/v2/<journey_type>/<temporal_type>/<event>/<mode>/<operator>/<vehicle>/<route>/<direction>/
//	  <headsign>/<start>/<next_stop>/<geohash_level>/<geohash…>/<junction>
//
//	/hfp/v2/journey/ongoing/dep/bus/0018/01029/5520/1/Martinlaakso/17:35/4170293/5/60;24/28/65/93
//	{"DEP":{"desi":"520","dir":"1","oper":6,"veh":1029,"tst":"2024-02-13T16:33:00.479Z",
//	 "tsi":1707841980,"spd":0.00,"hdg":null,"lat":60.269247,"long":24.853777,"acc":0.00,"dl":-240,
//	 "odo":25045,"drst":0,"oday":"2024-02-13","jrn":632,"line":1110,"start":"17:35","loc":"ODO",
//	 "stop":4150208,"route":"5520","occu":0,"ttarr":"2024-02-13T16:29:00.000Z", …}}
//
// A topic may end after the vehicle; those of dead runs, sign-offs and passenger counts do. The
// payload is one object under the event's name in capitals. Any event of the standard is taken: vp
// due arr dep ars pde pas wait doo doc tlr tla da dout ba bout vja vjout, and HSL's passenger counts
// apc and apc-partial. What is not listed below (acc, jrn, line, oper, seq, label, ttarr, ttdep, the
// tlp-… of signal requests) is passed over: the format is HSL's and grows.
//
// Traps, with what becomes of each:
//
//   - The vehicle is operator and number of the TOPIC ("0018/01029"): oper in the payload is who runs
//     the trip, often somebody else, and veh has lost its zeros.
//   - dl counts seconds AHEAD of the timetable; a delay counts behind. Direction 1 and 2 are GTFS's 0
//     and 1. An event has its stop in the payload (stop, a number, a text or null) and the next one in
//     the topic, where EOL is none: a bus that departs names two.
//   - tst is what counts, tsi (whole seconds) only where tst is null. Everything else may be null.
//   - start is on the 24-hour clock: after midnight it becomes GTFS's 24:10 (see message.start).
//   - upcoming says, beside a vehicle's own vp and with the same tst, which trip it will run next: its
//     events are kept as "upcoming-vp". Neither they, nor counts, nor dead runs, nor messages without
//     coordinates move a bus. A dead run keeps naming the route it came from.
//   - loc tells where coordinates come from. Only GPS is received; ODO, MAN and DR are estimated, and
//     with N/A there are none.
//   - A negative spd is what the odometer makes of being set back between trips: not said.
//   - occu 0 is what buses without counters say: not said. A count's load of -1 is one that has gone
//     astray: not said, and neither is anything of a count whose quality is not "regular".
//   - A headsign may hold a slash: it ends where a level looks like the start.
//
// To test one: nhip replay plays a recording (time, topic, payload on a line); or publish a payload on
// its topic with mosquitto_pub -q 1 and ask for the bus, or for the dead letter.
//
// Source: HSL, "High-frequency positioning"; recordings of seven buses.
package hfp

import (
	"strings"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Decoder reads HFP v2.
var Decoder = decode.Decoder{Format: "hfp", Version: 2, Decode: read}

func read(in decode.Input, out *nhip.Facts) error {
	p := nhip.Position{Agency: in.Feed.Agency}
	kind, err := readTopic(in.Topic, &p)
	if err != nil {
		return err
	}
	s := jsonscan.New(in.Payload)
	seen := false
	err = s.Object(func(key []byte) error {
		if seen || !strings.EqualFold(string(key), kind.key) {
			return nhip.Errorf(nhip.Malformed, "", "the topic says this is one %s event", kind.key)
		}
		seen = true
		return readEvent(&s, &p, in.Feed.Zone)
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return err
	}
	if !seen {
		return nhip.Errorf(nhip.Missing, kind.key, "is required")
	}
	decode.Own(&p.Vehicle, &p.Route, &p.Line, &p.Headsign, &p.StartTime, &p.NextStop, &p.Stop)
	out.Positions = append(out.Positions, p)
	return nil
}
