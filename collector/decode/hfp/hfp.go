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
// A topic may end after the vehicle, as those of dead runs, sign-offs and passenger counts do. The payload is one
// object under the event's name in capitals. All events of the standard are accepted: vp due arr dep ars pde pas wait
// doo doc tlr tla da dout ba bout vja vjout, and HSL's passenger counts apc and apc-partial. Fields that are not listed
// below (acc, jrn, line, oper, seq, label, ttarr, ttdep, the tlp-… of signal requests) are skipped, because HSL adds
// fields.
//
// Traps:
//
//   - The vehicle is operator and number of the TOPIC ("0018/01029"): oper in the payload is the operator of the trip,
//     which often differs, and veh has no leading zeros.
//   - dl is in seconds AHEAD of the timetable, our delay in seconds behind. Directions 1 and 2 are 0 and 1 in GTFS. The
//     stop of an event is in the payload (stop: a number, a string or null), the next stop is in the topic, where EOL
//     means none: a departing bus has two stops.
//   - The time is tst, or tsi (whole seconds) if tst is null. All other fields may be null.
//   - start is on the 24-hour clock: after midnight it becomes 24:10 as in GTFS (see message.setStart).
//   - upcoming events announce the next trip of a vehicle, beside its own vp and with the same tst. They are stored as
//     "upcoming-vp". Upcoming events, counts, dead runs and messages without coordinates do not move a bus. A dead run
//     contains the route of the trip before it.
//   - loc is the source of the coordinates. Only GPS is measured; ODO, MAN and DR are estimated, and with N/A there are
//     no coordinates.
//   - A negative spd results from a reset of the odometer between trips and is ignored.
//   - occu 0 is ignored, because buses without counters send it. A load of -1 in a count is wrong and is ignored, and
//     so are all counts whose quality is not "regular".
//   - A headsign may contain a slash: it ends before the level that looks like the start.
//
// To test one: nhip replay plays a recording (time, topic, payload on a line); or publish a payload to its topic with
// mosquitto_pub -q 1 and query the bus, or the dead letter.
//
// Source: HSL, "High-frequency positioning"; recordings of seven buses.
package hfp

import (
	"strings"

	"nhip"
	"nhip/collector/decode"
	"nhip/collector/decode/jsonscan"
)

// Decoder decodes HFP v2.
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
			return nhip.Errorf(nhip.CodeMalformed, "", "is not allowed: the topic is that of a %s event", kind.key)
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
		return nhip.Errorf(nhip.CodeMissing, kind.key, "is required")
	}
	decode.CloneStrings(&p.Vehicle, &p.Route, &p.Line, &p.Headsign, &p.StartTime, &p.NextStop, &p.Stop)
	out.Positions = append(out.Positions, p)
	return nil
}
