package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/client"
)

// request is what a server received.
type request struct{ method, uri, token, body string }

// serve returns a client of a server that gives the answers in turn, and the requests that the server received.
func serve(t *testing.T, answers ...string) (*client.Client, *[]request) {
	t.Helper()
	var received []request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		received = append(received, request{r.Method, r.RequestURI, r.Header.Get("Authorization"), string(body)})
		fmt.Fprint(w, answers[len(received)-1])
	}))
	t.Cleanup(server.Close)
	c, err := client.New(server.URL+"/", "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	return c, &received
}

func TestNewRejectsBadURL(t *testing.T) {
	for _, base := range []string{"", "127.0.0.1:8080", "ftp://example.org", "http://", "http://a b"} {
		if _, err := client.New(base, ""); err == nil {
			t.Errorf("%q is accepted", base)
		}
	}
}

func TestLedgerPages(t *testing.T) {
	c, received := serve(t,
		`{"rows":[{"device":"a","received":1,"unbalanced":true}],"next":"x y","silent":["west"]}`,
		`{"rows":[{"device":"b","counted":{"stored":2,"revised":3},"differs":true}]}`)
	from := time.Date(2026, 2, 16, 15, 0, 0, 0, time.FixedZone("", 7*3600))
	var rows []client.LedgerRow
	var silent []string
	q := client.LedgerQuery{Collector: "main", Device: "air/a b", From: from, Verify: true, Limit: 2}
	for page, err := range c.LedgerPages(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		rows, silent = append(rows, page.Rows...), append(silent, page.Silent...)
	}
	if len(rows) != 2 || rows[0].Device != "a" || rows[0].Received != 1 || !rows[0].Unbalanced || rows[0].Counted != nil ||
		*rows[1].Counted != (client.RowCount{Stored: 2, Revised: 3}) || !rows[1].Differs {
		t.Errorf("rows: %+v", rows)
	}
	if len(silent) != 1 || silent[0] != "west" {
		t.Errorf("silent collectors: %q", silent)
	}
	const uri = "/v1/ledger?collector=main&device=air%2Fa+b&from=2026-02-16T08%3A00%3A00Z&limit=2&verify=true"
	want := []request{
		{"GET", uri, "Bearer s3cret", ""},
		{"GET", strings.Replace(uri, "?", "?after=x+y&", 1), "Bearer s3cret", ""},
	}
	if got := *received; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("requests: %q\nwant %q", got, want)
	}
}

// TestPagesEndWithCaller checks that no further page is requested after a break.
func TestPagesEndWithCaller(t *testing.T) {
	c, received := serve(t, `{"letters":[{"id":"1"}],"next":"x"}`)
	for page, err := range c.DeadLetterPages(t.Context(), client.DeadLetterQuery{Code: nhip.CodeNoFeed}) {
		if err != nil || len(page.Letters) != 1 {
			t.Fatalf("%+v, %v", page, err)
		}
		break
	}
	if got := *received; len(got) != 1 || got[0].uri != "/v1/dead?code=no_feed" {
		t.Errorf("requests: %q", got)
	}
}

func TestRequests(t *testing.T) {
	hour := time.Date(2026, 2, 16, 15, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, answer string
		call         func(*client.Client) (any, error)
		want         request
		result       string // as JSON
	}{
		{
			"dead letter", `{"id":"1.0","collector":"main","payload":"x"}`,
			func(c *client.Client) (any, error) {
				l, err := c.DeadLetter(t.Context(), "a/b", "1.0")
				return l.Payload, err
			},
			request{method: "GET", uri: "/v1/dead/a%2Fb/1.0"},
			`"x"`,
		},
		{
			"replay", `{"replayed":[{"id":"1","passed":2},{"id":"2","passed":0,"code":"no_feed","rule":"r"}]}`,
			func(c *client.Client) (any, error) {
				return c.ReplayDeadLetters(t.Context(), "main", []string{"1", "2"})
			},
			request{"POST", "/v1/dead/replay", "", `{"collector":"main","ids":["1","2"]}`},
			`[{"id":"1","passed":2},{"id":"2","passed":0,"code":"no_feed","rule":"r"}]`,
		},
		{
			"retention plan", `{"streams":[{"stream":"reading","keep_days":300,"rows":30,"deleted":false}]}`,
			func(c *client.Client) (any, error) { return c.Retention(t.Context()) },
			request{method: "GET", uri: "/v1/retention"},
			`[{"stream":"reading","keep_days":300,"rows":30,"deleted":false}]`,
		},
		{
			"retention", `{"streams":[]}`,
			func(c *client.Client) (any, error) { return c.ApplyRetention(t.Context()) },
			request{method: "POST", uri: "/v1/retention"},
			`[]`,
		},
		{
			"recompute", `{"hours":24,"days":1}`,
			func(c *client.Client) (any, error) {
				return c.Recompute(t.Context(), nhip.RecomputeQuery{Station: "a", From: hour, To: hour.Add(time.Hour)})
			},
			request{
				"POST", "/v1/recompute", "",
				`{"station":"a","from":"2026-02-16T15:00:00Z","to":"2026-02-16T16:00:00Z"}`,
			},
			`{"hours":24,"days":1}`,
		},
		{
			"recompute progress", `{"hours":1,"days":0}`,
			func(c *client.Client) (any, error) { return c.RecomputeProgress(t.Context(), "a") },
			request{method: "GET", uri: "/v1/recompute?station=a"},
			`{"hours":1,"days":0}`,
		},
		{
			"reviews", `{"reviews":[{"id":"r1"}]}`,
			func(c *client.Client) (any, error) {
				all, err := c.Reviews(t.Context(), "")
				return all[0].ID, err
			},
			request{method: "GET", uri: "/v1/reviews"},
			`"r1"`,
		},
		{
			"review", `{"id":"r1"}`,
			func(c *client.Client) (any, error) {
				r, err := c.CreateReview(t.Context(), client.NewReview{
					Station: "a", From: hour, To: hour.Add(time.Hour), Action: nhip.ActionAnnotate, By: "Lan", Why: "y",
				})
				return r.ID, err
			},
			request{
				"POST", "/v1/reviews", "", `{"station":"a","from":"2026-02-16T15:00:00Z","to":"2026-02-16T16:00:00Z",` +
					`"action":"annotate","by":"Lan","why":"y"}`,
			},
			`"r1"`,
		},
		{
			"alerts", `{"open":[{"id":"a1"}],"ended":[]}`,
			func(c *client.Client) (any, error) {
				a, err := c.Alerts(t.Context())
				return a.Open[0].ID, err
			},
			request{method: "GET", uri: "/v1/alerts"},
			`"a1"`,
		},
		{
			"acknowledgement", `{"alert":"a 1","by":"Lan"}`,
			func(c *client.Client) (any, error) {
				ack, err := c.AckAlert(t.Context(), "a 1", "Lan", "")
				return ack.Alert, err
			},
			request{"POST", "/v1/alerts/a%201/ack", "", `{"by":"Lan"}`},
			`"a 1"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			api, received := serve(t, c.answer)
			result, err := c.call(api)
			raw, _ := json.Marshal(result)
			if err != nil || string(raw) != c.result {
				t.Errorf("%s, %v, want %s", raw, err, c.result)
			}
			c.want.token = "Bearer s3cret"
			if got := *received; len(got) != 1 || got[0] != c.want {
				t.Errorf("requests: %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestProblemIsNhipError(t *testing.T) {
	const contentType = "application/problem+json"
	for _, c := range []struct {
		status int
		body   string
		want   nhip.Error // of a problem
		text   string
	}{
		{
			http.StatusBadRequest,
			`{"title":"Invalid request","detail":"limit: must be at least 1","code":"invalid","field":"limit"}`,
			nhip.Error{Code: nhip.CodeInvalid, Field: "limit", Rule: "must be at least 1"},
			"Invalid request: limit: must be at least 1",
		},
		{
			http.StatusNotFound, `{"title":"Not found","detail":"there is no collector \"x\"","code":"not_found"}`,
			nhip.Error{Code: nhip.CodeNotFound, Rule: `there is no collector "x"`},
			`Not found: there is no collector "x"`,
		},
		{
			http.StatusInternalServerError, `{"title":"Internal error","code":"internal"}`,
			nhip.Error{Code: nhip.CodeInternal},
			"Internal error",
		},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		}))
		api, err := client.New(server.URL, "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = api.Alerts(t.Context())
		server.Close()
		var problem *client.Problem
		var known *nhip.Error
		if !errors.As(err, &problem) || problem.Status != c.status || !errors.As(err, &known) || *known != c.want ||
			err.Error() != c.text {
			t.Errorf("%+v, want %+v and %q", err, c.want, c.text)
		}
	}
}

// TestOtherAnswersAreErrors checks answers that are neither a result nor a problem.
func TestOtherAnswersAreErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"proxy", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) }, "502"},
		{"HTML", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "can't be decoded"},
		{"slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "does not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.handler)
			defer server.Close()
			api, err := client.New(server.URL, "")
			if err != nil {
				t.Fatal(err)
			}
			if c.name == "slow" {
				api.Timeout = 10 * time.Millisecond
			}
			if _, err = api.Alerts(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestReplayNamedGroupsByCollector replays letters of two collectors: letters that follow one another and belong to one
// collector go in one request, and a name without a collector is one of "main".
func TestReplayNamedGroupsByCollector(t *testing.T) {
	c, received := serve(t,
		`{"replayed":[{"id":"1","passed":2},{"id":"2","code":"no_feed","rule":"no feed"}]}`,
		`{"replayed":[{"id":"3","passed":1}]}`)
	var got []string
	for r, err := range c.ReplayNamed(t.Context(), []string{"1", "main/2", "west/3"}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.Name, " ", r.Passed, r.Code))
	}
	if want := "[main/1 2 main/2 0no_feed west/3 1]"; fmt.Sprint(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if all := *received; len(all) != 2 || !strings.Contains(all[0].body, `"ids":["1","2"]`) ||
		!strings.Contains(all[1].body, `"collector":"west"`) {
		t.Errorf("requests %+v", all)
	}
}

// TestReplayNamedBoundsRequests fails if a request holds more letters than the API takes, or if replaying goes on after
// an error.
func TestReplayNamedBoundsRequests(t *testing.T) {
	names := make([]string, nhip.MaxReplay+1)
	for i := range names {
		names[i] = fmt.Sprint("main/", i)
	}
	c, received := serve(t, `{"replayed":[]}`, `no JSON`)
	faults := 0
	for _, err := range c.ReplayNamed(t.Context(), append(names, "west/1")) {
		if err == nil {
			t.Error("a result without an answer")
		}
		faults++
	}
	if faults != 1 || len(*received) != 2 || strings.Count((*received)[0].body, ",") != nhip.MaxReplay {
		t.Errorf("%d errors after %d requests", faults, len(*received))
	}
}
