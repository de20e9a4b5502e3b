package rest

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nhip"
)

func TestDecodeBodyRejectsAllButOneKnownObject(t *testing.T) {
	for body, want := range map[string]nhip.Code{
		`{"Name":"a"}`: "", `{"Name":1}`: nhip.CodeInvalid, `{"nam":"a"}`: nhip.CodeInvalid,
		`{"Name":"a"}{}`: nhip.CodeInvalid, "": nhip.CodeInvalid, "[]": nhip.CodeInvalid,
		`{"Name":"` + strings.Repeat("a", maxBody) + `"}`: nhip.CodeTooLarge,
	} {
		var into struct{ Name string }
		err := DecodeBody(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &into)
		if got := nhip.ErrorCode(err); got != want {
			t.Errorf("%.40s: %v, want code %q", body, err, want)
		}
	}
}

func TestDecodeBodyNamesTheField(t *testing.T) {
	for body, want := range map[string]struct{ field, rule string }{
		`{"from":"2026-02-16"}`:                   {"from", "a date with a time"},
		`{"name":"a","to":"2026-02-16T15:00:00"}`: {"to", "an offset"},
		`{"from":"yesterday"}`:                    {"from", `got "yesterday"`},
		`{"from":1771257482}`:                     {"from", "a date with a time and an offset"},
		`{"nam":"a"}`:                             {"nam", "not a field"},
		`{"name":1}`:                              {"name", "number"},
		`{"from":"2026-02-16T15:00:00Z","inner":{"x":"y"}}`: {"inner.x", "string"},
		`{"name":null}`:           {"name", "null"},
		`{"inner":{"x":null}}`:    {"inner.x", "null"},
		`{"name":"a","name":"b"}`: {"name", "once"},
		`{"Name":"a"}`:            {"Name", "not a field"},
		`{"inner":{"X":1}}`:       {"inner.X", "not a field"},
		`{"inner":{"y":1}}`:       {"inner", `must not have a field "y"`},
		`{"place":null}`:          {"place", "null"},
		`{"place":{"lat":null}}`:  {"place.lat", "null"},
		`{"place":{"lon":1}}`:     {"place.lon", "not a field"},
		`{"place":{"lat":"x"}}`:   {"place.lat", "string"},
		`{"name":"a"}}`:           {"", "single object"},
		`null`:                    {"", "null"},
		`{`:                       {"", "JSON object"},
		`"text"`:                  {"", "JSON object"},
	} {
		var into struct {
			Name  string    `json:"name"`
			From  time.Time `json:"from"`
			To    time.Time `json:"to"`
			Inner struct {
				X int `json:"x"`
			} `json:"inner"`
			Place nhip.Opt[struct {
				Lat float64 `json:"lat"`
			}] `json:"place"`
		}
		err := DecodeBody(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &into)
		var known *nhip.Error
		if !errors.As(err, &known) || known.Field != want.field || !strings.Contains(known.Rule, want.rule) ||
			known.Code != nhip.CodeInvalid {
			t.Errorf("%s: %v, want field %q and %q", body, err, want.field, want.rule)
		}
	}
}
