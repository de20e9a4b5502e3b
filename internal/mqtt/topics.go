// Package mqtt holds the seam between the roles that is made of MQTT: the names of our topics, and
// a client that is fast and loses nothing.
package mqtt

import (
	"slices"
	"strings"
	"unicode/utf8"

	"nhip"
)

// Filters of what the roles say to each other. Nobody but a role publishes under them.
const (
	Root       = "nhip/"
	In         = "nhip/in/"
	Import     = "nhip/in/import/" // history; for the operator only
	LiveBuses  = "nhip/live/bus/#"
	LiveAir    = "nhip/live/air/#"
	LiveCensus = "nhip/live/census/+"
	Live       = "nhip/live/#"
	Arrivals   = "nhip/event/arrival/#"
	Reviews    = "nhip/event/review/+" // those that are taken in
	Acks       = "nhip/event/ack/+"
	Alerts     = "nhip/event/alert/+" // retained while they last
	Say        = "nhip/say/#"         // what people say, from the api to the collector
	LiveHFP    = "nhip/live/hfp/v2/"  // as HSL's /hfp/v2/
	Asks       = "nhip/ask/#"
	Answers    = "nhip/answer/#"

	Fleet   = "nhip/fleet/#"
	Command = "nhip/cmd/" // what devices are told, each on topics of its own

	event        = "nhip/event/"
	eventArrival = event + "arrival/"
	say          = "nhip/say/"
	saying       = "say/"
	live         = "nhip/live/"
	liveBus      = live + bus
	liveAir      = live + air
	bus          = "bus/"
	air          = "air/"
	liveCensus   = "nhip/live/census/"
	fleetStation = "nhip/fleet/station/"
	fleetVehicle = "nhip/fleet/vehicle/"
	dead         = "nhip/dead/"
	ask          = "nhip/ask/"
	answer       = "nhip/answer/"
)

// MaxTopic is the longest topic a device may publish to, and MaxPacket the greatest message, with
// its topic, that the embedded broker takes; in bytes.
const (
	MaxTopic  = 512
	MaxPacket = 64 << 10
)

// RolePrefix begins the client ids of our own processes; no device's may.
const RolePrefix = "nhip-"

// MayBeDevices reports whether a filter keeps to the topics that devices publish on: their own, and
// nhip/in/…. The rest of nhip/… is between the roles, and "$…" is the broker's.
func MayBeDevices(filter string) bool {
	first, rest, _ := strings.Cut(filter, "/")
	switch {
	case first == "+" || first == "#" || strings.HasPrefix(first, "$"):
		return false
	case first == "nhip":
		return strings.HasPrefix(rest, "in/") && !strings.HasPrefix(filter, Import)
	}
	return true
}

// FleetStationTopic returns the retained topic of what the fleet says of a station.
func FleetStationTopic(id string) string { return fleetStation + Escape(id) }

// FleetVehicleTopic returns the retained topic of what the fleet says of a vehicle.
func FleetVehicleTopic(id string) string { return fleetVehicle + Escape(id) }

// ParseFleet returns the station or the vehicle that a topic of the fleet names.
func ParseFleet(topic string) (station, vehicle string, ok bool) {
	if rest, is := strings.CutPrefix(topic, fleetStation); is {
		return Unescape(rest), "", !strings.Contains(rest, "/")
	}
	rest, is := strings.CutPrefix(topic, fleetVehicle)
	return "", Unescape(rest), is && !strings.Contains(rest, "/")
}

// CommandFilter returns the filter of what a device may be told.
func CommandFilter(device string) string { return Command + Escape(device) + "/#" }

// LiveBusTopic returns the retained topic of a vehicle's current state.
func LiveBusTopic(agency, vehicle string) string {
	return liveBus + Escape(agency) + "/" + Escape(vehicle)
}

// ArrivalTopic returns the topic on which a bus's arrivals are told.
func ArrivalTopic(agency, vehicle string) string {
	return eventArrival + Escape(agency) + "/" + Escape(vehicle)
}

// IsArrival reports whether a topic tells arrivals.
func IsArrival(topic string) bool { return strings.HasPrefix(topic, eventArrival) }

// SayTopic returns the topic on which something of a kind is said.
func SayTopic(kind, id string) string { return say + kind + "/" + Escape(id) }

// IsSaying reports whether a topic carries what people say.
func IsSaying(topic string) bool { return strings.HasPrefix(topic, say) }

// SayDevice returns how the ledger calls those who say things of a kind.
func SayDevice(kind string) string { return saying + kind }

// EventTopic returns the topic on which it is told that what was said is taken in.
func EventTopic(kind, id string) string { return event + kind + "/" + Escape(id) }

// Alert is the kind of events that tell of alerts.
const Alert = "alert"

// ParseEvent returns the kind and the id that a topic of events names, arrivals excepted.
func ParseEvent(topic string) (kind, id string, ok bool) {
	rest, is := strings.CutPrefix(topic, event)
	kind, id, found := strings.Cut(rest, "/")
	return kind, Unescape(id), is && found && !strings.Contains(id, "/")
}

// LiveBusTopicSize returns the length of LiveBusTopic, without making it.
func LiveBusTopicSize(agency, vehicle string) int {
	return len(liveBus) + escapedSize(agency) + 1 + escapedSize(vehicle)
}

// LiveAirTopicSize returns the length of LiveAirTopic, without making it.
func LiveAirTopicSize(station string) int { return len(liveAir) + escapedSize(station) }

// LiveAirTopic returns the retained topic of a station's current state.
func LiveAirTopic(station string) string { return liveAir + Escape(station) }

// BusDevice returns how the ledger calls a vehicle: as its live topic ends.
func BusDevice(agency, vehicle string) string { return bus + Escape(agency) + "/" + Escape(vehicle) }

// AirDevice returns how the ledger calls a station.
func AirDevice(station string) string { return air + Escape(station) }

// ParseBusDevice returns the agency and the vehicle of a device's name in the ledger.
func ParseBusDevice(device string) (agency, vehicle string, ok bool) {
	return ParseLiveBus(live + device)
}

// ParseAirDevice returns the station of a device's name in the ledger.
func ParseAirDevice(device string) (station string, ok bool) { return ParseLiveAir(live + device) }

// CensusTopic returns the retained topic on which a collector says how much it keeps live.
func CensusTopic(collector string) string { return liveCensus + Escape(collector) }

// DeadTopic returns the topic on which a collector announces what it turned away.
func DeadTopic(collector string, code nhip.Code) string {
	return dead + Escape(collector) + "/" + string(code)
}

// AskTopic returns the topic of a question to a collector. A question may hold slashes: "dead/list".
func AskTopic(collector, question string) string { return ask + Escape(collector) + "/" + question }

// AskFilter returns the filter of all questions to a collector.
func AskFilter(collector string) string { return ask + Escape(collector) + "/#" }

// AnswerTopic returns the topic on which an asker hears its answers.
func AnswerTopic(asker string) string { return answer + Escape(asker) }

// IsAnswerTopic reports whether answers may be published to a topic: what a question names as its
// reply must not become a message to somebody else.
func IsAnswerTopic(topic string) bool {
	rest, ok := strings.CutPrefix(topic, answer)
	return ok && rest != "" && CheckTopic(topic) == nil
}

// Census is the payload of a census topic. MQTT marks no end of the retained messages, so whoever
// reads them is complete when it holds as many as all censuses count.
type Census struct {
	Buses    int `json:"buses"`
	Stations int `json:"stations"`
}

// ParseLiveBus returns the agency and the vehicle that a live topic names.
func ParseLiveBus(topic string) (agency, vehicle string, ok bool) {
	rest, ok := strings.CutPrefix(topic, liveBus)
	if !ok {
		return "", "", false
	}
	a, v, ok := strings.Cut(rest, "/")
	if !ok || strings.Contains(v, "/") {
		return "", "", false
	}
	return Unescape(a), Unescape(v), true
}

// ParseLiveAir returns the station that a live topic names.
func ParseLiveAir(topic string) (station string, ok bool) {
	rest, ok := strings.CutPrefix(topic, liveAir)
	return Unescape(rest), ok && !strings.Contains(rest, "/")
}

// ParseAsk returns the collector and the question that a question's topic names.
func ParseAsk(topic string) (collector, question string, ok bool) {
	rest, ok := strings.CutPrefix(topic, ask)
	if !ok {
		return "", "", false
	}
	c, q, _ := strings.Cut(rest, "/")
	return Unescape(c), q, q != ""
}

// ParseCensus returns the collector that a census topic names.
func ParseCensus(topic string) (collector string, ok bool) {
	rest, ok := strings.CutPrefix(topic, liveCensus)
	return Unescape(rest), ok && !strings.Contains(rest, "/")
}

// MaxPayload is the longest payload that a broker takes on a topic, in bytes.
func MaxPayload(topic string) int { return MaxPacket - packetHead - len(topic) }

const hex = "0123456789ABCDEF"

// escapedSize is the length of what Escape makes.
func escapedSize(id string) int {
	size := len(id)
	for i := range len(id) {
		if strings.IndexByte(special, id[i]) >= 0 {
			size += len("%2F") - 1
		}
	}
	return size
}

// special are the bytes that an id must not have in a topic.
const special = "/+#%$"

// Escape makes one topic level of an id that may hold what a level can't ("/", "+", "#"), the way
// addresses do, with "%".
func Escape(id string) string {
	if !strings.ContainsAny(id, special) {
		return id
	}
	var b strings.Builder
	for i := range len(id) {
		switch c := id[i]; c {
		case '/', '+', '#', '%', '$':
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Unescape undoes Escape. What Escape never writes is left as it is.
func Unescape(level string) string {
	if !strings.Contains(level, "%") {
		return level
	}
	var b strings.Builder
	for i := 0; i < len(level); i++ {
		if level[i] == '%' && i+2 < len(level) {
			hi, lo := strings.IndexByte(hex, level[i+1]), strings.IndexByte(hex, level[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(level[i])
	}
	return b.String()
}

// Match reports whether a topic matches a filter (MQTT 3.1.1 §4.7): "+" is one level, a last "#"
// is all that remain and their parent; wildcards at the start never match "$" topics.
func Match(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && !strings.HasPrefix(filter, "$") {
		return false
	}
	for {
		if filter == "#" {
			return true
		}
		f, restF, moreF := strings.Cut(filter, "/")
		t, restT, moreT := strings.Cut(topic, "/")
		if f != "+" && f != t {
			return false
		}
		if !moreT {
			return !moreF || restF == "#"
		}
		if !moreF {
			return false
		}
		filter, topic = restF, restT
	}
}

// Covers reports whether every topic that matches filter b matches filter a too.
func Covers(a, b string) bool {
	if strings.HasPrefix(b, "$") && !strings.HasPrefix(a, "$") {
		return false
	}
	if b == "#" { // no topic lies above it, as one does above "x/#"
		return a == "#" || a == "+/#"
	}
	if level, rest, more := strings.Cut(a, "/"); b == "/#" && more { // nor above it
		return (level == "" || level == "+") && Covers(rest, "#")
	}
	for a != "#" {
		levelA, restA, moreA := strings.Cut(a, "/")
		levelB, restB, moreB := strings.Cut(b, "/")
		if levelB == "#" || levelA != "+" && levelA != levelB {
			return false
		}
		if !moreB {
			return !moreA || restA == "#"
		}
		if !moreA {
			return false
		}
		a, b = restA, restB
	}
	return true
}

// withoutCovered leaves out the filters that others cover, so that no topic matches more of them
// than it must: a broker may deliver a message once for each.
func withoutCovered(filters []string) []string {
	var kept []string
	for i, f := range filters {
		covered := slices.ContainsFunc(filters[:i], func(other string) bool { return Covers(other, f) }) ||
			slices.ContainsFunc(filters[i+1:], func(other string) bool { return Covers(other, f) && !Covers(f, other) })
		if !covered {
			kept = append(kept, f)
		}
	}
	return kept
}

// CheckFilter refuses what is no topic filter. The error names the rule; its field is "topic".
func CheckFilter(filter string) error {
	if err := checkName(filter); err != nil {
		return err
	}
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		if level == "#" && i != len(levels)-1 {
			return nhip.Errorf(nhip.Invalid, "topic", "# must be the last level of %q", filter)
		}
		if len(level) > 1 && strings.ContainsAny(level, "+#") {
			return nhip.Errorf(nhip.Invalid, "topic", "a wildcard must stand alone in its level of %q", filter)
		}
	}
	return nil
}

// CheckTopic refuses what can't be published to.
func CheckTopic(topic string) error {
	if err := checkName(topic); err != nil {
		return err
	}
	if strings.ContainsAny(topic, "+#") {
		return nhip.Errorf(nhip.Invalid, "topic", "must not hold a wildcard: %q", topic)
	}
	return nil
}

func checkName(s string) error {
	switch {
	case s == "":
		return nhip.Errorf(nhip.Invalid, "topic", "must not be empty")
	case len(s) > MaxTopic:
		return nhip.Errorf(nhip.Invalid, "topic", "must be at most %d bytes, got %d", MaxTopic, len(s))
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return nhip.Errorf(nhip.Invalid, "topic", "must be UTF-8 without NUL")
	}
	return nil
}
