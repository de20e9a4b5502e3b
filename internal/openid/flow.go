package openid

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"nhip/internal/outbound"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Person is somebody whom the issuer has identified.
type Person struct {
	Account string // id, which stays the same
	Name    string
	Grant
}

// Begin returns the address at the issuer to which to send a browser, and the text of a cookie, which is to be handed
// to Finish. redirect is where the issuer sends the browser back, unless the options say it; to is the path to go to after
// that. The error is a *Refusal.
func (c *Client) Begin(ctx context.Context, redirect, to string) (address, cookie string, err error) {
	p, err := c.discover(ctx)
	if err != nil {
		return "", "", err
	}
	s := state{
		State: randomText(), Nonce: randomText(), Verifier: oauth2.GenerateVerifier(), To: to,
		Expires: c.o.Clock.Now().Add(StateLife).Unix(),
	}
	if cookie, err = c.seal(&s); err != nil {
		return "", "", err
	}
	address = c.config(p, redirect).AuthCodeURL(s.State, oidc.Nonce(s.Nonce), oauth2.S256ChallengeOption(s.Verifier))
	return address, cookie, nil
}

// Finish returns the person who comes back from the issuer with the parameters q, and the path to go to. The error is
// a *Refusal.
func (c *Client) Finish(ctx context.Context, redirect, cookie string, q url.Values) (who Person, to string, err error) {
	s, ok := c.open(cookie)
	switch given := q.Get("state"); {
	case !ok:
		return who, "", refusef(NoState, "there is no state, or it has expired")
	case subtle.ConstantTimeCompare([]byte(given), []byte(s.State)) != 1:
		return who, "", refusef(NoState, "the state is another one")
	case q.Get("error") != "":
		return who, "", refusef(Denied, "the issuer says %s", shown(q.Get("error")))
	case q.Get("iss") != "" && q.Get("iss") != c.o.Issuer: // RFC 9207
		return who, "", refusef(Invalid, "the answer is of another issuer, %s", shown(q.Get("iss")))
	case q.Get("code") == "":
		return who, "", refusef(Invalid, "the answer has no code")
	}
	select {
	case c.flows <- struct{}{}:
		defer func() { <-c.flows }()
	default:
		return who, "", refusef(Busy, "%d sign-ins are at the issuer", maxFlows)
	}
	found, err := c.redeem(ctx, redirect, &s, q.Get("code"))
	if err != nil {
		return who, "", err
	}
	who, err = c.identify(found)
	return who, s.To, err
}

// redeem exchanges a code and returns the claims of its person.
func (c *Client) redeem(ctx context.Context, redirect string, s *state, code string) (claims, error) {
	p, err := c.discover(ctx)
	if err != nil {
		return nil, err
	}
	ctx = c.with(ctx)
	tokens, err := c.config(p, redirect).Exchange(ctx, code, oauth2.VerifierOption(s.Verifier))
	if err != nil {
		return nil, exchangeRefusal(err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	verifier := p.VerifierContext(ctx, &oidc.Config{ClientID: c.o.ClientID, Now: c.o.Clock.Now})
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return nil, refuse(Invalid, outbound.Redact(err))
	}
	if subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(s.Nonce)) != 1 {
		return nil, refusef(Invalid, "the nonce is another one")
	}
	if token.AccessTokenHash != "" && token.VerifyAccessToken(tokens.AccessToken) != nil {
		return nil, refusef(Invalid, "the access token is another one")
	}
	found := make(claims)
	if err := token.Claims(&found); err != nil {
		return nil, refuse(Invalid, err)
	}
	if azp, told := found["azp"]; told && azp != c.o.ClientID { // OpenID Connect Core 3.1.3.7
		return nil, refusef(Invalid, "the token is for another client")
	}
	return found, c.addUserInfo(ctx, p, tokens, found)
}

// addUserInfo adds the claims that only the issuer's userinfo endpoint tells, if there is one. Those of the token,
// which is signed, stay.
func (c *Client) addUserInfo(ctx context.Context, p *oidc.Provider, tokens *oauth2.Token, found claims) error {
	if p.UserInfoEndpoint() == "" {
		return nil
	}
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return refuse(Away, outbound.Redact(err))
	}
	if info.Subject != found["sub"] {
		return refusef(Invalid, "userinfo is of another person")
	}
	more := make(claims)
	if err := info.Claims(&more); err != nil {
		return refuse(Invalid, err)
	}
	for name, v := range more {
		if _, known := found[name]; !known {
			found[name] = v
		}
	}
	return nil
}

// identify applies the rules.
func (c *Client) identify(found claims) (Person, error) {
	subject, _ := found["sub"].(string)
	who := Person{Account: accountOf(c.o.Issuer, subject), Name: found.name()}
	if subject == "" || who.Name == "" {
		return who, refusef(Invalid, "the token names nobody")
	}
	var ok bool
	if who.Grant, ok = grantOf(c.o.Rules, found); !ok {
		return who, refusef(NoRule, "no rule is for %s", who.Account)
	}
	return who, nil
}

// exchangeRefusal returns why a code was not exchanged. The text of the issuer's answer is left out: it may have
// secrets.
func exchangeRefusal(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return refuse(Away, outbound.Redact(err))
	}
	reason, status := Invalid, 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	if status >= http.StatusInternalServerError || answer.ErrorCode == "invalid_client" {
		reason = Away
	}
	return refusef(reason, "the issuer answers the code with status %d %s", status, shown(answer.ErrorCode))
}

const maxShown = 100 // bytes

// shown returns a text of others for the log.
func shown(text string) string { return strconv.Quote(text[:min(len(text), maxShown)]) }
