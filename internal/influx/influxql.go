package influx

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// influxQL sends statements in InfluxQL to InfluxDB 1.x about databases, accounts and deletion.
type influxQL struct {
	client *http.Client
	url    string
	token  string
}

// statusError is an error response of InfluxDB.
type statusError struct {
	status  int
	message string
}

// Error returns InfluxDB's message, which is one line.
func (e *statusError) Error() string {
	if e.status == http.StatusOK {
		return e.message
	}
	return fmt.Sprintf("%s (status %d)", e.message, e.status)
}

// maxResponse bounds a response, in bytes: these statements return little.
const maxResponse = 1 << 20

type influxQLResponse struct {
	Error   string `json:"error"`
	Results []struct {
		Error  string `json:"error"`
		Series []struct {
			Values [][]any `json:"values"`
		} `json:"series"`
	} `json:"results"`
}

// exec executes one statement on a database.
func (q *influxQL) exec(ctx context.Context, database, statement string) error {
	_, err := q.rows(ctx, url.Values{"q": {statement}, "db": {database}})
	return err
}

// query executes one statement and returns the texts in the first column of its results.
func (q *influxQL) query(ctx context.Context, statement string) ([]string, error) {
	rows, err := q.rows(ctx, url.Values{"q": {statement}})
	var column []string
	for _, row := range rows {
		if len(row) > 0 {
			if text, ok := row[0].(string); ok {
				column = append(column, text)
			}
		}
	}
	return column, err
}

// rows executes the statement of a form and returns the rows of its results.
func (q *influxQL) rows(ctx context.Context, form url.Values) ([][]any, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(q.url, "/")+"/query",
		strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if q.token != "" {
		req.Header.Set("Authorization", "Token "+q.token)
	}
	resp, err := q.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer influxQLResponse
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse)) // to its end, so that the connection can be used again
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, &statusError{resp.StatusCode, "the response is not InfluxDB's"}
	}
	if answer.Error != "" || resp.StatusCode != http.StatusOK {
		return nil, &statusError{resp.StatusCode, answer.Error}
	}
	return answer.rows()
}

// rows returns the rows of all results. The response to a failed statement has status 200 and contains the error.
func (a *influxQLResponse) rows() ([][]any, error) {
	var rows [][]any
	for _, r := range a.Results {
		if r.Error != "" {
			return nil, &statusError{http.StatusOK, r.Error}
		}
		for _, s := range r.Series {
			rows = append(rows, s.Values...)
		}
	}
	return rows, nil
}
