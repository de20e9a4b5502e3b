package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nhip/internal/datadir"
)

// operatorFlags say which nhip a tool talks to, as its operator.
type operatorFlags struct {
	URL     string `help:"The api, as in http://10.0.0.5:8080; default: the nhip that runs on the data folder." placeholder:"URL"`
	DataDir string `help:"Data folder of the running nhip, for its address and token." default:"${data_dir}" env:"NHIP_DATA_DIR" type:"path"`
}

// operatorTimeout bounds one question; a verified page of the ledger takes the longest.
const operatorTimeout = time.Minute

// operator asks an api on behalf of whoever has the operator's token.
type operator struct {
	ctx   context.Context
	url   string
	token string
}

func (f *operatorFlags) connect(e *env) (*operator, error) {
	at := strings.TrimSuffix(f.URL, "/")
	if at == "" {
		running, err := datadir.ReadAddresses(f.DataDir)
		if errors.Is(err, fs.ErrNotExist) || err == nil && running.HTTP == "" {
			return nil, fmt.Errorf("no nhip with an api runs on %s; start one with `nhip up`, or name an api with --url or another folder with --data-dir", f.DataDir)
		}
		if err != nil {
			return nil, err
		}
		at = running.HTTP
	}
	token, err := datadir.ReadToken(f.DataDir)
	if err != nil {
		return nil, err
	}
	return &operator{e.ctx, at, token}, nil
}

func (o *operator) get(path string, query url.Values, into any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return o.ask(http.MethodGet, path, nil, into)
}

func (o *operator) post(path string, body, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return o.ask(http.MethodPost, path, bytes.NewReader(raw), into)
}

func (o *operator) ask(method, path string, body io.Reader, into any) error {
	ctx, cancel := context.WithTimeout(o.ctx, operatorTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, o.url+path, body)
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the api does not answer: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusCreated {
		return o.refusal(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("the api's answer can't be read: %w", err)
	}
	return nil
}

// refusal reads an RFC 9457 problem.
func (o *operator) refusal(resp *http.Response) error {
	var problem struct{ Title, Detail string }
	if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil || problem.Title == "" {
		return fmt.Errorf("%s answered %s", o.url, resp.Status)
	}
	return fmt.Errorf("%s: %s", problem.Title, problem.Detail)
}

// moment is a time on the command line.
type moment string

// add puts the time into a query, where one is given.
func (m moment) add(q url.Values, name string) error {
	t, err := m.or(time.Time{})
	switch {
	case err != nil:
		return fmt.Errorf("--%s: %w", name, err)
	case !t.IsZero():
		q.Set(name, t.UTC().Format(time.RFC3339))
	}
	return nil
}

// or reads the time, or is another where none is given.
func (m moment) or(other time.Time) (time.Time, error) {
	if m == "" {
		return other, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, string(m)); err == nil {
			return t, nil
		}
	}
	return other, fmt.Errorf("must be as in 2026-02-16T15:00:00Z or, for midnight UTC, 2026-02-16, got %q", string(m))
}

// setText puts a text into a query, where one is given.
func setText(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}
