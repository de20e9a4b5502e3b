package influx

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"nhip"

	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// v2 is InfluxDB 2.x, which has buckets in organisations. It does not use the client's BucketsAPI, whose errors are
// plain texts that do not distinguish a wrong token from an unavailable server.
type v2 struct {
	service   ihttp.Service
	org, name string
	address   string
}

// namedID is a bucket or an organisation.
type namedID struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	RetentionRules []retentionRule `json:"retentionRules"` // of a bucket
}

// retentionRule is a rule of a bucket.
type retentionRule struct {
	Type         string `json:"type"`         // "expire"
	EverySeconds int64  `json:"everySeconds"` // 0: for ever
}

func (d *v2) bucket() string { return d.name }

func (d *v2) ensureBucket(ctx context.Context) (bool, error) {
	found, err := d.buckets(ctx)
	if err != nil || len(found) > 0 {
		return false, err
	}
	orgID, err := d.orgID(ctx)
	if err != nil {
		return false, err
	}
	return true, d.createBucket(ctx, orgID)
}

// buckets returns the bucket, or nothing if there is none that the token may read.
func (d *v2) buckets(ctx context.Context) ([]namedID, error) {
	var found struct{ Buckets []namedID }
	err := d.find(ctx, "buckets", url.Values{"org": {d.org}, "name": {d.name}}, &found)
	return found.Buckets, err
}

func (d *v2) orgID(ctx context.Context) (string, error) {
	var owners struct{ Orgs []namedID }
	if err := d.find(ctx, "orgs", url.Values{"org": {d.org}}, &owners); err != nil {
		return "", err
	}
	if len(owners.Orgs) == 0 {
		return "", nhip.Errorf(nhip.CodeInvalid, "Org", "InfluxDB at %s has no organisation %q that the token may read",
			d.address, d.org)
	}
	return owners.Orgs[0].ID, nil
}

// find looks up resources by name. If there is none, some versions return an empty list and some status 404; found
// stays empty in both cases.
func (d *v2) find(ctx context.Context, what string, query url.Values, found any) error {
	err := d.call(ctx, http.MethodGet, what+"?"+query.Encode(), nil, found)
	if status, _ := statusOf(err); status == http.StatusNotFound {
		return nil
	}
	return err
}

// createBucket creates the bucket, without retention rules: its rows do not expire.
func (d *v2) createBucket(ctx context.Context, orgID string) error {
	return d.call(ctx, http.MethodPost, "buckets",
		map[string]any{"orgID": orgID, "name": d.name, "retentionRules": []any{}}, nil)
}

// influxQL returns the bucket as a database, whose mapping InfluxDB 2.x makes from the bucket's name unless there is an
// explicit one.
func (d *v2) influxQL() url.Values { return url.Values{"org": {d.org}, "db": {d.name}} }

func (d *v2) accept() string { return msgpackFirst }

func (d *v2) expiry(ctx context.Context) (time.Duration, error) {
	found, err := d.buckets(ctx)
	if err != nil {
		return 0, err
	}
	var shortest time.Duration
	for _, b := range found {
		for _, r := range b.RetentionRules {
			if every := time.Duration(r.EverySeconds) * time.Second; every > 0 && (shortest == 0 || every < shortest) {
				shortest = every
			}
		}
	}
	return shortest, nil
}

func (d *v2) delete(ctx context.Context, measurement string, from, to time.Time) error {
	query := url.Values{"org": {d.org}, "bucket": {d.name}}
	return d.call(ctx, http.MethodPost, "delete?"+query.Encode(), map[string]any{
		"start":     from.UTC().Format(time.RFC3339Nano),
		"stop":      to.UTC().Format(time.RFC3339Nano), // inclusive, whatever its documentation says
		"predicate": `_measurement="` + measurement + `"`,
	}, nil)
}

// call sends a request to a path of the API, with body as JSON unless it is nil, and decodes the answer into answer
// unless it is nil.
func (d *v2) call(ctx context.Context, method, path string, body, answer any) error {
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.service.ServerAPIURL()+path, &content)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	e := d.service.DoHTTPRequest(req, nil, func(resp *http.Response) error {
		defer resp.Body.Close()
		if answer == nil {
			_, err := io.Copy(io.Discard, resp.Body) // so that the connection can be used again
			return err
		}
		return json.NewDecoder(resp.Body).Decode(answer)
	})
	if e != nil { // returning a nil *Error directly would give a non-nil error
		return e
	}
	return nil
}
