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
)

// v3 is InfluxDB 3, which takes the writes of 2.x and the InfluxQL of 1.x. It has no DELETE, no Flux and no
// MessagePack; docs/scaling.md says what that means. It was not to be had for tests: a recorded contract holds what is
// sent to it.
type v3 struct {
	ql       influxQL
	database string
}

func (d *v3) bucket() string { return d.database }

// accept returns the only type that InfluxDB 3 answers InfluxQL in without loss: its CSV neither quotes texts nor has
// tags, and it refuses a list of types.
func (d *v3) accept() string { return jsonType }

func (d *v3) influxQL() url.Values { return url.Values{"db": {d.database}} }

func (d *v3) ensureBucket(ctx context.Context) (bool, error) {
	names, err := d.ql.query(ctx, "SHOW DATABASES")
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if name == d.database {
			return false, nil
		}
	}
	return d.create(ctx)
}

// create creates the database, whose rows do not expire.
func (d *v3) create(ctx context.Context) (created bool, err error) {
	body, err := json.Marshal(map[string]string{"db": d.database})
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.ql.url+"/api/v3/configure/database",
		bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	req.Header.Set("Content-Type", jsonType)
	req.Header.Set("Authorization", "Bearer "+d.ql.token)
	resp, err := d.ql.client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	switch {
	case err != nil:
		return false, err
	case resp.StatusCode == http.StatusConflict: // another process was faster
		return false, nil
	case resp.StatusCode/100 != 2:
		return false, &statusError{resp.StatusCode, errorText(text)}
	}
	return true, nil
}

// expiry returns the retention of the database's only policy.
func (d *v3) expiry(ctx context.Context) (time.Duration, error) {
	policies, err := d.ql.rows(ctx, url.Values{
		"q": {"SHOW RETENTION POLICIES ON " + quoteInfluxQL(d.database)}, "db": {d.database},
	})
	if err != nil {
		return 0, err
	}
	for _, p := range policies {
		if len(p) < 2 {
			continue
		}
		if text, ok := p[1].(string); ok && text != "" {
			return parseExpiry(text)
		}
	}
	return 0, nil // null: for ever
}

// parseExpiry parses a duration such as "30d" or "720h0m0s".
func parseExpiry(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	keep, err := time.ParseDuration(text)
	if err == nil {
		return keep, nil
	}
	units := map[byte]time.Duration{'d': day, 'w': 7 * day, 'y': 365 * day}
	unit, known := units[text[len(text)-1]]
	if !known {
		return 0, err
	}
	n, err := json.Number(text[:len(text)-1]).Float64()
	return time.Duration(n * float64(unit)), err
}

func (d *v3) delete(context.Context, string, time.Time, time.Time) error {
	return nhip.Errorf(nhip.CodeInvalid, "",
		"InfluxDB 3 can't delete rows: set the retention of the database in place of "+
			"the keys of retention")
}
