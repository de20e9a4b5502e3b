package access

import (
	"sync"
	"time"

	"nhip"
)

// linkLife is how long a sign-in link works.
const linkLife = 24 * time.Hour

// Links are addresses that sign a browser in once. They end with the process. A Links is safe for concurrent use.
type Links struct {
	mu     sync.Mutex
	byHash map[string]link
}

type link struct {
	role    nhip.Role
	expires time.Time
}

// NewLinks returns Links without any.
func NewLinks() *Links { return &Links{byHash: make(map[string]link)} }

// New returns the last part of the path of a new link, for a role.
func (l *Links) New(role nhip.Role, now time.Time) string {
	secret, hash := NewSecret(LinkPrefix)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byHash[hash] = link{role, now.Add(linkLife)}
	return secret
}

// Take returns the role of a link. With use it does not work any more then. ok is false for one that does not work.
func (l *Links) Take(secret string, use bool, now time.Time) (role nhip.Role, ok bool) {
	hash, ok := HashOf(LinkPrefix, secret)
	if !ok {
		return "", false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.byHash[hash]
	if use {
		delete(l.byHash, hash)
	}
	return one.role, ok && now.Before(one.expires)
}
