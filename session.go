package nhip

import (
	"encoding/json"
	"time"
)

// Session is a browser of staff that has signed in. Its id is the SHA-256 of the secret in the browser's cookie, in
// lower-case hex. It ends when it expires, when somebody signs out, and when its key ends or gets another role.
type Session struct {
	Name    string    `json:"name"`           // of the person
	Role    Role      `json:"role"`           // of staff
	Scope   Scope     `json:"scope,omitzero"` // what the person sees
	Key     string    `json:"key,omitempty"`  // id of the key by which it began; "" for another way
	Way     string    `json:"way"`            // how it began: SessionByKey, SessionByAccount or SessionByLink
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Ways in which a session begins.
const (
	SessionByKey     = "key"
	SessionByAccount = "account" // OpenID Connect
	SessionByLink    = "link"    // a link that works once
)

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
