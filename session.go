package nhip

import (
	"encoding/json"
	"time"
)

// Session is a browser of staff that has signed in. Its id is the SHA-256 of the secret in the browser's cookie, in
// lower-case hex. It ends when it expires, when somebody signs out, and when its key ends or gets another role, or one
// of the rules that gave it is no more.
type Session struct {
	Name    string    `json:"name"`              // of the person
	Role    Role      `json:"role"`              // of staff
	Scope   Scope     `json:"scope,omitzero"`    // what the person sees
	Key     string    `json:"key,omitempty"`     // id of the key by which it began; "" for another way
	Way     string    `json:"way"`               // how it began: SessionByKey, SessionByAccount or SessionByLink
	Account string    `json:"account,omitempty"` // id of the person at an issuer; for SessionByAccount only
	Rules   []string  `json:"rules,omitempty"`   // ids of the rules that gave role and scope; for SessionByAccount only
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Ways in which a session begins.
const (
	SessionByKey     = "key"
	SessionByAccount = "account" // OpenID Connect
	SessionByLink    = "link"    // a link that works once
)

// maxSessionRules bounds the rules that gave a session.
const maxSessionRules = 200

// Owner returns for whom sessions are counted: the key or the account, "" without one.
func (s *Session) Owner() string {
	if s.Key != "" {
		return s.Key
	}
	return s.Account
}

// MaxSession is the longest that a session may last.
const MaxSession = 7 * 24 * time.Hour

// Validate checks s. It returns an *Error that names the field.
func (s *Session) Validate() error {
	if err := CheckID("name", s.Name); err != nil {
		return err
	}
	if err := CheckText("key", s.Key); err != nil {
		return err
	}
	if err := s.validateAccount(); err != nil {
		return err
	}
	if err := s.Scope.Validate(); err != nil {
		return err
	}
	switch {
	case !s.Role.Staff():
		return Errorf(CodeOutOfRange, "role", "must be a role of staff, got %q", string(s.Role))
	case s.Way != SessionByKey && s.Way != SessionByAccount && s.Way != SessionByLink:
		return Errorf(CodeOutOfRange, "way", "must be key, account or link, got %q", s.Way)
	case s.Created.IsZero():
		return Errorf(CodeMissing, "created", "is required")
	case !s.Expires.After(s.Created) || s.Expires.Sub(s.Created) > MaxSession:
		return Errorf(CodeOutOfRange, "expires", "must be at most %s after created", formatDays(MaxSession))
	}
	return nil
}

// validateAccount checks what only sessions of accounts have.
func (s *Session) validateAccount() error {
	if s.Way != SessionByAccount {
		if s.Account != "" || len(s.Rules) > 0 {
			return Errorf(CodeOutOfRange, "account", "must be of a session by account only, as rules must")
		}
		return nil
	}
	if err := CheckID("account", s.Account); err != nil {
		return err
	}
	if n := len(s.Rules); n == 0 || n > maxSessionRules {
		return Errorf(CodeOutOfRange, "rules", "must be 1 to %d, got %d", maxSessionRules, n)
	}
	for _, id := range s.Rules {
		if err := CheckID("rules", id); err != nil {
			return err
		}
	}
	return nil
}

func validateSession(id string, body json.RawMessage) error {
	if len(id) != hashHexBytes {
		return Errorf(CodeMalformed, "", "the id must be the SHA-256 of the secret")
	}
	var s Session
	if err := DecodeStrict(body, &s); err != nil {
		return err
	}
	return s.Validate()
}

// sessionExpiry returns when a session expires.
func sessionExpiry(body json.RawMessage) time.Time {
	var s Session
	_ = json.Unmarshal(body, &s) // it was validated
	return s.Expires
}

// TokenRotation is the document that the operator's token of an api was replaced; it tells the audit.
type TokenRotation struct {
	Rotated time.Time `json:"rotated"`
}

func validateTokenRotation(_ string, body json.RawMessage) error {
	var r TokenRotation
	return DecodeStrict(body, &r)
}
