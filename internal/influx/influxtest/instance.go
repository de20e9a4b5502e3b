package influxtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"nhip/internal/influx"
	"nhip/internal/influxd"
)

// Instance is an InfluxDB that a test uses: the embedded one, or one outside. A bucket of one outside has a name of the
// test's own, and is removed when the test ends.
type Instance struct {
	url, token, org string
	child           *influxd.Server // nil: outside

	mu      sync.Mutex
	buckets map[string]string // outside: the names in the database, by the names that the test uses
}

// Outside returns the InfluxDB that INFLUX_URL names, if any, as in make test INFLUX_URL=….
func Outside() (o influx.Options, ok bool) {
	o = influx.Options{URL: os.Getenv("INFLUX_URL"), Token: os.Getenv("INFLUX_TOKEN"), Org: os.Getenv("INFLUX_ORG")}
	return o, o.URL != ""
}

// Server returns the InfluxDB outside or, without one, starts the embedded one until the test ends.
func Server(t testing.TB) *Instance {
	t.Helper()
	if o, ok := Outside(); ok {
		return &Instance{url: o.URL, token: o.Token, org: o.Org, buckets: make(map[string]string)}
	}
	child := Embedded(t)
	return &Instance{url: child.URL(), token: child.Token(), child: child}
}

// EmbeddedAt returns the embedded InfluxDB that another part of the test has started.
func EmbeddedAt(url, token string) *Instance { return &Instance{url: url, token: token} }

// URL returns the address.
func (i *Instance) URL() string { return i.url }

// Token returns the administrator's token.
func (i *Instance) Token() string { return i.token }

// Org returns the organisation; "" for InfluxDB 1.8.
func (i *Instance) Org() string { return i.org }

// Child returns the process of the embedded InfluxDB. It skips the test if the InfluxDB is outside.
func (i *Instance) Child(t testing.TB) *influxd.Server {
	t.Helper()
	if i.child == nil {
		t.Skip("the InfluxDB outside is not a process of the test")
	}
	return i.child
}

// Bucket returns the name of a bucket in the database. The database need not have it.
func (i *Instance) Bucket(t testing.TB, name string) string {
	t.Helper()
	if i.buckets == nil {
		return name
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.buckets[name] == "" {
		i.buckets[name] = strings.ReplaceAll(name, `"`, "'") + " " + rand.Text() // 2.x refuses quotation marks
		t.Cleanup(func() { i.Drop(t, name) })
	}
	return i.buckets[name]
}

// Options returns the options of a bucket.
func (i *Instance) Options(t testing.TB, bucket string) influx.Options {
	t.Helper()
	return influx.Options{
		URL: i.url, Token: i.token, Org: i.org, Bucket: i.Bucket(t, bucket), Logger: Logger(t),
	}
}

// YAML returns the section influx of a configuration for a bucket, with further keys.
func (i *Instance) YAML(t testing.TB, bucket, further string) string {
	t.Helper()
	return YAML(i.Options(t, bucket), further)
}

// YAML returns the section influx of a configuration, with further keys as in "backlog_rate: 5".
func YAML(o influx.Options, further string) string {
	org := ""
	if o.Org != "" {
		org = fmt.Sprintf(", org: %q", o.Org)
	}
	if further != "" {
		further = ", " + further
	}
	return fmt.Sprintf("influx: {url: %q, token: %q%s, bucket: %q%s}\n", o.URL, o.Token, org, o.Bucket, further)
}

// dropTimeout bounds the removal of a bucket.
const dropTimeout = time.Minute

// Drop removes a bucket, unless the database does not have it.
func (i *Instance) Drop(t testing.TB, bucket string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), dropTimeout)
	defer cancel()
	name := i.Bucket(t, bucket)
	if i.org == "" {
		i.send(ctx, t, http.MethodPost, "/query", url.Values{"q": {"DROP DATABASE " + quote(name)}}, nil)
		return
	}
	var found struct{ Buckets []struct{ ID string } }
	answer := i.send(ctx, t, http.MethodGet, "/api/v2/buckets", url.Values{"org": {i.org}, "name": {name}}, nil)
	_ = json.Unmarshal(answer, &found) // no bucket: the answer is an error
	for _, b := range found.Buckets {
		i.send(ctx, t, http.MethodDelete, "/api/v2/buckets/"+b.ID, nil, nil)
	}
}

// SetKeep sets how long a bucket keeps rows; 0 is for ever. The bucket is then divided in shards of an hour.
func (i *Instance) SetKeep(t testing.TB, bucket string, keep time.Duration) {
	t.Helper()
	name := i.Bucket(t, bucket)
	if i.org == "" {
		duration := "INF"
		if keep > 0 {
			duration = fmt.Sprintf("%ds SHARD DURATION 1h", int64(keep/time.Second))
		}
		i.Execute(t, "", fmt.Sprintf(`ALTER RETENTION POLICY "autogen" ON %s DURATION %s`, quote(name), duration))
		return
	}
	var found struct{ Buckets []struct{ ID string } }
	answer := i.send(t.Context(), t, http.MethodGet, "/api/v2/buckets", url.Values{"org": {i.org}, "name": {name}}, nil)
	if err := json.Unmarshal(answer, &found); err != nil || len(found.Buckets) != 1 {
		t.Fatalf("the bucket %q: %s, %v", name, answer, err)
	}
	rule := map[string]any{"type": "expire", "everySeconds": int64(keep / time.Second)}
	if keep > 0 {
		rule["shardGroupDurationSeconds"] = int64(time.Hour / time.Second)
	}
	i.send(t.Context(), t, http.MethodPatch, "/api/v2/buckets/"+found.Buckets[0].ID, nil,
		map[string]any{"retentionRules": []any{rule}})
}

// Deletion selects rows.
type Deletion struct {
	Measurement string
	Tag, Value  string    // of the rows; no tag: all
	From        time.Time // inclusive; zero: all
}

// Delete deletes rows without the platform.
func (i *Instance) Delete(t testing.TB, bucket string, d Deletion) {
	t.Helper()
	from := d.From
	if from.IsZero() {
		from = time.Unix(0, 0)
	}
	if i.org == "" {
		where := fmt.Sprintf("time >= %d", from.UnixNano())
		if d.Tag != "" {
			where += fmt.Sprintf(" AND %s = '%s'", quote(d.Tag), d.Value)
		}
		i.Execute(t, bucket, fmt.Sprintf("DELETE FROM %s WHERE %s", quote(d.Measurement), where))
		return
	}
	predicate := fmt.Sprintf("_measurement=%q", d.Measurement)
	if d.Tag != "" {
		predicate += fmt.Sprintf(" AND %s=%q", d.Tag, d.Value)
	}
	i.send(t.Context(), t, http.MethodPost, "/api/v2/delete", url.Values{"org": {i.org}, "bucket": {i.Bucket(t, bucket)}},
		map[string]any{
			"start": from.UTC().Format(time.RFC3339Nano), "stop": "2200-01-01T00:00:00Z", "predicate": predicate,
		})
}

// Write writes lines of line protocol with times in ms without the platform.
func (i *Instance) Write(t testing.TB, bucket, lines string) {
	t.Helper()
	i.WriteIn(t, bucket, "ms", lines)
}

// WriteIn writes lines of line protocol with times in a unit.
func (i *Instance) WriteIn(t testing.TB, bucket, unit, lines string) {
	t.Helper()
	q := url.Values{"org": {i.org}, "bucket": {i.Bucket(t, bucket)}, "precision": {unit}}
	i.send(t.Context(), t, http.MethodPost, "/api/v2/write", q, lines)
}

// Answer returns the answer to an InfluxQL statement with times in ns, of a bucket that o names.
func Answer(t testing.TB, o influx.Options, statement string) []byte {
	t.Helper()
	i := &Instance{url: o.URL, token: o.Token, org: o.Org}
	q := url.Values{"q": {statement}, "epoch": {"ns"}, "db": {o.Bucket}}
	return i.send(t.Context(), t, http.MethodPost, "/query", q, nil)
}

// Execute executes an InfluxQL statement and returns the answer.
func (i *Instance) Execute(t testing.TB, bucket, statement string) []byte {
	t.Helper()
	q := url.Values{"q": {statement}, "epoch": {"ms"}}
	if bucket != "" {
		q.Set("db", i.Bucket(t, bucket))
	}
	answer := i.send(t.Context(), t, http.MethodPost, "/query", q, nil)
	if bytes.Contains(answer, []byte(`"error"`)) {
		t.Fatalf("%s: %s", statement, answer)
	}
	return answer
}

// send sends a request with a text or with JSON, and returns the answer, which may be an error.
func (i *Instance) send(ctx context.Context, t testing.TB, method, path string, q url.Values, body any) []byte {
	t.Helper()
	var content io.Reader = http.NoBody
	switch body := body.(type) {
	case nil:
	case string:
		content = strings.NewReader(body)
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, i.url+path+"?"+q.Encode(), content)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token "+i.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 && resp.StatusCode != http.StatusNotFound {
		t.Fatalf("%s %s: %s, %v: %s", method, path, resp.Status, err, answer)
	}
	return answer
}

// quote returns a name as an InfluxQL identifier.
func quote(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}

// folders are the buckets outside of the data folders of tests.
var folders sync.Map // of *Instance, by folder

// ForFolder returns the bucket outside for the roles on a data folder, always the same for one folder; false if there
// is no InfluxDB outside.
func ForFolder(t testing.TB, dir string) (*Instance, bool) {
	t.Helper()
	if _, ok := Outside(); !ok {
		return nil, false
	}
	if known, ok := folders.Load(dir); ok {
		return known.(*Instance), true
	}
	made := Server(t)
	folders.Store(dir, made)
	return made, true
}

// FolderBucket is the name of the bucket of ForFolder.
const FolderBucket = "nhip"
