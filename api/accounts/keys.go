package accounts

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/access"
	"nhip/api/rest"
)

// keyAnswer is a key as the api tells it. Secret is told once.
type keyAnswer struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	Role    nhip.Role   `json:"role"`
	Scope   *nhip.Scope `json:"scope,omitempty"`
	Created *time.Time  `json:"created,omitempty"`
	Rotated *time.Time  `json:"rotated,omitempty"`
	Expires *time.Time  `json:"expires,omitempty"`
	LastUse *time.Time  `json:"last_use,omitempty"`
	Expired bool        `json:"expired,omitempty"`
	Secret  string      `json:"secret,omitempty"`
}

func (h *Handler) answerOf(id string, k *nhip.Key) keyAnswer {
	a := keyAnswer{
		ID: id, Name: k.Name, Role: k.Role, Created: timeOf(k.Created), Rotated: timeOf(k.Rotated),
		Expires: timeOf(k.Expires), LastUse: timeOf(h.Keyring.LastUse(id)), Expired: k.Expired(h.Clock.Now()),
	}
	if !k.Scope.IsZero() {
		a.Scope = &k.Scope
	}
	return a
}

func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// listKeys answers GET /v1/keys.
func (h *Handler) listKeys(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	if err := h.loaded(); err != nil {
		return err
	}
	keys := []keyAnswer{}
	for _, doc := range h.Documents.List(nhip.DocumentKey) {
		var k nhip.Key
		if err := json.Unmarshal(doc.Body, &k); err != nil {
			return err
		}
		keys = append(keys, h.answerOf(doc.ID, &k))
	}
	return h.JSON(w, rest.NoStore, struct {
		Keys []keyAnswer `json:"keys"`
	}{keys})
}

// newKey is the body of POST /v1/keys.
type newKey struct {
	ID      string     `json:"id"` // default: a new one
	Name    string     `json:"name"`
	Role    nhip.Role  `json:"role"`
	Scope   nhip.Scope `json:"scope"`
	Expires time.Time  `json:"expires"`
}

// createKey answers POST /v1/keys.
func (h *Handler) createKey(w http.ResponseWriter, r *http.Request) error {
	var body newKey
	if err := rest.DecodeBody(w, r, &body); err != nil {
		return err
	}
	now := h.Clock.Now().UTC().Truncate(time.Millisecond)
	secret, hash := access.NewSecret(access.KeyPrefix)
	key := nhip.Key{
		Name: body.Name, Role: body.Role, Scope: body.Scope, Hash: hash, Created: now, Expires: body.Expires,
	}
	if !key.Expires.IsZero() {
		key.Expires = key.Expires.UTC()
	}
	if err := rest.AsInvalid(key.Validate()); err != nil {
		return err
	}
	if body.ID == access.OperatorName {
		return nhip.Errorf(nhip.CodeInvalid, "id", "must not be %q, which is the operator's token", body.ID)
	}
	if err := h.checkScope(r.Context(), key.Scope); err != nil {
		return err
	}
	id := body.ID
	if id == "" {
		id = hash[:12]
	}
	d := nhip.Document{Kind: nhip.DocumentKey, ID: id, Object: "key/" + id, IfVersion: nhip.Some[int64](0)}
	if _, err := h.Actions.SetJSON(r.Context(), d, key, actorOf(r)); err != nil {
		return asRequest(err)
	}
	answer := h.answerOf(id, &key)
	answer.Secret = secret
	return h.Created(w, answer)
}

// asRequest returns an error of a document as one of a request: what violates a rule is the request's fault.
func asRequest(err error) error {
	switch nhip.ErrorCode(err) {
	case nhip.CodeConflict, nhip.CodeUnavailable, nhip.CodeInternal, "":
		return err
	}
	return rest.AsInvalid(err)
}

// checkScope returns an error that names what a scope names and does not exist.
func (h *Handler) checkScope(ctx context.Context, s nhip.Scope) error {
	for _, zone := range s.Zones {
		if !h.Zones.HasZone(zone) {
			return nhip.Errorf(nhip.CodeInvalid, "scope.zones", "there is no zone %q; zones are named as in district/ba-dinh",
				zone)
		}
	}
	for _, agency := range s.Agencies {
		if !slices.Contains(h.Agencies(), agency) {
			return nhip.Errorf(nhip.CodeInvalid, "scope.agencies", "there is no agency %q", agency)
		}
	}
	for _, id := range s.Stations {
		if _, err := h.Stations.Station(ctx, id); err != nil {
			if nhip.ErrorCode(err) == nhip.CodeNotFound {
				return nhip.Errorf(nhip.CodeInvalid, "scope.stations", "there is no station %q", id)
			}
			return err
		}
	}
	return h.checkAreas(ctx, s.Areas)
}

func (h *Handler) checkAreas(ctx context.Context, areas []string) error {
	if len(areas) == 0 {
		return nil
	}
	stations, err := h.Stations.Stations(ctx)
	if err != nil {
		return err
	}
	for _, area := range areas {
		if !slices.ContainsFunc(stations, func(s *nhip.Station) bool { return s.Area == area }) {
			return nhip.Errorf(nhip.CodeInvalid, "scope.areas", "no station is in the area %q", area)
		}
	}
	return nil
}

// find returns the key that a path names, with its version.
func (h *Handler) find(r *http.Request) (id string, key nhip.Key, version int64, err error) {
	id, err = rest.PathID(r, "id")
	if err = cmp.Or(err, rest.ReadQuery(r).Err); err != nil {
		return id, key, 0, err
	}
	if err := h.loaded(); err != nil {
		return id, key, 0, err
	}
	doc, ok := h.Documents.Find(nhip.DocumentKey, id)
	if !ok {
		return id, key, 0, nhip.Errorf(nhip.CodeNotFound, "id", "there is no key %q", id)
	}
	return id, key, doc.Version, json.Unmarshal(doc.Body, &key)
}

// rotateKey answers POST /v1/keys/{id}/rotate: the key gets a new secret, and the old one ends at once.
func (h *Handler) rotateKey(w http.ResponseWriter, r *http.Request) error {
	if id, err := rest.PathID(r, "id"); err == nil && rest.ReadQuery(r).Err == nil && id == access.OperatorName {
		return h.rotateToken(w, r)
	}
	id, key, version, err := h.find(r)
	if err != nil {
		return err
	}
	var secret string
	secret, key.Hash = access.NewSecret(access.KeyPrefix)
	key.Rotated = h.Clock.Now().UTC().Truncate(time.Millisecond)
	d := nhip.Document{Kind: nhip.DocumentKey, ID: id, Object: "key/" + id, IfVersion: nhip.Some(version)}
	if _, err := h.Actions.SetJSON(r.Context(), d, key, actorOf(r)); err != nil {
		return asRequest(err)
	}
	answer := h.answerOf(id, &key)
	answer.Secret = secret
	return h.JSON(w, rest.NoStore, answer)
}

// rotateToken replaces the operator's token of this process. It is told to the audit first: what can't be told is not
// done.
func (h *Handler) rotateToken(w http.ResponseWriter, r *http.Request) error {
	if h.RotateToken == nil {
		return nhip.Errorf(nhip.CodeNotFound, "id", "this api has no operator's token")
	}
	now := h.Clock.Now().UTC().Truncate(time.Millisecond)
	d := nhip.Document{Kind: nhip.DocumentToken, ID: access.OperatorName, Object: "key/" + access.OperatorName}
	if _, err := h.Actions.SetJSON(r.Context(), d, nhip.TokenRotation{Rotated: now}, actorOf(r)); err != nil {
		return err
	}
	secret, err := h.RotateToken()
	if err != nil {
		return err
	}
	for _, id := range h.Keyring.SessionsOf(access.OperatorName) {
		if err := h.endSession(r.Context(), id, actorOf(r)); err != nil {
			return err
		}
	}
	return h.JSON(w, rest.NoStore, keyAnswer{
		ID: access.OperatorName, Name: access.OperatorName, Role: nhip.RoleAdmin, Rotated: &now, Secret: secret,
	})
}

// removeKey answers DELETE /v1/keys/{id}.
func (h *Handler) removeKey(w http.ResponseWriter, r *http.Request) error {
	id, key, version, err := h.find(r)
	if err != nil {
		return err
	}
	actor := actorOf(r)
	d := nhip.Document{Kind: nhip.DocumentKey, ID: id, Object: "key/" + id, IfVersion: nhip.Some(version)}
	if _, err := h.Actions.Set(r.Context(), d, actor); err != nil {
		return asRequest(err)
	}
	if _, used := h.Documents.Find(nhip.DocumentKeyUse, id); used {
		use := nhip.Document{Kind: nhip.DocumentKeyUse, ID: id, Object: "key/" + id}
		if _, err := h.Actions.Set(r.Context(), use, actor); err != nil {
			h.Logger.Warn("the last use of a removed key stays", "key", id, "error", err)
		}
	}
	return h.JSON(w, rest.NoStore, h.answerOf(id, &key))
}
