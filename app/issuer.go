package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"nhip"
	"nhip/internal/config"
	"nhip/internal/openid"
)

// checkIssuer refuses an issuer at which nobody could sign in, and keys without effect.
func checkIssuer(set *config.Effective) {
	o := &set.Access.OIDC
	if o.Issuer == "" {
		for key, is := range map[string]bool{
			"client_id": o.ClientID != "", "client_secret": o.ClientSecret != "",
			"client_secret_file": o.ClientSecretFile != "", "redirect": o.Redirect != "",
		} {
			key = "access.oidc." + key
			if is && !set.FromEnvironment(key) {
				set.Refuse(key, "has no effect without access.oidc.issuer")
			}
		}
		if len(o.Rules) > 0 {
			set.Refuse("access.oidc.rules[0].claim", "has no effect without access.oidc.issuer")
		}
		return
	}
	if o.ClientID == "" {
		set.Refuse("access.oidc.issuer", "needs access.oidc.client_id")
	}
	if (o.ClientSecret == "") == (o.ClientSecretFile == "") {
		set.Refuse("access.oidc.issuer", "needs either access.oidc.client_secret or access.oidc.client_secret_file")
	}
	if len(o.Rules) == 0 {
		set.Refuse("access.oidc.issuer", "needs access.oidc.rules; without a rule nobody is signed in")
	}
	checkUnitedScopes(set, o.Rules)
}

// checkUnitedScopes refuses rules of a role that together name more than a scope may.
func checkUnitedScopes(set *config.Effective, rules []config.AccessRule) {
	united := make(map[string]nhip.Scope)
	for i := range rules {
		r := &rules[i]
		scope := r.Scope()
		if before, known := united[r.Role]; known {
			scope = openid.Unite(before, scope)
		}
		united[r.Role] = scope
		var fault *nhip.Error
		if errors.As(scope.Validate(), &fault) {
			key := strings.TrimPrefix(fault.Field, "scope.")
			key = fmt.Sprintf("access.oidc.rules[%d].%s", i, key)
			set.Refuse(key, "with those of the other rules of the role "+fault.Rule)
			return
		}
	}
}

const maxClientSecret = 4 << 10 // bytes

// openID returns the client of the issuer at which staff sign in, nil if there is none.
func (r *runtime) openID() (*openid.Client, error) {
	o := &r.conf.Access.OIDC
	if o.Issuer == "" {
		return nil, nil
	}
	secret := o.ClientSecret
	if o.ClientSecretFile != "" {
		var err error
		if secret, err = readSecret(o.ClientSecretFile); err != nil {
			return nil, fmt.Errorf("access.oidc.client_secret_file: %w", err)
		}
	}
	rules := make([]openid.Rule, len(o.Rules))
	for i := range o.Rules {
		rule := &o.Rules[i]
		rules[i] = openid.Rule{
			Claim: rule.Claim, Value: rule.Value, Role: nhip.Role(rule.Role), Scope: rule.Scope(),
		}
	}
	client, err := openid.New(openid.Options{
		Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: secret, Redirect: o.Redirect, Scopes: o.Scopes,
		Rules: rules, Session: o.Session, Outgoing: r.outgoing(), Clock: r.clock, Logger: r.log,
	})
	if err != nil {
		return nil, fmt.Errorf("access.oidc: %w", err)
	}
	return client, nil
}

// readSecret reads a secret of one line.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxClientSecret+1))
	secret := strings.TrimSpace(string(raw))
	switch {
	case err != nil:
		return "", err
	case len(raw) > maxClientSecret || secret == "" || strings.ContainsAny(secret, "\r\n"):
		return "", fmt.Errorf("must have one line of at most %d bytes", maxClientSecret)
	}
	return secret, nil
}
