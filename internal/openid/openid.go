// Package openid signs people in at an OpenID Connect issuer: by the authorization code flow with PKCE (RFC 7636), a
// state and a nonce. What the issuer says about a person (claims) becomes a role and a scope by rules.
//
// The issuer is asked for its configuration when somebody signs in, so that it may be away while the platform starts.
package openid

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"nhip"
	"nhip/internal/outbound"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Bounds of requests to the issuer.
const (
	requestTimeout = 10 * time.Second
	maxAnswer      = 1 << 20         // bytes
	retryAfter     = 1 * time.Second // an issuer that was away is asked again
	configFor      = time.Hour       // the configuration of an issuer is read again
	maxFlows       = 32              // sign-ins at a time for which the issuer is asked
)

// MaxSession is the longest session of a person who signed in.
const MaxSession = 12 * time.Hour

// Options configure a Client.
type Options struct {
	Issuer       string // address, as the issuer itself tells it
	ClientID     string
	ClientSecret string
	Redirect     string   // address to which the issuer sends browsers back; "": see Client.Begin
	Scopes       []string // asked for besides openid
	Rules        []Rule
	Session      time.Duration // of people who signed in; 0 is MaxSession

	Outgoing outbound.Policy
	Clock    nhip.Clock
	Logger   *slog.Logger
}

// Client is one client of an issuer. It is safe for concurrent use.
type Client struct {
	o       Options
	http    *http.Client
	signing []byte        // signs states
	flows   chan struct{} // has an item for each sign-in for which the issuer is asked
	found   atomic.Pointer[issuer]

	looking chan struct{} // has an item while the configuration of the issuer is read; guards missed
	missed  time.Time     // when the issuer was away; zero: it was not
}

// issuer is the configuration of an issuer.
type issuer struct {
	*oidc.Provider
	read time.Time
}

// New returns a client. The error names what is wrong in the options.
func New(o Options) (*Client, error) {
	if o.ClientSecret == "" {
		return nil, errors.New("a client without a secret can't sign states")
	}
	client, err := outbound.New(outbound.Options{Policy: o.Outgoing, Timeout: requestTimeout, MaxBytes: maxAnswer})
	if err != nil {
		return nil, fmt.Errorf("outgoing: %w", err)
	}
	signing, err := hkdf.Key(sha256.New, []byte(o.ClientSecret), nil, "nhip sign-in state", sha256.Size)
	if err != nil {
		return nil, err
	}
	if o.Session <= 0 || o.Session > MaxSession {
		o.Session = MaxSession
	}
	return &Client{
		o: o, http: client, signing: signing, flows: make(chan struct{}, maxFlows), looking: make(chan struct{}, 1),
	}, nil
}

// SessionLength returns how long people who signed in stay so, at most MaxSession.
func (c *Client) SessionLength() time.Duration { return c.o.Session }

// Rules returns the ids of the rules.
func (c *Client) Rules() []string {
	ids := make([]string, len(c.o.Rules))
	for i := range c.o.Rules {
		ids[i] = c.o.Rules[i].ID()
	}
	return ids
}

// discover returns the configuration of the issuer. The error is a *Refusal, or that of ctx. It takes the wall clock:
// what it bounds are requests.
func (c *Client) discover(ctx context.Context) (*oidc.Provider, error) {
	known := c.found.Load()
	if known != nil && time.Since(known.read) < configFor {
		return known.Provider, nil
	}
	select {
	case c.looking <- struct{}{}:
		defer func() { <-c.looking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if now := c.found.Load(); now != known { // another one has read it meanwhile
		return now.Provider, nil
	}
	err := errors.New("it was away a moment ago")
	if time.Since(c.missed) >= retryAfter {
		var p *oidc.Provider
		// One who goes away must not fail the others, who wait for the same answer. The time of requests is bounded.
		if p, err = oidc.NewProvider(c.with(context.WithoutCancel(ctx)), c.o.Issuer); err == nil {
			c.found.Store(&issuer{p, time.Now()})
			return p, nil
		}
		c.missed = time.Now()
		c.o.Logger.Warn("the issuer of sign-ins does not tell its configuration", "issuer", c.o.Issuer,
			"error", outbound.Redact(err))
	}
	if known != nil {
		return known.Provider, nil
	}
	return nil, refuse(Away, err)
}

// with returns a context with the client for requests to the issuer.
func (c *Client) with(ctx context.Context) context.Context { return oidc.ClientContext(ctx, c.http) }

// config returns the client as the issuer knows it.
func (c *Client) config(p *oidc.Provider, redirect string) *oauth2.Config {
	if c.o.Redirect != "" {
		redirect = c.o.Redirect
	}
	endpoint := p.Endpoint()
	endpoint.AuthStyle = authStyle(p)
	return &oauth2.Config{
		ClientID: c.o.ClientID, ClientSecret: c.o.ClientSecret, Endpoint: endpoint, RedirectURL: redirect,
		Scopes: append([]string{oidc.ScopeOpenID}, c.o.Scopes...),
	}
}

// authStyle returns how the issuer wants the secret. To find it out by trying would send a code twice, after which some
// issuers revoke what it gave.
func authStyle(p *oidc.Provider) oauth2.AuthStyle {
	var config struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	const header, post = "client_secret_basic", "client_secret_post"
	if p.Claims(&config) == nil && slices.Contains(config.Methods, post) && !slices.Contains(config.Methods, header) {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader // which is the default (OpenID Connect Discovery 3)
}
