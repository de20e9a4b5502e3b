// Package topics names the MQTT topics on which the roles exchange messages, and checks topics, filters and messages.
package topics

import (
	"strings"

	"nhip"
)

// Topics and filters of the messages between devices and roles. Only a role publishes under nhip/, except under In.
const (
	Root        = "nhip/"
	In          = "nhip/in/"        // messages of devices
	Import      = "nhip/in/import/" // past messages; only the operator may publish them
	LiveBuses   = "nhip/live/bus/#"
	LiveAir     = "nhip/live/air/#"
	LiveCensus  = "nhip/live/census/+"
	LiveService = "nhip/live/service/#" // trips and alerts of realtime feeds
	Live        = "nhip/live/#"
	Arrivals    = "nhip/event/arrival/#"
	Events      = "nhip/event/+/+"      // outcomes of user actions, and alerts; not arrivals
	Alerts      = "nhip/event/alert/+"  // retained while the alert is active
	Documents   = "nhip/live/doc/#"     // current states of documents, except of keys
	Keys        = "nhip/fleet/key/#"    // current states of keys
	Devices     = "nhip/fleet/device/#" // current states of what staff have changed of devices
	UserActions = "nhip/say/#"          // from the api to the collectors
	LiveHFP     = "nhip/live/hfp/v2/"   // followed by the levels of HSL's /hfp/v2/
	Requests    = "nhip/ask/#"
	Responses   = "nhip/answer/#"

	Fleet   = "nhip/fleet/#"
	Command = "nhip/cmd/" // commands to devices, each on topics of its own

	event            = "nhip/event/"
	eventArrival     = event + "arrival/"
	userAction       = "nhip/say/"
	userActionDevice = "say/"
	live             = "nhip/live/"
	liveBus          = live + bus
	liveAir          = live + air
	bus              = "bus/"
	air              = "air/"
	liveHFPBus       = LiveHFP + "journey/ongoing/vp/bus"
	liveCensus       = "nhip/live/census/"
	liveService      = live + service
	service          = "service/"
	fleetStation     = "nhip/fleet/station/"
	fleetVehicle     = "nhip/fleet/vehicle/"
	fleetGateway     = "nhip/fleet/gateway/"
	fleetKey         = "nhip/fleet/key/"
	fleetDevice      = "nhip/fleet/device/"
	liveDocument     = live + "doc/"
	dead             = "nhip/dead/"
	request          = "nhip/ask/"
	response         = "nhip/answer/"
	probe            = "nhip/probe/"
)

// Limits of the embedded broker.
const (
	MaxTopic  = 512      // bytes
	MaxLevels = 200      // of a topic; Mosquitto ends the connection of a client that sends more
	MaxPacket = 64 << 10 // bytes of a packet, with its topic
)

// packetOverhead is the part of a packet that counts for MaxPacket besides topic and payload, in bytes: the type, the
// length of the topic and the packet id.
const packetOverhead = 5

// RolePrefix begins the client ids of our own processes. A device must not use it.
const RolePrefix = "nhip-"

// Alert is the kind of the events about alerts; see EventTopic.
const Alert = "alert"

// IsDeviceFilter reports whether a filter matches only topics on which devices publish: those under nhip/in/ and those
// outside nhip/. The rest of nhip/ belongs to the roles, and "$…" to the broker.
func IsDeviceFilter(filter string) bool {
	first, rest, _ := strings.Cut(filter, "/")
	switch {
	case first == "+" || first == "#" || strings.HasPrefix(first, "$"):
		return false
	case first == "nhip":
		return strings.HasPrefix(rest, "in/") && !strings.HasPrefix(filter, Import)
	}
	return true
}

// FleetStationTopic returns the retained topic of a station's entry in the fleet.
func FleetStationTopic(id string) string { return fleetStation + Escape(id) }

// FleetVehicleTopic returns the retained topic of a vehicle's entry in the fleet.
func FleetVehicleTopic(id string) string { return fleetVehicle + Escape(id) }

// FleetGatewayTopic returns the retained topic on which a gateway announces that it answers requests about its devices.
func FleetGatewayTopic(id string) string { return fleetGateway + Escape(id) }

// ParseFleetGateway returns the gateway of such a topic.
func ParseFleetGateway(topic string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(topic, fleetGateway)
	return Unescape(rest), ok && rest != "" && !strings.Contains(rest, "/")
}

// GatewayRole returns the name under which a gateway gets requests; see RequestTopic. No collector has such a name by
// accident.
func GatewayRole(id string) string { return "gateway:" + id }

// ParseFleet returns the station or the vehicle of a fleet topic; the other is "".
func ParseFleet(topic string) (station, vehicle string, ok bool) {
	if rest, is := strings.CutPrefix(topic, fleetStation); is {
		return Unescape(rest), "", !strings.Contains(rest, "/")
	}
	rest, is := strings.CutPrefix(topic, fleetVehicle)
	return "", Unescape(rest), is && !strings.Contains(rest, "/")
}

// CommandFilter returns the filter of the commands to a device.
func CommandFilter(device string) string { return Command + Escape(device) + "/#" }

// LiveBusTopic returns the retained topic of a vehicle's current state.
func LiveBusTopic(agency, vehicle string) string {
	return liveBus + Escape(agency) + "/" + Escape(vehicle)
}

// BusTopicSize returns the length of the longest topic of a vehicle without an allocation.
func BusTopicSize(agency, vehicle string) int {
	return max(len(liveBus), len(eventArrival)) + escapedSize(agency) + 1 + escapedSize(vehicle)
}

// HFPTopic returns the topic of a bus in the format HFP, of which levels are those behind …/bus/.
func HFPTopic(levels ...string) string {
	var b strings.Builder
	b.WriteString(liveHFPBus)
	for _, level := range levels {
		b.WriteByte('/')
		b.WriteString(Escape(level))
	}
	return b.String()
}

// DeviceTopic returns the topic of messages that a device sends otherwise than over MQTT.
func DeviceTopic(format, device string) string { return In + Escape(format) + "/" + Escape(device) }

// ImportTopic returns the topic of past messages in a format, from what a name stands for.
func ImportTopic(format, name string) string { return Import + Escape(format) + "/" + Escape(name) }

// ParseLiveBus returns the agency and the vehicle of a bus's live topic.
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

// LiveAirTopic returns the retained topic of a station's current state.
func LiveAirTopic(station string) string { return liveAir + Escape(station) }

// LiveAirTopicSize returns the length of LiveAirTopic without an allocation.
func LiveAirTopicSize(station string) int { return len(liveAir) + escapedSize(station) }

// ParseLiveAir returns the station of a live topic.
func ParseLiveAir(topic string) (station string, ok bool) {
	rest, ok := strings.CutPrefix(topic, liveAir)
	return Unescape(rest), ok && !strings.Contains(rest, "/")
}

// Kinds of service topics.
const (
	ServiceFeed  = "feed"  // the state of a feed
	ServiceTrip  = "trip"  // a trip of a feed
	ServiceAlert = "alert" // a service alert of a feed
)

// ServiceFeedTopic returns the retained topic of the state of a realtime feed.
func ServiceFeedTopic(feed string) string { return liveService + ServiceFeed + "/" + Escape(feed) }

// ServiceTopic returns the retained topic of a trip or of an alert of a realtime feed. kind is ServiceTrip or
// ServiceAlert.
func ServiceTopic(kind, feed, id string) string {
	return liveService + kind + "/" + Escape(feed) + "/" + Escape(id)
}

// ServiceTopicSize returns the length of the longer one of ServiceTopic without an allocation.
func ServiceTopicSize(feed, id string) int {
	return len(liveService) + len(ServiceAlert) + 1 + escapedSize(feed) + 1 + escapedSize(id)
}

// ParseService returns the kind, the feed and the id of a service topic. The topic of a feed has no id.
func ParseService(topic string) (kind, feed, id string, ok bool) {
	rest, ok := strings.CutPrefix(topic, liveService)
	if !ok {
		return "", "", "", false
	}
	kind, rest, _ = strings.Cut(rest, "/")
	feed, id, _ = strings.Cut(rest, "/")
	ok = feed != "" && !strings.Contains(id, "/") && (id == "") == (kind == ServiceFeed)
	return kind, Unescape(feed), Unescape(id), ok
}

// ServiceDevice returns the device name that trips and alerts of a realtime feed have in the ledger.
func ServiceDevice(feed string) string { return service + Escape(feed) }

// ParseServiceDevice returns the feed of a device name in the ledger.
func ParseServiceDevice(device string) (feed string, ok bool) {
	rest, ok := strings.CutPrefix(device, service)
	return Unescape(rest), ok && !strings.Contains(rest, "/")
}

// Census is the payload of a census topic: how many retained live topics a collector has published. MQTT does not mark
// the end of the retained messages, so a new subscriber has all of them when it has as many as all censuses together
// count.
//
// Filters are those that the collector has subscribed to with a session that the broker keeps: from then on a message
// that matches one of them, and that the broker acknowledges, reaches the collector. A broker also acknowledges
// messages without a subscriber, so whoever must lose none publishes only what a census covers.
type Census struct {
	Buses    int      `json:"buses"`
	Stations int      `json:"stations"`
	Services int      `json:"services,omitempty"` // topics of feeds, trips and service alerts
	Filters  []string `json:"filters,omitempty"`

	Documents int `json:"documents,omitempty"` // with the keys; the same for all collectors that keep documents

	// Since is when the collector connected, ms since 1970: it may lack what people have set before. 0: not known.
	Since int64 `json:"since_ms,omitempty"`
}

// CensusTopic returns the retained topic of a collector's census.
func CensusTopic(collector string) string { return liveCensus + Escape(collector) }

// ParseCensus returns the collector of a census topic.
func ParseCensus(topic string) (collector string, ok bool) {
	rest, ok := strings.CutPrefix(topic, liveCensus)
	return Unescape(rest), ok && !strings.Contains(rest, "/")
}

// ArrivalTopic returns the topic of a bus's arrivals at stops.
func ArrivalTopic(agency, vehicle string) string {
	return eventArrival + Escape(agency) + "/" + Escape(vehicle)
}

// IsArrival reports whether a topic is an arrival topic.
func IsArrival(topic string) bool { return strings.HasPrefix(topic, eventArrival) }

// EventTopic returns the topic of an event, such as an accepted user action.
func EventTopic(kind, id string) string { return event + Escape(kind) + "/" + Escape(id) }

// ParseEvent returns the kind and the id of an event topic. It does not parse arrival topics.
func ParseEvent(topic string) (kind, id string, ok bool) {
	rest, is := strings.CutPrefix(topic, event)
	kind, id, found := strings.Cut(rest, "/")
	return kind, Unescape(id), is && found && !strings.Contains(id, "/")
}

// Notification is the kind of the events of reminders; see NotificationTopic.
const Notification = "notification"

// NotificationTopic returns the topic of the notifications of a reminder.
func NotificationTopic(reminder string) string { return EventTopic(Notification, reminder) }

// ParseNotification returns the reminder of a topic of notifications.
func ParseNotification(topic string) (reminder string, ok bool) {
	kind, id, ok := ParseEvent(topic)
	return id, ok && kind == Notification && id != "" && !strings.ContainsAny(topic, "+#")
}

// UserActionTopic returns the topic of a user action.
func UserActionTopic(kind, id string) string { return userAction + Escape(kind) + "/" + Escape(id) }

// UserActionTopicSize returns the length of the longest of the topics of a user action, of its event and of its
// document.
func UserActionTopicSize(kind, id string) int {
	return max(len(userAction), len(event), len(liveDocument)) + escapedSize(kind) + 1 + escapedSize(id)
}

// ParseUserAction returns the kind and the id of the topic of a user action.
func ParseUserAction(topic string) (kind, id string, ok bool) {
	rest, is := strings.CutPrefix(topic, userAction)
	kind, id, found := strings.Cut(rest, "/")
	return Unescape(kind), Unescape(id), is && found && !strings.Contains(id, "/")
}

// IsUserAction reports whether a topic is that of a user action.
func IsUserAction(topic string) bool { return strings.HasPrefix(topic, userAction) }

// UserActionDevice returns the device name that user actions of a kind have in the ledger.
func UserActionDevice(kind string) string { return userActionDevice + kind }

// BusDevice returns a vehicle's device name in the ledger: the end of its live topic.
func BusDevice(agency, vehicle string) string { return bus + Escape(agency) + "/" + Escape(vehicle) }

// AirDevice returns a station's device name in the ledger: the end of its live topic.
func AirDevice(station string) string { return air + Escape(station) }

// ParseBusDevice returns the agency and the vehicle of a device name in the ledger.
func ParseBusDevice(device string) (agency, vehicle string, ok bool) {
	return ParseLiveBus(live + device)
}

// ParseAirDevice returns the station of a device name in the ledger.
func ParseAirDevice(device string) (station string, ok bool) { return ParseLiveAir(live + device) }

// DeadTopic returns the topic on which a collector announces the messages that it rejected with an error code.
func DeadTopic(collector string, code nhip.Code) string {
	return dead + Escape(collector) + "/" + Escape(string(code))
}

// RequestTopic returns the topic of a request to a collector or a gateway. A method is a name of ours; it may contain
// slashes, as in "dead/list".
func RequestTopic(collector, method string) string { return request + Escape(collector) + "/" + method }

// RequestFilter returns the filter of all requests to a collector.
func RequestFilter(collector string) string { return request + Escape(collector) + "/#" }

// ParseRequest returns the collector and the method of a request topic.
func ParseRequest(topic string) (collector, method string, ok bool) {
	rest, ok := strings.CutPrefix(topic, request)
	if !ok {
		return "", "", false
	}
	collector, method, _ = strings.Cut(rest, "/")
	return Unescape(collector), method, method != ""
}

// ResponseTopic returns the topic of the responses to a client.
func ResponseTopic(client string) string { return response + Escape(client) }

// IsResponseTopic reports whether a response may be published on a topic. A request names its reply topic itself, and
// must not make the server publish on a topic of another purpose.
func IsResponseTopic(topic string) bool {
	rest, ok := strings.CutPrefix(topic, response)
	return ok && rest != "" && CheckTopic(topic) == nil
}

// ProbeTopic returns the topic on which a source publishes probes to itself.
func ProbeTopic(client string) string { return probe + Escape(client) }

// DocumentTopic returns the retained topic of the current state of a document. Those of keys and devices are in the
// fleet, where gateways expect accounts, and which guests can't read.
func DocumentTopic(kind, id string) string {
	switch kind {
	case nhip.DocumentKey:
		return fleetKey + Escape(id)
	case nhip.DocumentDevice:
		return fleetDevice + Escape(id)
	}
	return liveDocument + Escape(kind) + "/" + Escape(id)
}

// ParseDocument returns the kind and the id of the topic of a document.
func ParseDocument(topic string) (kind, id string, ok bool) {
	if rest, is := strings.CutPrefix(topic, fleetKey); is {
		return nhip.DocumentKey, Unescape(rest), rest != "" && !strings.Contains(rest, "/")
	}
	if rest, is := strings.CutPrefix(topic, fleetDevice); is {
		return nhip.DocumentDevice, Unescape(rest), rest != "" && !strings.Contains(rest, "/")
	}
	rest, is := strings.CutPrefix(topic, liveDocument)
	kind, id, found := strings.Cut(rest, "/")
	return Unescape(kind), Unescape(id), is && found && id != "" && !strings.Contains(id, "/")
}

// auditDevice begins the names in the ledger of the rows of the audit log that stand beside others.
const auditDevice = "audit/"

// AuditDevice returns the device name in the ledger of the rows of the audit log about user actions of a kind that have
// rows of their own, such as reviews. Those about documents have that of the documents; see UserActionDevice.
func AuditDevice(kind string) string { return auditDevice + kind }

// ParseAuditDevice returns the kind of such a name.
func ParseAuditDevice(device string) (kind string, ok bool) {
	return strings.CutPrefix(device, auditDevice)
}

// ParseUserActionDevice returns the kind of user actions of a device name in the ledger.
func ParseUserActionDevice(device string) (kind string, ok bool) {
	return strings.CutPrefix(device, userActionDevice)
}
