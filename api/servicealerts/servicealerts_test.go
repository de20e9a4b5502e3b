package servicealerts

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"nhip"
	"nhip/api/citytest"
	"nhip/api/transit"
)

// told returns how many alerts riders see.
func (d *desk) told() int { return len(d.Transit.ServiceAlerts(transit.Everything, false)) }

func TestLifeOfAnAlert(t *testing.T) {
	d := newDesk(t)
	answer := d.want(t, post, "/v1/service-alerts", alertBody(t, `"id":"DETOUR01","status":"draft"`), 201,
		`"state":"draft"`)
	if d.told() != 0 || !strings.Contains(answer, `"from":"2026-03-02T01:00:00Z"`) {
		t.Errorf("a draft is told, or does not begin now: %s", answer)
	}
	d.want(t, post, "/v1/service-alerts", alertBody(t, `"id":"DETOUR01"`), 409, "if_version")
	d.want(t, post, "/v1/service-alerts/DETOUR01/end", "", 409, "draft")
	d.want(t, put, "/v1/service-alerts/DETOUR01", alertBody(t, `"version":2`), 409, `"field":"version"`)
	d.want(t, put, "/v1/service-alerts/DETOUR01", alertBody(t, `"id":"DETOUR02"`), 400, `"field":"id"`)
	d.want(t, put, "/v1/service-alerts/DETOUR01", alertBody(t, `"version":1`), 200, `"state":"active","version":2`)
	if d.told() != 1 {
		t.Error("a published alert is not told")
	}
	d.want(t, put, "/v1/service-alerts/DETOUR01", alertBody(t, `"status":"draft"`), 400, `"field":"status"`)
	d.want(t, del, "/v1/service-alerts/DETOUR01", "", 409, "published")
	d.want(t, get, "/v1/service-alerts/DETOUR01", "", 200, `"by":"Lan"`)
	d.want(t, get, "/v1/service-alerts/written?state=active&agency=HN", "", 200, `"DETOUR01"`)
	d.want(t, get, "/v1/service-alerts/written?state=ended", "", 200, `"alerts":[]`)
	d.want(t, get, "/v1/service-alerts/written?state=live", "", 400, `"field":"state"`)
	d.want(t, post, "/v1/service-alerts/DETOUR01/end", "", 200, `"ended":"2026-03-02T01:00:00Z"`)
	if d.told() != 0 {
		t.Error("an ended alert is told")
	}
	d.want(t, post, "/v1/service-alerts/DETOUR01/end", "", 409, "ended")
	d.want(t, put, "/v1/service-alerts/DETOUR01", alertBody(t, ""), 409, "ended")
	d.want(t, get, "/v1/service-alerts/DETOUR02", "", 404, `"field":"id"`)
	if state := d.states["DETOUR01"]; state.Version != 3 {
		t.Errorf("version %d", state.Version)
	}
}

func TestAlertEndsByTheClock(t *testing.T) {
	d := newDesk(t)
	d.want(t, post, "/v1/service-alerts", alertBody(t, `"id":"DETOUR01",
		"periods":[{"to":"2026-03-02T08:30:00+07:00"},
			{"from":"2026-03-02T09:00:00+07:00","to":"2026-03-02T10:00:00+07:00"}]`),
		201, `"state":"active"`)
	for after, want := range map[time.Duration]string{
		30*time.Minute - 1: stateActive, 30 * time.Minute: stateUpcoming, time.Hour: stateActive, 2 * time.Hour: stateEnded,
	} {
		d.Clock.Set(citytest.Eight.Add(after))
		d.want(t, get, "/v1/service-alerts/DETOUR01", "", 200, `"state":"`+want+`"`)
		if told := d.told() == 1; told != (want == stateActive) {
			t.Errorf("after %v: told %t", after, told)
		}
	}
	d.Clock.Set(citytest.Eight.Add(3 * time.Hour))
	d.want(t, put, "/v1/service-alerts/DETOUR01", alertBody(t, ""), 409, "ended")
}

func TestDraftIsDeleted(t *testing.T) {
	d := newDesk(t)
	d.want(t, post, "/v1/service-alerts", alertBody(t, `"id":"DETOUR01","status":"draft"`), 201, "")
	d.want(t, del, "/v1/service-alerts/DETOUR01", "", 204, "")
	d.want(t, get, "/v1/service-alerts/DETOUR01", "", 404, "")
	d.want(t, del, "/v1/service-alerts/DETOUR01", "", 404, "")
}

func TestPreviewStoresNothing(t *testing.T) {
	d := newDesk(t)
	answer := d.want(t, post, "/v1/service-alerts/preview",
		alertBody(t, `"informed":[{"stop":"S3","substitute_stop":"S4"},{"route_type":3}]`), 200, `"active":true`)
	for _, text := range []string{
		`{"language":"vi","text":"Thay cho điểm dừng Stop 3: Stop 4."}`, `"feed":"nhip-dispatch"`,
		`{"agency":"HN","route_type":3}`,
	} {
		if !strings.Contains(answer, text) {
			t.Errorf("no %s in %s", text, answer)
		}
	}
	if len(d.states) > 0 || d.told() > 0 {
		t.Error("a preview is stored")
	}
}

// TestBadAlertsAreRefused: each with the field, and nothing is stored.
func TestBadAlertsAreRefused(t *testing.T) {
	d := newDesk(t)
	long := strings.Repeat("a", 10<<10)
	for _, c := range []struct{ field, change string }{
		{"agency", `"agency":"nobody"`},
		{"agency", `"agency":null`},
		{"status", `"status":"live"`},
		{"cause", `"cause":"accident"`},
		{"effect", `"effect":7`},
		{"severity", `"severity":null`},
		{"header", `"header":null`},
		{"header.en", `"header":{"vi":"Đi vòng"}`},
		{"header", `"header":{"vi":"a","en":"b","de":"c"}`},
		{"header.vi", `"header":{"vi":"a\nb","en":"b"}`},
		{"header.en", `"header":{"vi":"a","en":"<b>now</b>"}`},
		{"header.en", `"header":{"vi":"a","en":"\u202egnihton"}`},
		{"description.vi", `"description":{"vi":"` + long + `","en":"b"}`},
		{"description.vi", `"description":{"en":"b"}`},
		{"url.en", `"url":{"vi":"https://example.org","en":"javascript:alert(1)"}`},
		{"periods", `"periods":[]`},
		{"periods", `"periods":[{"to":"tomorrow"}]`},
		{"periods", `"periods":[{"from":"2026-03-01T08:00:00Z","to":"2026-03-01T09:00:00Z"}]`},
		{"periods[0].to", `"periods":[{"from":"2026-03-02T08:00:00Z"}]`},
		{"periods[0].to", `"periods":[{"to":"2026-03-02T08:00:00+07:00"}]`},
		{"periods[0].to", `"periods":[{"to":"9999-12-31T00:00:00Z"}]`},
		{"periods[1].from", `"periods":[{"to":"2026-03-02T09:00:00Z"},{"to":"2026-03-02T10:00:00Z"}]`},
		{"periods", `"periods":[{"until":"2026-03-02T09:00:00Z"}]`},
		{"informed", `"informed":[]`},
		{"informed[0]", `"informed":[{}]`},
		{"informed[0].route", `"informed":[{"route":"R9"}]`},
		{"informed[0].route", `"informed":[{"route":"V1"}]`},
		{"informed[0].stop", `"informed":[{"stop":"V9"}]`},
		{"informed[0].trip", `"informed":[{"trip":"V1-0"}]`},
		{"informed[0].agency", `"informed":[{"agency":"VIN"}]`},
		{"informed[1].stop", `"informed":[{"route":"R1"},{"stop":"nowhere"}]`},
		{"informed[0].direction", `"informed":[{"route":"R1","direction":-1}]`},
		{"informed[0].start_date", `"informed":[{"trip":"T7-0","start_date":"20260302"}]`},
		{"informed.route", `"informed":[{"route":32}]`},
		{"id", `"id":"detour"`},
		{"id", `"id":""`},
		{"version", `"version":1`},
		{"ended", `"ended":"2026-03-02T09:00:00Z"`},
		{"created", `"created":"2026-03-02T09:00:00Z"`},
	} {
		for _, path := range []string{"/v1/service-alerts", "/v1/service-alerts/preview"} {
			d.want(t, post, path, alertBody(t, c.change), 400, `"field":"`+c.field+`"`)
		}
	}
	for _, body := range []string{"", "{", "[]", "null", strings.Repeat(" ", 1<<20)} {
		if code, _ := d.send(nhip.RoleDispatcher, post, "/v1/service-alerts", body); code != 400 && code != 413 {
			t.Errorf("%.20q: %d", body, code)
		}
	}
	if len(d.states) > 0 {
		t.Errorf("%d are stored", len(d.states))
	}
}

// TestLargestAlertFits: what keeps every rule is stored, or refused for its size.
func TestLargestAlertFits(t *testing.T) {
	d := newDesk(t)
	text, err := json.Marshal(nhip.LocalizedText{Vi: strings.Repeat("đ", 2000), En: strings.Repeat("e", 2000)})
	if err != nil {
		t.Fatal(err)
	}
	entities := []string{}
	for i := range 21 {
		entities = append(entities, fmt.Sprintf(`{"route":"R1","stop":"S%d"},{"stop":"S%d"}`, i, i))
	}
	d.want(t, post, "/v1/service-alerts", alertBody(t, `"description":`+string(text)+`,"informed":[`+
		strings.Join(entities, ",")+`]`), 201, "")
	text, err = json.Marshal(nhip.LocalizedText{Vi: strings.Repeat("&", 2000), En: strings.Repeat("<", 2000)})
	if err != nil {
		t.Fatal(err)
	}
	d.want(t, post, "/v1/service-alerts", alertBody(t, `"description":`+string(text)), 201, "")
}

func TestAgencyHasSoManyAlerts(t *testing.T) {
	d := newDesk(t)
	for i := range nhip.MaxWrittenAlerts {
		d.want(t, post, "/v1/service-alerts", alertBody(t, fmt.Sprintf(`"id":"DETOUR%03d"`, i)), 201, "")
	}
	d.want(t, post, "/v1/service-alerts", alertBody(t, ""), 409, `"field":"agency"`)
	d.want(t, put, "/v1/service-alerts/DETOUR000", alertBody(t, ""), 200, "") // it is one of them
	other := `"agency":"VIN","informed":[{"agency":"VIN"}]`
	d.want(t, post, "/v1/service-alerts", alertBody(t, other+`,"id":"OTHER001"`), 201, "")
	d.want(t, put, "/v1/service-alerts/OTHER001", alertBody(t, ""), 409, `"field":"agency"`)
	d.want(t, post, "/v1/service-alerts/DETOUR000/end", "", 200, "")
	d.want(t, post, "/v1/service-alerts", alertBody(t, ""), 201, "")
	d.Clock.Set(citytest.Eight.Add(2 * time.Hour)) // all have ended
	d.want(t, post, "/v1/service-alerts", alertBody(t, `"periods":[{"to":"2026-03-02T12:00:00+07:00"}]`), 201, "")
}

// TestSoManyEndedAlertsAreKept: so that a new one always has room.
func TestSoManyEndedAlertsAreKept(t *testing.T) {
	d := newDesk(t)
	past := `"status":"draft","periods":[{"from":"2026-03-01T08:00:00Z","to":"2026-03-01T09:%02d:00Z"}],"id":"ENDED%04d"`
	for i := range 12 {
		d.want(t, post, "/v1/service-alerts", alertBody(t, fmt.Sprintf(past, i, i)), 201, "")
	}
	d.want(t, get, "/v1/service-alerts/ENDED0001", "", 404, "")
	d.want(t, get, "/v1/service-alerts/ENDED0002", "", 200, "")
	var list struct{ Alerts []struct{ ID string } }
	for query, want := range map[string]int{"": 10, "?limit=3": 3, "?limit=1000": 10} {
		answer := d.want(t, get, "/v1/service-alerts/written"+query, "", 200, "")
		if err := json.Unmarshal([]byte(answer), &list); err != nil || len(list.Alerts) != want {
			t.Errorf("%s: %d alerts, %v", query, len(list.Alerts), err)
		}
	}
	d.want(t, get, "/v1/service-alerts/written?limit=0", "", 400, `"field":"limit"`)
}

// TestAlertsOutOfScopeAreAsIfTheyWereNot sends each operation as callers of three scopes.
func TestAlertsOutOfScopeAreAsIfTheyWereNot(t *testing.T) {
	vin := `"agency":"VIN","informed":[{"route":"V1"}]`
	for _, c := range []struct {
		agencies []string
		sees     bool
	}{{nil, true}, {[]string{"VIN"}, true}, {[]string{"HN", "VIN"}, true}, {[]string{"HN"}, false}} {
		d := newDesk(t)
		d.want(t, post, "/v1/service-alerts", alertBody(t, vin+`,"id":"VINALERT"`), 201, "")
		d.want(t, post, "/v1/service-alerts", alertBody(t, vin+`,"id":"VINDRAFT","status":"draft"`), 201, "")
		for _, op := range []struct {
			method, path, body string
			sees, hidden       int
		}{
			{get, "/v1/service-alerts/VINALERT", "", 200, 404},
			{put, "/v1/service-alerts/VINALERT", alertBody(t, vin), 200, 404},
			{post, "/v1/service-alerts/VINALERT/end", "", 200, 404},
			{del, "/v1/service-alerts/VINDRAFT", "", 204, 404},
			{post, "/v1/service-alerts", alertBody(t, vin), 201, 400},
			{post, "/v1/service-alerts/preview", alertBody(t, vin), 200, 400},
		} {
			want := op.hidden
			if c.sees {
				want = op.sees
			}
			if code, answer := d.send(nhip.RoleDispatcher, op.method, op.path, op.body, c.agencies...); code != want {
				t.Errorf("%v %s %s: %d %s, want %d", c.agencies, op.method, op.path, code, answer, want)
			}
		}
		_, listed := d.send(nhip.RoleDispatcher, get, "/v1/service-alerts/written", "", c.agencies...)
		if strings.Contains(listed, "VINALERT") != c.sees {
			t.Errorf("%v: %s", c.agencies, listed)
		}
		_, unknown := d.send(nhip.RoleDispatcher, post, "/v1/service-alerts", alertBody(t, `"agency":"XYZ"`), c.agencies...)
		_, hidden := d.send(nhip.RoleDispatcher, post, "/v1/service-alerts", alertBody(t, vin), c.agencies...)
		if !c.sees && strings.ReplaceAll(hidden, "VIN", "XYZ") != unknown {
			t.Errorf("%s differs from %s", hidden, unknown)
		}
	}
}

func TestOnlyDispatchersWriteAlerts(t *testing.T) {
	d := newDesk(t)
	for _, role := range nhip.Roles {
		want := http.StatusForbidden
		switch role {
		case nhip.RolePublic:
			want = http.StatusUnauthorized
		case nhip.RoleDispatcher, nhip.RoleAdmin:
			want = http.StatusCreated
		}
		if code, _ := d.send(role, post, "/v1/service-alerts", alertBody(t, "")); code != want {
			t.Errorf("%s: %d, want %d", role, code, want)
		}
	}
	d.away = true
	d.want(t, post, "/v1/service-alerts", alertBody(t, ""), 503, "")
}
