package gateway

import (
	"fmt"
	"strings"
	"sync/atomic"

	"nhip"
	"nhip/internal/topics"

	"golang.org/x/time/rate"
)

// session is the state of a connection that has logged in.
type session struct {
	kind    PrincipalKind
	own     bool          // an Operator with Accounts.Own
	control *rate.Limiter // of packets that are no messages; nil: unlimited

	// Of a Device only.
	device atomic.Pointer[device] // replaced when a new fleet comes into force
	secret []byte                 // presented at log-in; nil if the device presented a certificate
	quota  *quota
	state  *deviceState // nil: the fleet has lost the device just now
}

// owner returns whose session on the broker this is. The fleet may give a client id, and so its session, to somebody
// else while the session waits for its client, with commands that only the one before may read.
func (s *session) owner() string {
	if s.kind == Device {
		return "device/" + s.device.Load().id
	}
	return fmt.Sprintf("kind/%d", s.kind)
}

// account returns the id of the device, or "" for others.
func (s *session) account() string {
	if d := s.device.Load(); d != nil {
		return d.id
	}
	return ""
}

// refresh updates the session from a new directory. It reports whether the session may continue: the device must be
// in the directory, and the secret that it presented must still be valid.
func (s *session) refresh(d directory) bool {
	if s.kind != Device {
		return true
	}
	known := d[s.device.Load().id]
	if known == nil || s.secret != nil && d.withSecret(known.id, s.secret) == nil {
		return false
	}
	s.device.Store(known)
	return true
}

// mayPublish reports whether the client may publish to a topic. A device publishes on its own topics. The operator
// publishes on the topics of any device and on command topics. The other nhip/… topics are for roles.
func (s *session) mayPublish(topic string) bool {
	if strings.HasPrefix(topic, "$") || topics.CheckTopic(topic) != nil {
		return false
	}
	internal := strings.HasPrefix(topic, topics.Root) && !strings.HasPrefix(topic, topics.In)
	command := strings.HasPrefix(topic, topics.Command)
	switch s.kind {
	case Role:
		return internal && !command
	case Operator:
		return !internal || command
	case Device:
		return s.device.Load().mayPublish(topic)
	}
	return false
}

// mayRead reports whether the client may subscribe to a filter or receive a topic. A bridge reads the censuses, because
// it forwards only what they cover. The rules of guests are hook.guestMayRead.
func (s *session) mayRead(filter string) bool {
	switch s.kind {
	case Role:
		return true
	case Operator: // but not the hashes of keys and sessions
		kind, _, isDocument := topics.ParseDocument(filter)
		return !isDocument || kind != nhip.DocumentKey && kind != nhip.DocumentSession
	case Device:
		d := s.device.Load()
		return topics.Covers(d.commands, filter) || d.bridge && topics.Covers(topics.LiveCensus, filter)
	}
	return false
}
