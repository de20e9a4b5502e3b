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

// influxQL speaks InfluxDB 1.x's own language, for what its Flux can't do: databases and accounts.
type influxQL struct {
	client *http.Client
	url    string
	token  string
}

// statusError is an answer of InfluxDB that is not the one asked for.
type statusError struct {
	status  int
	message string
}

// Error returns InfluxDB's own words, which it keeps to one line.
func (e *statusError) Error() string {
	if e.status == http.StatusOK {
		return e.message
	}
	return fmt.Sprintf("%s (status %d)", e.message, e.status)
}

// maxAnswer bounds what is read of an answer, in bytes: these statements return little.
const maxAnswer = 1 << 20

type influxQLAnswer struct {
	Error   string `json:"error"`
	Results []struct {
		Error  string `json:"error"`
		Series []struct {
			Values [][]any `json:"values"`
		} `json:"series"`
	} `json:"results"`
}

// exec runs one statement on a database.
func (q *influxQL) exec(ctx context.Context, database, statement string) error {
	_, err := q.ask(ctx, url.Values{"q": {statement}, "db": {database}})
	return err
}

// query runs one statement and returns the first column of its first result.
func (q *influxQL) query(ctx context.Context, statement string) ([]string, error) {
	return q.ask(ctx, url.Values{"q": {statement}})
}

func (q *influxQL) ask(ctx context.Context, form url.Values) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(q.url, "/")+"/query", strings.NewReader(form.Encode()))
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
	var answer influxQLAnswer
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(&answer); err != nil {
		return nil, &statusError{resp.StatusCode, "the answer is not InfluxDB's"}
	}
	if answer.Error != "" || resp.StatusCode != http.StatusOK {
		return nil, &statusError{resp.StatusCode, answer.Error}
	}
	return answer.firstColumn()
}

// firstColumn returns the texts in the first column. A statement that failed is answered with
// status 200 and its error inside.
func (a *influxQLAnswer) firstColumn() ([]string, error) {
	var column []string
	for _, r := range a.Results {
		if r.Error != "" {
			return nil, &statusError{http.StatusOK, r.Error}
		}
		for _, s := range r.Series {
			for _, row := range s.Values {
				if text, ok := first(row).(string); ok {
					column = append(column, text)
				}
			}
		}
	}
	return column, nil
}

func first(row []any) any {
	if len(row) == 0 {
		return nil
	}
	return row[0]
}

// quoteInfluxQL quotes a name.
func quoteInfluxQL(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
}
