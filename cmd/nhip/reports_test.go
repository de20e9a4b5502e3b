package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"nhip/internal/awaittest"
)

// sentReports are the ids of reports of citizens that were confirmed.
type sentReports []string

// send sends a report, again until it is confirmed.
func (s *sentReports) send(t *testing.T, base string) {
	t.Helper()
	awaittest.True(t, "a report is confirmed", func() bool {
		var form struct {
			Token string `json:"form_token"`
		}
		if !answered(base+"/open311/v2/form", nil, &form) {
			return false
		}
		var out []struct {
			ID string `json:"service_request_id"`
		}
		if !answered(base+"/open311/v2/requests.json", url.Values{
			"form_token": {form.Token}, "service_code": {"smoke"}, "address_string": {"Hà Nội"},
			"device_id": {fmt.Sprint(len(*s))},
		}, &out) || len(out) != 1 {
			return false
		}
		*s = append(*s, out[0].ID)
		return true
	})
}

// check waits until all reports are shown.
func (s *sentReports) check(t *testing.T, base string) {
	t.Helper()
	path := base + "/open311/v2/requests.json?service_request_id=" + strings.Join(*s, ",")
	var out []struct{}
	shown := func() bool { return answered(path, nil, &out) && len(out) == len(*s) }
	awaittest.True(t, "all confirmed reports are shown", shown)
}

// answered sends a GET request, or a form, and decodes the answer. It returns false if that is no success.
func answered(address string, form url.Values, into any) bool {
	send := func() (*http.Response, error) { return http.Get(address) }
	if form != nil {
		send = func() (*http.Response, error) { return http.PostForm(address, form) }
	}
	resp, err := send()
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode < http.StatusMultipleChoices && json.NewDecoder(resp.Body).Decode(into) == nil
}
