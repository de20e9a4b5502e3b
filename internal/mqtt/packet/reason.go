package packet

import "fmt"

// Reason is a reason code of MQTT 5 (§2.4). As an error it says why a packet or a request is refused.
type Reason byte

// The reason codes that a server uses.
const (
	Success                Reason = 0x00
	NoMatchingSubscribers  Reason = 0x10
	NoSubscription         Reason = 0x11
	Unspecified            Reason = 0x80
	Malformed              Reason = 0x81
	ProtocolError          Reason = 0x82
	ImplementationSpecific Reason = 0x83
	UnsupportedVersion     Reason = 0x84
	ClientIDInvalid        Reason = 0x85
	BadCredentials         Reason = 0x86
	NotAuthorized          Reason = 0x87
	ServerUnavailable      Reason = 0x88
	ServerBusy             Reason = 0x89
	ServerShuttingDown     Reason = 0x8b
	BadAuthMethod          Reason = 0x8c
	KeepAliveTimeout       Reason = 0x8d
	SessionTakenOver       Reason = 0x8e
	FilterInvalid          Reason = 0x8f
	TopicInvalid           Reason = 0x90
	IDInUse                Reason = 0x91
	IDNotFound             Reason = 0x92
	ReceiveMaximumExceeded Reason = 0x93
	TopicAliasInvalid      Reason = 0x94
	TooLarge               Reason = 0x95
	RateTooHigh            Reason = 0x96
	QuotaExceeded          Reason = 0x97
	AdministrativeAction   Reason = 0x98
	SharedUnsupported      Reason = 0x9e
)

var reasonTexts = map[Reason]string{
	Success:                "success",
	NoMatchingSubscribers:  "no matching subscribers",
	NoSubscription:         "no subscription existed",
	Unspecified:            "unspecified error",
	Malformed:              "malformed packet",
	ProtocolError:          "protocol error",
	ImplementationSpecific: "implementation specific error",
	UnsupportedVersion:     "unsupported protocol version",
	ClientIDInvalid:        "client id not valid",
	BadCredentials:         "bad user name or password",
	NotAuthorized:          "not authorized",
	ServerUnavailable:      "server unavailable",
	ServerBusy:             "server busy",
	ServerShuttingDown:     "server shutting down",
	BadAuthMethod:          "bad authentication method",
	KeepAliveTimeout:       "keep alive timeout",
	SessionTakenOver:       "session taken over",
	FilterInvalid:          "topic filter invalid",
	TopicInvalid:           "topic name invalid",
	IDInUse:                "packet id in use",
	IDNotFound:             "packet id not found",
	ReceiveMaximumExceeded: "receive maximum exceeded",
	TopicAliasInvalid:      "topic alias invalid",
	TooLarge:               "packet too large",
	RateTooHigh:            "message rate too high",
	QuotaExceeded:          "quota exceeded",
	AdministrativeAction:   "administrative action",
	SharedUnsupported:      "shared subscriptions not supported",
}

func (r Reason) Error() string {
	if text, ok := reasonTexts[r]; ok {
		return text
	}
	return fmt.Sprintf("reason %#x", byte(r))
}

// IsError reports whether the code says that something failed.
func (r Reason) IsError() bool { return r >= Unspecified }

// Return codes of a CONNACK of MQTT 3.1.1 (§3.2.2.3).
const (
	connackVersion     = 1
	connackClientID    = 2
	connackUnavailable = 3
	connackCredentials = 4
	connackUnallowed   = 5
)

// ConnackCode returns the code of a CONNACK for a version of the protocol. MQTT 3.1.1 has five codes for failures;
// ok is false if none fits, and the connection must then be closed without a CONNACK (§3.2.2.3).
func (r Reason) ConnackCode(version byte) (code byte, ok bool) {
	if version >= V5 || r == Success {
		return byte(r), true
	}
	switch r {
	case UnsupportedVersion:
		return connackVersion, true
	case ClientIDInvalid:
		return connackClientID, true
	case ServerUnavailable, ServerBusy, ServerShuttingDown, QuotaExceeded, RateTooHigh:
		return connackUnavailable, true
	case BadCredentials:
		return connackCredentials, true
	case NotAuthorized, AdministrativeAction, BadAuthMethod:
		return connackUnallowed, true
	}
	return 0, false
}

// SubackCode returns a code of a SUBACK for a version of the protocol. MQTT 3.1.1 has one code for all failures.
func (r Reason) SubackCode(version byte) byte {
	if version < V5 && r.IsError() {
		return byte(Unspecified)
	}
	return byte(r)
}
