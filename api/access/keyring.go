package access

import (
	"cmp"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"nhip"
	"nhip/api/scope"
)

// Keyring knows the keys and sessions, by the hashes of their secrets. It is safe for concurrent use.
type Keyring struct {
	clock  nhip.Clock
	zones  scope.Zones
	loaded func() bool
	log    *slog.Logger

	mu       sync.RWMutex
	keys     map[string]nhip.Key     // by id
	byHash   map[string]string       // id of a key by its hash
	sessions map[string]nhip.Session // by id, which is the hash
	uses     map[string]keyUse       // by id of the key
	rules    map[string]bool         // ids of the rules for accounts
}

// keyUse is when a key was used last, and the last time that is published.
type keyUse struct{ seen, published time.Time }

// NewKeyring returns a keyring without keys. loaded reports whether all keys have been received.
func NewKeyring(clock nhip.Clock, zones scope.Zones, loaded func() bool, log *slog.Logger) *Keyring {
	return &Keyring{
		clock: clock, zones: zones, loaded: loaded, log: log, keys: make(map[string]nhip.Key),
		byHash: make(map[string]string), sessions: make(map[string]nhip.Session), uses: make(map[string]keyUse),
	}
}

// UseRules replaces the rules for accounts, by their ids. Sessions that another rule gave end.
func (k *Keyring) UseRules(ids []string) {
	rules := make(map[string]bool, len(ids))
	for _, id := range ids {
		rules[id] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rules = rules
}

// Update applies the state of a document: a key, the use of one, or a session.
func (k *Keyring) Update(s nhip.DocumentState) {
	var err error
	k.mu.Lock()
	switch s.Kind {
	case nhip.DocumentKey:
		err = k.updateKey(s)
	case nhip.DocumentKeyUse:
		err = k.updateUse(s)
	case nhip.DocumentSession:
		err = k.updateSession(s)
	}
	k.mu.Unlock()
	if err != nil {
		k.log.Error("unusable document", "kind", s.Kind, "id", s.ID, "error", err)
	}
}

func (k *Keyring) updateKey(s nhip.DocumentState) error {
	if old, known := k.keys[s.ID]; known {
		delete(k.byHash, old.Hash)
		delete(k.keys, s.ID)
	}
	if !s.Exists() {
		delete(k.uses, s.ID)
		return nil
	}
	var key nhip.Key
	if err := json.Unmarshal(s.Body, &key); err != nil {
		return err
	}
	if err := key.Validate(); err != nil {
		return err
	}
	k.keys[s.ID], k.byHash[key.Hash] = key, s.ID
	return nil
}

func (k *Keyring) updateUse(s nhip.DocumentState) error {
	if !s.Exists() {
		return nil
	}
	var use nhip.KeyUse
	if err := json.Unmarshal(s.Body, &use); err != nil {
		return err
	}
	known := k.uses[s.ID]
	if use.Time.After(known.published) {
		known.published = use.Time
	}
	if use.Time.After(known.seen) {
		known.seen = use.Time
	}
	k.uses[s.ID] = known
	return nil
}

func (k *Keyring) updateSession(s nhip.DocumentState) error {
	delete(k.sessions, s.ID)
	if !s.Exists() {
		return nil
	}
	var session nhip.Session
	if err := json.Unmarshal(s.Body, &session); err != nil {
		return err
	}
	if err := session.Validate(); err != nil {
		return err
	}
	k.sessions[s.ID] = session
	return nil
}

// Key returns the caller with the secret of a key. The outcome is Allowed, Refused or Loading.
func (k *Keyring) Key(secret string) (Caller, Outcome) {
	hash, ok := HashOf(KeyPrefix, secret)
	if !ok {
		return Public, Refused
	}
	k.mu.RLock()
	id, known := k.byHash[hash]
	key := k.keys[id]
	k.mu.RUnlock()
	if !known || key.Expired(k.clock.Now()) {
		return Public, k.unknown(known)
	}
	k.note(id)
	return Caller{
		Name: key.Name, Key: id, Role: key.Role, View: scope.New(key.Scope, k.zones),
		ended: func() bool { return !k.holds(id, hash) },
	}, Allowed
}

// unknown returns the outcome for a secret that finds nothing, which may be on its way.
func (k *Keyring) unknown(found bool) Outcome {
	if !found && !k.loaded() {
		return Loading
	}
	return Refused
}

// holds reports whether a key still has its secret and has not expired.
func (k *Keyring) holds(id, hash string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key, known := k.keys[id]
	return known && key.Hash == hash && !key.Expired(k.clock.Now())
}

// Session returns the caller with the secret of a session.
func (k *Keyring) Session(secret string) (Caller, Outcome) {
	id, ok := HashOf(SessionPrefix, secret)
	if !ok {
		return Public, Refused
	}
	session, ok := k.session(id)
	if !ok {
		return Public, k.unknown(false)
	}
	if session.Key != "" {
		k.note(session.Key)
	}
	key := cmp.Or(session.Owner(), "session:"+id[:16])
	return Caller{
		Name: session.Name, Key: key, Role: session.Role, View: scope.New(session.Scope, k.zones), Session: id,
		Until: session.Expires, ended: func() bool { _, ok := k.session(id); return !ok },
	}, Allowed
}

// session returns a session that has not ended: neither by itself nor with its key, role, rules or zones.
func (k *Keyring) session(id string) (nhip.Session, bool) {
	now := k.clock.Now()
	k.mu.RLock()
	session, known := k.sessions[id]
	key, keyKnown := k.keys[session.Key]
	ruled := true
	for _, rule := range session.Rules {
		ruled = ruled && k.rules[rule]
	}
	k.mu.RUnlock()
	switch {
	case !ruled:
		return session, false
	case !known || !now.Before(session.Expires):
		return session, false
	case session.Key == "" || session.Key == OperatorName:
	case !keyKnown || key.Expired(now) || key.Role != session.Role || !session.Created.After(key.Rotated),
		session.Created.Before(key.Created): // that of a key that was removed; another one has its id now
		return session, false
	}
	for _, zone := range session.Scope.Zones {
		if k.zones == nil || !k.zones.HasZone(zone) {
			return session, false
		}
	}
	return session, true
}

// SessionsOf returns the ids of the sessions of a key or an account.
func (k *Keyring) SessionsOf(owner string) (ids []string) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for id, s := range k.sessions {
		if s.Owner() == owner {
			ids = append(ids, id)
		}
	}
	return ids
}

// Expires returns when a session expires.
func (k *Keyring) Expires(session string) time.Time {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.sessions[session].Expires
}

// note records that a key is used.
func (k *Keyring) note(id string) {
	hour := k.clock.Now().UTC().Truncate(time.Hour)
	k.mu.RLock()
	seen := k.uses[id].seen
	k.mu.RUnlock()
	if !hour.After(seen) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	use := k.uses[id]
	use.seen = hour
	k.uses[id] = use
}

// LastUse returns the hour in which a key was used last, zero for never.
func (k *Keyring) LastUse(id string) time.Time {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.uses[id].seen
}

// Unpublished returns the keys whose last use is not published, with who they are.
func (k *Keyring) Unpublished() map[string]nhip.Actor {
	k.mu.RLock()
	defer k.mu.RUnlock()
	out := make(map[string]nhip.Actor)
	for id, use := range k.uses {
		if key, known := k.keys[id]; known && use.seen.After(use.published) {
			out[id] = nhip.Actor{Name: key.Name, Key: id, Role: key.Role}
		}
	}
	return out
}
