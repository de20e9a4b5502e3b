// Package client calls the HTTP API of a Nhịp platform: the ledger, dead letters, retention, recomputation, reviews and
// alerts, as the agency's staff use them. api/openapi.yaml describes every request and answer.
//
// Each method sends one request. An answer that is an RFC 9457 problem is returned as a *Problem, which wraps a
// *nhip.Error with the code, the field and the rule. Methods whose name ends with Pages follow the pages of an answer.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"nhip"
)

// DefaultTimeout bounds a request. A verified page of the ledger takes the longest.
const DefaultTimeout = time.Minute

// Client calls one API. Its fields may be changed before the first request. It is safe for concurrent use.
type Client struct {
	// HTTP sends the requests. The default uses no proxy and follows no redirect, so that the token goes to the api only.
	HTTP *http.Client

	// Timeout bounds a request and its answer. The default is DefaultTimeout.
	Timeout time.Duration

	base  string
	token string
}

// New returns a client of the API at base, as in "http://10.0.0.5:8080". token is the operator's token: nhip up and
// nhip api write it to operator.token in their data folder.
func New(base, token string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("must be as in http://10.0.0.5:8080, got %q", base)
	}
	return &Client{base: strings.TrimSuffix(base, "/"), token: token}, nil
}

// direct is the default of Client.HTTP.
var direct = newDirect()

func newDirect() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// get requests path with a query and decodes the answer into answer.
func (c *Client) get(ctx context.Context, path string, q query, answer any) error {
	if values := url.Values(q); len(values) > 0 {
		path += "?" + values.Encode()
	}
	return c.do(ctx, http.MethodGet, path, nil, answer)
}

// post sends body as JSON, or no body if it is nil, and decodes the answer into answer.
func (c *Client) post(ctx context.Context, path string, body, answer any) error {
	if body == nil {
		return c.do(ctx, http.MethodPost, path, nil, answer)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding the request: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, bytes.NewReader(raw), answer)
}

func (c *Client) do(ctx context.Context, method, path string, body io.Reader, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, DefaultTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := cmp.Or(c.HTTP, direct).Do(req)
	if err != nil {
		return fmt.Errorf("the api does not answer: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusCreated:
	case http.StatusNoContent:
		return nil
	default:
		return c.problem(resp)
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(answer); err != nil {
		return fmt.Errorf("the api's answer can't be decoded: %w", err)
	}
	return nil
}

// problem reads an RFC 9457 problem.
func (c *Client) problem(resp *http.Response) error {
	var p struct {
		Title  string    `json:"title"`
		Detail string    `json:"detail"`
		Code   nhip.Code `json:"code"`
		Field  string    `json:"field"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil || p.Title == "" {
		return fmt.Errorf("%s answered %s", c.base, resp.Status)
	}
	rule := p.Detail
	if p.Field != "" {
		rule = strings.TrimPrefix(rule, p.Field+": ")
	}
	return &Problem{Status: resp.StatusCode, Title: p.Title, Err: &nhip.Error{Code: p.Code, Field: p.Field, Rule: rule}}
}

// Problem is the answer to a request that the API rejected or could not serve.
type Problem struct {
	Status int    // of HTTP
	Title  string // of the status: "Not found"
	Err    *nhip.Error
}

// Error returns the title and, where the API gave one, the field and the rule.
func (p *Problem) Error() string {
	if detail := p.Err.Error(); detail != "" {
		return p.Title + ": " + detail
	}
	return p.Title
}

// Unwrap returns the *nhip.Error.
func (p *Problem) Unwrap() error { return p.Err }
