// Package senders knows who sends something without a key: a page with a token, from an address. It bounds what each
// sends.
package senders

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"nhip"
)

// TokenField is the field of a form that carries its token.
const TokenField = "form_token"

// Tokens of the form: how long one is valid, and how many used ones are remembered.
const (
	tokenLife = 30 * time.Minute
	maxUsed   = 20_000
)

// Sizes of the parts of a token, bytes.
const (
	nonceSize = 12
	macSize   = 16
	tokenSize = nonceSize + 8 + macSize
)

// Tokens issues the tokens of our own pages, and takes each once. A token is valid for a short time and for the
// network of the address that asked for it. Tokens use the machine's clock. It is safe for concurrent use.
type Tokens struct {
	secret []byte
	path   string // where tokens are to be had
	marked []byte // what tokens are for; is signed, too

	mu   sync.Mutex
	used map[[nonceSize]byte]time.Time // until when the token would be valid
}

// NewTokens returns tokens that a secret signs; "" stands for a random one. path is where they are to be had, for
// errors. Tokens with another mark are not valid.
func NewTokens(secret, path, mark string) *Tokens {
	key := []byte(secret)
	if secret == "" {
		key = []byte(rand.Text() + rand.Text())
	}
	return &Tokens{secret: key, path: path, marked: []byte(mark), used: make(map[[nonceSize]byte]time.Time)}
}

// Issue returns a token for an address, and until when it is valid.
func (f *Tokens) Issue(from netip.Addr, now time.Time) (token string, until time.Time) {
	raw := make([]byte, nonceSize, tokenSize)
	_, _ = rand.Read(raw) // never fails
	until = now.Add(tokenLife).Truncate(time.Second)
	raw = binary.BigEndian.AppendUint64(raw, uint64(until.Unix()))
	raw = append(raw, f.mac(raw, from)...)
	return base64.RawURLEncoding.EncodeToString(raw), until
}

// mac signs a token for the network of an address.
func (f *Tokens) mac(head []byte, from netip.Addr) []byte {
	h := hmac.New(sha256.New, f.secret)
	_, _ = h.Write(head)
	network, _ := NetworkOf(from).MarshalBinary() // never fails
	_, _ = h.Write(network)
	_, _ = h.Write(f.marked)
	return h.Sum(nil)[:macSize]
}

// NetworkOf returns the /24 of an IPv4 address and the /48 of an IPv6 address: phones change their address within them.
func NetworkOf(at netip.Addr) netip.Prefix {
	bits := 48
	if at = at.Unmap(); at.Is4() {
		bits = 24
	}
	p, _ := at.Prefix(bits) // fails for the zero Addr, whose network is the zero Prefix
	return p
}

func (f *Tokens) errInvalid() error {
	return nhip.Errorf(nhip.CodeForbidden, TokenField, "is invalid, expired or of another network; get a new one from %s",
		f.path)
}

// Take uses a token up. The returned function gives it back, for what could not be kept.
func (f *Tokens) Take(token string, from netip.Addr, now time.Time) (giveBack func(), err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != tokenSize || !hmac.Equal(raw[nonceSize+8:], f.mac(raw[:nonceSize+8], from)) {
		return nil, f.errInvalid()
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(raw[nonceSize:])), 0)
	if now.After(until) {
		return nil, f.errInvalid()
	}
	nonce := [nonceSize]byte(raw[:nonceSize])
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, used := f.used[nonce]; used {
		return nil, nhip.Errorf(nhip.CodeForbidden, TokenField, "has been used; get a new one from %s", f.path)
	}
	f.forget(now)
	if len(f.used) >= maxUsed {
		return nil, nhip.Errorf(nhip.CodeTooMany, "", "too many forms were sent; try again later")
	}
	f.used[nonce] = until
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.used, nonce)
	}, nil
}

// forget removes the tokens that are no longer valid anyway, once there are many. The caller holds mu.
func (f *Tokens) forget(now time.Time) {
	if len(f.used) < maxUsed {
		return
	}
	for nonce, until := range f.used {
		if now.After(until) {
			delete(f.used, nonce)
		}
	}
}
