package schedule

import (
	"encoding/json"
	"strings"
	"time"

	"nhip"
)

// operatorKey is the key of the caller with the operator's token, and sessionKey begins that of a session with neither
// a key nor an account, as package access of the api names them.
const (
	operatorKey = "operator"
	sessionKey  = "session:"
)

// signInLife is how long after the last sign-in of an account its schedules go on. Whether a person still has an
// account at the issuer shows only when they sign in.
const signInLife = 90 * 24 * time.Hour

// signIn is the last sign-in of an account that the collector has seen.
type signIn struct {
	Time  time.Time  `json:"time"`
	Role  nhip.Role  `json:"role"`
	Scope nhip.Scope `json:"scope,omitzero"`
}

// owners knows what those who made schedules may do now.
type owners struct {
	s        *Sender
	sessions map[string]signIn // the last one by account, and by sessionKey and the begin of its id
}

// owners reads the sessions.
func (s *Sender) owners() *owners {
	o := &owners{s: s, sessions: make(map[string]signIn)}
	now := s.now()
	for _, doc := range s.o.Documents.List(nhip.DocumentSession) {
		var session nhip.Session
		if json.Unmarshal(doc.Body, &session) != nil || !now.Before(session.Expires) {
			continue
		}
		seen := signIn{session.Created, session.Role, session.Scope}
		o.sessions[sessionKey+doc.ID[:min(16, len(doc.ID))]] = seen
		if session.Account != "" && seen.Time.After(o.sessions[session.Account].Time) {
			o.sessions[session.Account] = seen
		}
	}
	return o
}

// stopped returns why a schedule stops, "" if it does not. Sender.mu must be held.
func (o *owners) stopped(one *scheduled, e *entry, now time.Time) string {
	role, scope, why := o.rights(one, e, now)
	switch {
	case why != "":
		return why
	case !role.May(nhip.MayScheduleReports):
		return "the role of the owner may not schedule reports any more"
	}
	for _, all := range [][]string{one.Scope.Zones, scope.Zones} {
		for _, zone := range all {
			if !o.s.o.Scopes.HasZone(zone) {
				return "the zone " + zone + " is no more"
			}
		}
	}
	return ""
}

// scope returns what the owner sees now. Sender.mu must be held.
func (o *owners) scope(one *scheduled, e *entry) nhip.Scope {
	_, scope, _ := o.rights(one, e, o.s.now())
	return scope
}

// rights returns the role and the scope that the owner has now, or why there is none.
func (o *owners) rights(one *scheduled, e *entry, now time.Time) (nhip.Role, nhip.Scope, string) {
	id := one.Owner.Key
	switch {
	case id == operatorKey:
		return nhip.RoleAdmin, nhip.Scope{}, ""
	case strings.HasPrefix(id, sessionKey):
		seen, known := o.sessions[id]
		if !known {
			return "", nhip.Scope{}, "the session of the owner has ended"
		}
		return seen.Role, seen.Scope, ""
	}
	if doc, known := o.s.o.Documents.Find(nhip.DocumentKey, id); known && doc.Exists() {
		return keyRights(&doc, one, now)
	}
	return o.accountRights(one, e, now)
}

func keyRights(doc *nhip.DocumentState, one *scheduled, now time.Time) (nhip.Role, nhip.Scope, string) {
	var key nhip.Key
	switch err := json.Unmarshal(doc.Body, &key); {
	case err != nil:
		return "", nhip.Scope{}, "the key of the owner is unusable"
	case key.Expired(now):
		return "", nhip.Scope{}, "the key of the owner has expired"
	case key.Created.After(one.Created): // another one with the same id
		return "", nhip.Scope{}, "the key of the owner was removed"
	}
	return key.Role, key.Scope, ""
}

// accountRights returns the rights of the last sign-in, which the entry keeps longer than the session lasts.
func (o *owners) accountRights(one *scheduled, e *entry, now time.Time) (nhip.Role, nhip.Scope, string) {
	seen, known := o.sessions[one.Owner.Key]
	if known && (e.SignIn == nil || seen.Time.After(e.SignIn.Time)) {
		e.SignIn, e.dirty = &seen, true
	}
	switch {
	case e.SignIn == nil:
		return "", nhip.Scope{}, "the key of the owner was removed"
	case now.Sub(e.SignIn.Time) > signInLife:
		return "", nhip.Scope{}, "the owner has not signed in for 90 days"
	}
	return e.SignIn.Role, e.SignIn.Scope, ""
}
