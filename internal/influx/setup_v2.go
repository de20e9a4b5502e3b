package influx

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"nhip"
)

// firstUser is the administrator that Setup makes in a new InfluxDB 2.x, for its web page.
const firstUser = "nhip-admin"

// setUp makes the bucket, its mapping and two tokens in InfluxDB 2.x.
func (d *v2) setUp(ctx context.Context, o *SetupOptions, r *SetupResult) error {
	if err := d.onboard(ctx, o, r); err != nil {
		return err
	}
	orgID, err := d.orgID(ctx)
	if err != nil {
		return err
	}
	bucket, err := d.setUpBucket(ctx, orgID, o, r)
	if err != nil {
		return err
	}
	if err := d.mapBucket(ctx, orgID, bucket.ID, r); err != nil {
		return err
	}
	// A deletion needs the right to write; the marker, the recomputation and the reviews of a start need the right to
	// read.
	r.Collector, err = d.ensureToken(ctx, &roleToken{
		role: "collector", orgID: orgID, bucketID: bucket.ID, actions: []string{"read", "write"},
	}, o.Renew, r)
	if err != nil {
		return err
	}
	r.API, err = d.ensureToken(ctx, &roleToken{
		role: "api", orgID: orgID, bucketID: bucket.ID, actions: []string{"read"},
	}, o.Renew, r)
	return err
}

// onboard makes the organisation and the administrator of a new InfluxDB, with the given token.
func (d *v2) onboard(ctx context.Context, o *SetupOptions, r *SetupResult) error {
	var state struct{ Allowed bool }
	if err := d.call(ctx, http.MethodGet, "setup", nil, &state); err != nil || !state.Allowed {
		return err
	}
	password := accountSecret()
	err := d.call(ctx, http.MethodPost, "setup", map[string]any{
		"username": firstUser, "password": password, "org": d.org, "bucket": d.name, "token": o.Token,
	}, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoAdmin, err)
	}
	r.stepf("organisation %s, bucket %s and the administrator %s created; the password of the web page is %s",
		d.org, d.name, firstUser, password)
	return nil
}

// setUpBucket makes the bucket and sets its retention.
func (d *v2) setUpBucket(ctx context.Context, orgID string, o *SetupOptions, r *SetupResult) (namedID, error) {
	found, err := d.buckets(ctx)
	if err == nil && len(found) == 0 {
		if err = d.createBucket(ctx, orgID); err == nil {
			r.stepf("bucket %s created", d.name)
			found, err = d.buckets(ctx)
		}
	}
	if err != nil {
		return namedID{}, err
	}
	if len(found) == 0 {
		return namedID{}, nhip.Errorf(nhip.CodeInvalid, "", "InfluxDB at %s does not show the bucket %q to the token",
			d.address, d.name)
	}
	return found[0], d.setKeep(ctx, found[0], o, r)
}

func (d *v2) setKeep(ctx context.Context, bucket namedID, o *SetupOptions, r *SetupResult) error {
	keep, ok := o.Keep.Get()
	if !ok {
		return nil
	}
	now, err := d.expiry(ctx)
	if err != nil || now == keep {
		return err
	}
	// A list without rules would leave the bucket as it is.
	rules := []retentionRule{{Type: "expire", EverySeconds: int64(keep / time.Second)}}
	r.stepf("bucket %s keeps rows %s", d.name, keepText(keep))
	return d.call(ctx, http.MethodPatch, "buckets/"+bucket.ID, map[string]any{"retentionRules": rules}, nil)
}

// mapping is a mapping of a database and a retention policy, the names of InfluxQL, to a bucket.
type mapping struct {
	ID       string `json:"id"`
	BucketID string `json:"bucketID"`
	Database string `json:"database"`
	Default  bool   `json:"default"`
	Virtual  bool   `json:"virtual"` // made from the bucket's name, not stored
}

// mapBucket maps the database of the bucket's name to the bucket. A virtual mapping does not suffice: an explicit one
// of the same name has priority over it, whichever bucket that one maps to.
func (d *v2) mapBucket(ctx context.Context, orgID, bucketID string, r *SetupResult) error {
	var found struct{ Content []mapping }
	if err := d.find(ctx, "dbrps", url.Values{"orgID": {orgID}, "db": {d.name}}, &found); err != nil {
		return err
	}
	for _, m := range found.Content {
		switch {
		case m.Virtual || m.Database != d.name || !m.Default:
		case m.BucketID == bucketID:
			return nil
		default:
			return nhip.Errorf(nhip.CodeInvalid, "Bucket",
				"the database name %q of InfluxDB at %s is mapped to another bucket: "+
					"remove the mapping %s, or choose another bucket", d.name, d.address, m.ID)
		}
	}
	r.stepf("database name %s mapped to the bucket", d.name)
	return d.call(ctx, http.MethodPost, "dbrps", map[string]any{
		"orgID": orgID, "bucketID": bucketID, "database": d.name, "retention_policy": autogen, "default": true,
	}, nil)
}

// roleToken is the token of a role.
type roleToken struct {
	role, orgID, bucketID string
	actions               []string // on the bucket
}

// description names the token in InfluxDB's list.
func (t *roleToken) description(bucket string) string {
	return fmt.Sprintf("nhip %s on %s", t.role, bucket)
}

func (t *roleToken) permissions() []any {
	var all []any
	for _, action := range t.actions {
		all = append(all, map[string]any{
			"action": action, "resource": map[string]string{"type": "buckets", "id": t.bucketID, "orgID": t.orgID},
		})
	}
	return all
}

// ensureToken makes a token unless it exists. The token is empty if it exists and is not renewed.
func (d *v2) ensureToken(ctx context.Context, t *roleToken, renew bool, r *SetupResult) (string, error) {
	var found struct {
		Authorizations []struct{ ID, Description string }
	}
	if err := d.find(ctx, "authorizations", url.Values{"orgID": {t.orgID}}, &found); err != nil {
		return "", err
	}
	what := "created"
	for _, a := range found.Authorizations {
		if a.Description != t.description(d.name) {
			continue
		}
		if !renew {
			return "", nil
		}
		what = "replaced"
		if err := d.call(ctx, http.MethodDelete, "authorizations/"+a.ID, nil, nil); err != nil {
			return "", err
		}
	}
	var made struct{ Token string }
	err := d.call(ctx, http.MethodPost, "authorizations", map[string]any{
		"orgID": t.orgID, "description": t.description(d.name), "permissions": t.permissions(),
	}, &made)
	if err == nil {
		r.stepf("token %q %s", t.description(d.name), what)
	}
	return made.Token, err
}
