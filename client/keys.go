package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"nhip"
)

// Key is a key of staff or of a program.
type Key struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Role    nhip.Role  `json:"role"`
	Scope   nhip.Scope `json:"scope,omitzero"`
	Created time.Time  `json:"created,omitzero"`
	Rotated time.Time  `json:"rotated,omitzero"` // when its secret was replaced last
	Expires time.Time  `json:"expires,omitzero"` // zero: never
	Expired bool       `json:"expired,omitempty"`
	LastUse time.Time  `json:"last_use,omitzero"` // the hour; zero: never
	Secret  string     `json:"secret,omitempty"`  // only of a key that was just made or rotated
}

// NewKey is a key to make.
type NewKey struct {
	ID      string     `json:"id,omitempty"` // "": a new one
	Name    string     `json:"name"`
	Role    nhip.Role  `json:"role"`
	Scope   nhip.Scope `json:"scope,omitzero"`
	Expires time.Time  `json:"expires,omitzero"` // zero: never
}

// Keys returns all keys, by their ids.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	var answer struct {
		Keys []Key `json:"keys"`
	}
	err := c.get(ctx, "/v1/keys", nil, &answer)
	return answer.Keys, err
}

// AddKey makes a key and returns it with its secret, which the platform does not keep.
func (c *Client) AddKey(ctx context.Context, k NewKey) (key Key, err error) {
	err = c.post(ctx, "/v1/keys", k, &key)
	return key, err
}

// RotateKey replaces the secret of a key; the old one stops at once. The key "operator" is the operator's token of the
// api, which writes it to its file.
func (c *Client) RotateKey(ctx context.Context, id string) (key Key, err error) {
	err = c.post(ctx, "/v1/keys/"+url.PathEscape(id)+"/rotate", nil, &key)
	return key, err
}

// RemoveKey removes a key, which stops at once.
func (c *Client) RemoveKey(ctx context.Context, id string) (key Key, err error) {
	err = c.do(ctx, http.MethodDelete, "/v1/keys/"+url.PathEscape(id), nil, &key)
	return key, err
}
