package influx

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"nhip"

	ihttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// v2 is InfluxDB 2.x, with buckets in organisations. It goes below the client's BucketsAPI, whose
// errors are bare texts: whether the token is wrong or the server is away could not be told.
type v2 struct {
	service   ihttp.Service
	org, name string
	address   string
}

// namedID is a bucket or an organisation.
type namedID struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (d *v2) bucket() string { return d.name }

func (d *v2) ensureBucket(ctx context.Context) (bool, error) {
	var found struct{ Buckets []namedID }
	err := d.find(ctx, "buckets", url.Values{"org": {d.org}, "name": {d.name}}, &found)
	if err != nil || len(found.Buckets) > 0 {
		return false, err
	}
	var owners struct{ Orgs []namedID }
	if err := d.find(ctx, "orgs", url.Values{"org": {d.org}}, &owners); err != nil {
		return false, err
	}
	if len(owners.Orgs) == 0 {
		return false, nhip.Errorf(nhip.Invalid, "Org", "InfluxDB at %s has no organisation %q that the token may see", d.address, d.org)
	}
	return true, d.create(ctx, owners.Orgs[0].ID)
}

// find asks for things by name. Some versions answer with an empty list where there is none, some
// with status 404; found stays empty for both.
func (d *v2) find(ctx context.Context, what string, query url.Values, found any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.service.ServerAPIURL()+what+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	e := d.service.DoHTTPRequest(req, nil, func(resp *http.Response) error {
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(found)
	})
	if e == nil || e.StatusCode == http.StatusNotFound {
		return nil
	}
	return e
}

// create makes the bucket. Without retention rules it keeps for ever.
func (d *v2) create(ctx context.Context, orgID string) error {
	body, err := json.Marshal(map[string]any{"orgID": orgID, "name": d.name, "retentionRules": []any{}})
	if err != nil {
		return err
	}
	e := d.service.DoPostRequest(ctx, d.service.ServerAPIURL()+"buckets", bytes.NewReader(body),
		func(req *http.Request) { req.Header.Set("Content-Type", "application/json") },
		func(resp *http.Response) error { return resp.Body.Close() })
	if e != nil { // a nil *Error in an error would not be nil
		return e
	}
	return nil
}

func (d *v2) delete(ctx context.Context, measurement string, until time.Time) error {
	body, err := json.Marshal(map[string]any{
		"start": beginning.Format(time.RFC3339Nano), "stop": until.Add(time.Millisecond).Format(time.RFC3339Nano), // not included
		"predicate": `_measurement="` + measurement + `"`,
	})
	if err != nil {
		return err
	}
	query := url.Values{"org": {d.org}, "bucket": {d.name}}
	e := d.service.DoPostRequest(ctx, d.service.ServerAPIURL()+"delete?"+query.Encode(), bytes.NewReader(body),
		func(req *http.Request) { req.Header.Set("Content-Type", "application/json") },
		func(resp *http.Response) error { return resp.Body.Close() })
	if e != nil { // a nil *Error in an error would not be nil
		return e
	}
	return nil
}
