package api

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/accounts"
	"nhip/geo/index"
	"nhip/internal/wait"
)

// keyUseEvery is the interval in which the uses of keys are published, each at most once an hour.
const keyUseEvery = time.Minute

// publishKeyUses publishes when keys were used last, until ctx ends.
func (a *API) publishKeyUses(ctx context.Context) error {
	for {
		if err := wait.Sleep(ctx, keyUseEvery); err != nil {
			return err
		}
		if !a.documents.Complete() {
			continue
		}
		for id, actor := range a.keyring.Unpublished() {
			d := nhip.Document{Kind: nhip.DocumentKeyUse, ID: id, Object: "key/" + id}
			_, err := a.actions.SetJSON(ctx, d, nhip.KeyUse{Time: a.keyring.LastUse(id)}, actor)
			if err != nil {
				a.log.Warn("the use of a key is not published", "key", id, "error", err)
				break // the collectors are away
			}
		}
	}
}

// accounts returns the handler of keys, sessions and the audit log.
func (a *API) accounts(guard *access.Guard) *accounts.Handler {
	h := &accounts.Handler{
		Actions: a.actions, Documents: a.documents, Keyring: a.keyring, Guard: guard, Links: a.links, History: a.o.History,
		Stations: a.stations, Zones: zonesNow{a.o.Zones, a.o.Clock}, Agencies: a.agencies, Clock: a.o.Clock,
		OpenID: a.o.OpenID, SignIns: accounts.NewSignInMetrics(a.o.Registry),
		Secure: a.o.Server.TLS != nil || strings.HasPrefix(a.o.PublicURL, "https:"), Responder: a.responder,
	}
	if a.o.OpenID != nil {
		a.keyring.UseRules(a.o.OpenID.Rules())
	}
	if a.o.RotateToken != nil {
		h.RotateToken = a.rotateToken
	}
	return h
}

// rotateToken replaces the operator's token.
func (a *API) rotateToken() (string, error) {
	token, err := a.o.RotateToken()
	if err == nil {
		a.token.Set(token)
	}
	return token, err
}

// agencies returns the agencies of the feeds and of the buses, sorted.
func (a *API) agencies() []string {
	known := make(map[string]bool)
	for _, id := range a.o.Agencies {
		known[id] = true
	}
	a.live.Buses().Within(nil, index.World, func(b **nhip.Bus) bool {
		known[(*b).Agency] = true
		return false
	})
	return slices.Sorted(maps.Keys(known))
}

// SignInLink returns an address that signs a browser in once, with a role. It must be called after Start.
func (a *API) SignInLink(role nhip.Role) string {
	base := a.o.PublicURL
	if base == "" {
		base = a.URL()
	}
	return strings.TrimSuffix(base, "/") + "/sign-in/" + a.links.New(role, a.o.Clock.Now())
}
