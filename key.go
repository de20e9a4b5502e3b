package nhip

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Key is a secret by which a person or a program identifies itself. The platform keeps only the hash of the secret.
type Key struct {
	Name    string    `json:"name"`             // of the person or program
	Role    Role      `json:"role"`             // RoleApp or a role of staff
	Scope   Scope     `json:"scope,omitzero"`   // what it sees
	Hash    string    `json:"hash"`             // SHA-256 of the secret, 32 random bytes, in lower-case hex
	Created time.Time `json:"created"`          //
	Rotated time.Time `json:"rotated,omitzero"` // when the secret was replaced last
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

// Bounds of the scope of a key.
const (
	MaxScope     = 200 // zones, areas, stations or agencies, of each
	hashHexBytes = 64
)

// Validate checks k. It returns an *Error that names the field.
func (k *Key) Validate() error {
	if err := CheckID("name", k.Name); err != nil {
		return err
	}
	if err := k.Scope.Validate(); err != nil {
		return err
	}
	_, err := hex.DecodeString(k.Hash)
	switch {
	case k.Role != RoleApp && !k.Role.Staff():
		return Errorf(CodeOutOfRange, "role", "must be one of %v, got %q", Roles[1:], string(k.Role))
	case err != nil || len(k.Hash) != hashHexBytes || k.Hash != strings.ToLower(k.Hash):
		return Errorf(CodeMalformed, "hash", "must be the SHA-256 of the secret in lower-case hex")
	case k.Created.IsZero():
		return Errorf(CodeMissing, "created", "is required")
	case !k.Expires.IsZero() && !k.Expires.After(k.Created):
		return Errorf(CodeOutOfRange, "expires", "must be after the key was created")
	}
	return nil
}

// Expired reports whether the key is no longer valid.
func (k *Key) Expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// Validate checks that each name of s can be one, and that there are at most MaxScope of each kind. Whether they exist
// is for others to say.
func (s Scope) Validate() error {
	for _, list := range []struct {
		field string
		names []string
	}{
		{"scope.zones", s.Zones},
		{"scope.areas", s.Areas},
		{"scope.stations", s.Stations},
		{"scope.agencies", s.Agencies},
	} {
		if len(list.names) > MaxScope {
			return Errorf(CodeOutOfRange, list.field, "must be at most %d, got %d", MaxScope, len(list.names))
		}
		for i, name := range list.names {
			if err := CheckID(list.field, name); err != nil {
				return err
			}
			if slices.Contains(list.names[:i], name) {
				return Errorf(CodeOutOfRange, list.field, "must not name %q twice", name)
			}
		}
	}
	return nil
}

// IsZero reports whether s limits nothing.
func (s Scope) IsZero() bool { return !s.LimitsStations() && !s.LimitsAgencies() }

func validateKey(_ string, body json.RawMessage) error {
	var k Key
	if err := DecodeStrict(body, &k); err != nil {
		return err
	}
	return k.Validate()
}

// redactKey removes the hash: those who read the audit need not be able to recognise a secret.
func redactKey(body json.RawMessage) json.RawMessage {
	var k map[string]json.RawMessage
	if json.Unmarshal(body, &k) != nil {
		return nil
	}
	delete(k, "hash")
	raw, err := json.Marshal(k)
	if err != nil {
		return nil
	}
	return raw
}

// KeyUse is when a key was used last, to the hour.
type KeyUse struct {
	Time time.Time `json:"time"`
}

func validateKeyUse(_ string, body json.RawMessage) error {
	var u KeyUse
	if err := DecodeStrict(body, &u); err != nil {
		return err
	}
	if u.Time.IsZero() {
		return Errorf(CodeMissing, "time", "is required")
	}
	return nil
}
