package influx

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// chunkRows is how many rows InfluxDB puts into one part of a response, which it holds in memory.
const chunkRows = 5000

// Select calls yield for each row of a selection as it arrives, in ascending order of time; rows of one time have no
// order. With Selection.GroupBy, the rows of one combination of tags follow one another, in the order of the tags. An
// error of yield ends the query and is returned unchanged. Other errors are those of Readings.
func (db *DB) Select(ctx context.Context, s *Selection, yield func(*Row) error) error {
	if !s.From.Before(s.To) {
		return nil
	}
	began := time.Now()
	// The limit applies to each wait for InfluxDB, not to the whole query: yield may write to a slow client.
	stalled, cancel := context.WithCancelCause(ctx)
	defer cancel(nil) // runs before the response's Close, which would read the rest of a long result
	limit := time.AfterFunc(db.opts.Timeout, func() { cancel(errStalled) })
	defer limit.Stop()
	var failed error // of yield
	err := db.read(stalled, s, limit, func(r *Row) error {
		failed = yield(r)
		return failed
	})
	if err == nil || failed != nil {
		db.metrics.observe(s.Measurement, "ok", time.Since(began))
		return failed
	}
	db.metrics.observe(s.Measurement, "error", time.Since(began))
	return db.explainQuery(ctx, stalled, err)
}

// read sends the statement and reads the response. limit runs only while it waits for InfluxDB.
func (db *DB) read(ctx context.Context, s *Selection, limit *time.Timer, yield func(*Row) error) error {
	resp, err := db.ask(ctx, s)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body := &timedReader{resp.Body, limit, db.opts.Timeout}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), msgpackType) {
		return readMsgpack(body, s, yield)
	}
	return readJSON(body, s, yield)
}

// ask sends the statement of a selection. The body of the response must be closed.
func (db *DB) ask(ctx context.Context, s *Selection) (*http.Response, error) {
	form := db.dialect.influxQL()
	form.Set("q", s.influxQL())
	form.Set("epoch", "ms")
	form.Set("chunked", "true")
	form.Set("chunk_size", strconv.Itoa(chunkRows))
	return db.postInfluxQL(ctx, form, db.dialect.accept())
}

// timedReader lets a timer run only while a read waits.
type timedReader struct {
	r     io.Reader
	limit *time.Timer
	after time.Duration
}

func (t *timedReader) Read(p []byte) (int, error) {
	t.limit.Reset(t.after)
	n, err := t.r.Read(p)
	t.limit.Stop()
	return n, err
}

// postInfluxQL sends a form to /query and asks for a type of response. The body of the response must be closed. A
// response with another status than 200 is an error.
func (db *DB) postInfluxQL(ctx context.Context, form url.Values, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, db.opts.URL+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", accept)
	if db.opts.Token != "" {
		req.Header.Set("Authorization", "Token "+db.opts.Token)
	}
	resp, err := db.http.Do(req)
	if err != nil || resp.StatusCode == http.StatusOK {
		return resp, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse))
	if err != nil {
		return nil, err
	}
	return nil, &statusError{resp.StatusCode, errorText(text)}
}
