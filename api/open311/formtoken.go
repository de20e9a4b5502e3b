package open311

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

// formTokenField is the field of a form that carries its token.
const formTokenField = "form_token"

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

// formTokens issues the tokens of our own form, and takes each once. A token is valid for a short time and for the
// network of the address that asked for it. Tokens use the machine's clock. It is safe for concurrent use.
type formTokens struct {
	secret []byte

	mu   sync.Mutex
	used map[[nonceSize]byte]time.Time // until when the token would be valid
}

// newFormTokens returns tokens that a secret signs; "" stands for a random one.
func newFormTokens(secret string) *formTokens {
	key := []byte(secret)
	if secret == "" {
		key = []byte(rand.Text() + rand.Text())
	}
	return &formTokens{secret: key, used: make(map[[nonceSize]byte]time.Time)}
}

// issue returns a token for an address, and until when it is valid.
func (f *formTokens) issue(from netip.Addr, now time.Time) (token string, until time.Time) {
	raw := make([]byte, nonceSize, tokenSize)
	_, _ = rand.Read(raw) // never fails
	until = now.Add(tokenLife).Truncate(time.Second)
	raw = binary.BigEndian.AppendUint64(raw, uint64(until.Unix()))
	raw = append(raw, f.mac(raw, from)...)
	return base64.RawURLEncoding.EncodeToString(raw), until
}

// mac signs a token for the network of an address.
func (f *formTokens) mac(head []byte, from netip.Addr) []byte {
	h := hmac.New(sha256.New, f.secret)
	_, _ = h.Write(head)
	network, _ := networkOf(from).MarshalBinary() // never fails
	_, _ = h.Write(network)
	return h.Sum(nil)[:macSize]
}

// networkOf returns the /24 of an IPv4 address and the /48 of an IPv6 address: phones change their address within them.
func networkOf(at netip.Addr) netip.Prefix {
	bits := 48
	if at = at.Unmap(); at.Is4() {
		bits = 24
	}
	p, _ := at.Prefix(bits) // fails for the zero Addr, whose network is the zero Prefix
	return p
}

var (
	errToken = nhip.Errorf(nhip.CodeForbidden, formTokenField,
		"is invalid, expired or of another network; get a new one from /open311/v2/form")
	errUsed = nhip.Errorf(nhip.CodeForbidden, formTokenField, "has been used; get a new one from /open311/v2/form")
)

// take uses a token up. The returned function gives it back, for a report that could not be kept.
func (f *formTokens) take(token string, from netip.Addr, now time.Time) (giveBack func(), err error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != tokenSize || !hmac.Equal(raw[nonceSize+8:], f.mac(raw[:nonceSize+8], from)) {
		return nil, errToken
	}
	until := time.Unix(int64(binary.BigEndian.Uint64(raw[nonceSize:])), 0)
	if now.After(until) {
		return nil, errToken
	}
	nonce := [nonceSize]byte(raw[:nonceSize])
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, used := f.used[nonce]; used {
		return nil, errUsed
	}
	f.forget(now)
	if len(f.used) >= maxUsed {
		return nil, nhip.Errorf(nhip.CodeTooMany, "", "too many reports; try again later")
	}
	f.used[nonce] = until
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.used, nonce)
	}, nil
}

// forget removes the tokens that are no longer valid anyway, once there are many. The caller holds mu.
func (f *formTokens) forget(now time.Time) {
	if len(f.used) < maxUsed {
		return
	}
	for nonce, until := range f.used {
		if now.After(until) {
			delete(f.used, nonce)
		}
	}
}
