package open311

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nhip"
)

// shelter is the report of the digest's example, as one of ours.
func shelter() *nhip.CitizenReport {
	at := time.Date(2026, 3, 2, 2, 15, 0, 0, time.UTC)
	return &nhip.CitizenReport{
		ID: "SHELTER7001X", Service: "stop-condition", Status: nhip.ReportOpen, Received: at, Updated: at, At: at,
		Lat: nhip.Some(52.15), Lon: nhip.Some(4.3), Place: nhip.ReportAtStop, Text: "Glass panel missing & <more>",
		PublicText: true,
	}
}

// golden are answers in both forms, in the order of fields that the specification has.
var golden = map[string]string{
	"requests/SHELTER7001X.xml": `<?xml version="1.0" encoding="UTF-8"?>
<service_requests><request><service_request_id>SHELTER7001X</service_request_id><status>open</status>` +
		`<status_notes></status_notes><service_name>Điểm dừng hư hỏng</service_name>` +
		`<service_code>stop-condition</service_code>` +
		`<description>Glass panel missing &amp; &lt;more&gt;</description><agency_responsible></agency_responsible>` +
		`<service_notice></service_notice><requested_datetime>2026-03-02T09:15:00+07:00</requested_datetime>` +
		`<updated_datetime>2026-03-02T09:15:00+07:00</updated_datetime><expected_datetime></expected_datetime>` +
		`<address></address><address_id></address_id><zipcode></zipcode><lat>52.15</lat><long>4.3</long>` +
		`<media_url></media_url></request></service_requests>`,
	"requests/SHELTER7001X.json": `[{"service_request_id":"SHELTER7001X","status":"open","status_notes":null,` +
		`"service_name":"Điểm dừng hư hỏng","service_code":"stop-condition",` +
		`"description":"Glass panel missing \u0026 \u003cmore\u003e","agency_responsible":null,"service_notice":null,` +
		`"requested_datetime":"2026-03-02T09:15:00+07:00","updated_datetime":"2026-03-02T09:15:00+07:00",` +
		`"expected_datetime":null,"address":null,"address_id":null,"zipcode":null,"lat":52.15,"long":4.3,` +
		`"media_url":null}]` + "\n",
	"tokens/SHELTER7001X.xml": `<?xml version="1.0" encoding="UTF-8"?>
<service_requests><request><service_request_id>SHELTER7001X</service_request_id><token>SHELTER7001X</token>` +
		`</request></service_requests>`,
	"tokens/SHELTER7001X.json": `[{"service_request_id":"SHELTER7001X","token":"SHELTER7001X"}]` + "\n",
	"requests/NONE.xml": `<?xml version="1.0" encoding="UTF-8"?>
<errors><error><code>404</code><description>service_request_id: there is no such report</description></error></errors>`,
	"requests/NONE.json": "" +
		`[{"code":404,"description":"service_request_id: there is no such report"}]` + "\n",
	"requests.json?service_request_id=NONE": "[]\n",
	"requests.xml?service_request_id=NONE": `<?xml version="1.0" encoding="UTF-8"?>
<service_requests></service_requests>`,
	"requests.json?service_request_id=A,B,SHELTER7001X&status=closed": `[{"service_request_id":"SHELTER7001X"`,
}

func TestAnswersAreThoseOfTheSpecification(t *testing.T) {
	s := newServer(t, nil)
	s.state.SetReport("SHELTER7001X", shelter(), 1)
	for path, want := range golden {
		w := s.get("/open311/v2/" + path)
		if !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%s: %s\nwant %s", path, w.Body, want)
		}
		kind, _, _ := strings.Cut(path, "?")
		if got := w.Header().Get("Content-Type"); strings.HasSuffix(kind, "xml") && got != "text/xml; charset=utf-8" ||
			strings.HasSuffix(kind, "json") && got != "application/json; charset=utf-8" {
			t.Errorf("%s: %s", path, got)
		}
	}
	if w := s.get("/open311/v2/requests.csv"); w.Code != http.StatusNotFound {
		t.Errorf("another format: %d", w.Code)
	}
}

// TestDigestNamesOurFields compares the fields of a request with those of the specification's digest.
func TestDigestNamesOurFields(t *testing.T) {
	data := os.Getenv("TESTDATA_DIR")
	if data == "" {
		t.Skip("TESTDATA_DIR is not set: the digest of the specification is not compared")
	}
	digest, err := os.ReadFile(filepath.Join(data, "schemas/open311/georeport-v2.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(digest), "## Made-up example")
	_, example, _ = strings.Cut(example, "```json\n")
	example, _, _ = strings.Cut(example, "\n```")
	var want, got []map[string]any
	if err := json.Unmarshal([]byte(example), &want); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, nil)
	s.state.SetReport("SHELTER7001X", shelter(), 1)
	if err := json.Unmarshal(s.get("/open311/v2/requests/SHELTER7001X.json").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for name := range want[0] {
		if _, has := got[0][name]; !has {
			t.Errorf("%s is missing", name)
		}
	}
	for name := range got[0] {
		if _, has := want[0][name]; !has {
			t.Errorf("%s is not of the specification", name)
		}
	}
}

func TestDiscoveryAndServices(t *testing.T) {
	s := newServer(t, nil)
	var d discovery
	if err := json.Unmarshal(s.get("/open311/v2/discovery.json").Body.Bytes(), &d); err != nil ||
		d.Endpoints[0].URL != "http://example.com/open311/v2" || d.Endpoints[0].Formats[0] != "text/xml" {
		t.Errorf("%v %+v", err, d)
	}
	var asXML discovery
	if err := xml.Unmarshal(s.get("/open311/v2/discovery.xml").Body.Bytes(), &asXML); err != nil ||
		len(asXML.Endpoints) != 1 || len(asXML.Endpoints[0].Formats) != 2 {
		t.Errorf("%v %+v", err, asXML)
	}
	var list serviceList
	if err := xml.Unmarshal(s.get("/open311/v2/services.xml?lang=en").Body.Bytes(), &list); err != nil ||
		list.Services[0].Name != "No bus" || !list.Services[0].Metadata || list.Services[0].Type != "realtime" {
		t.Errorf("%v %+v", err, list)
	}
	for _, one := range list.Services {
		var def definition
		if err := xml.Unmarshal(s.get("/open311/v2/services/"+one.Code+".xml").Body.Bytes(), &def); err != nil ||
			def.Code != one.Code || len(def.Attributes) == 0 {
			t.Errorf("%s: %v %+v", one.Code, err, def)
		}
		if one.Group != "transport" && one.Group != "environment" || one.Description == "" || one.Keywords == "" {
			t.Errorf("%+v", one)
		}
	}
	for path, status := range map[string]int{
		"services/none.json": 404, "services.json?lang=fr": 400, "services.json?lnag=vi": 400, "discovery.json?x=1": 400,
		"services.json?jurisdiction_id=hanoi.gov.vn": 200,
	} {
		if w := s.get("/open311/v2/" + path); w.Code != status {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestListIsFilteredAndBounded(t *testing.T) {
	s := newServer(t, nil)
	now := s.clock.Now()
	for i, age := range []time.Duration{time.Hour, 50 * 24 * time.Hour, 100 * 24 * time.Hour} {
		r := shelter()
		r.ID, r.Received = "REPORT00000"+string(rune('A'+i)), now.Add(-age)
		r.Updated = r.Received
		if i == 1 {
			r.Status, r.Service = nhip.ReportClosed, "smoke"
		}
		s.state.SetReport(r.ID, r, 1)
	}
	for query, want := range map[string]string{
		"":                          "AB",
		"?status=closed":            "B",
		"?status=open,closed":       "AB",
		"?service_code=smoke":       "B",
		"?service_code=smoke,noise": "B",
		"?start_date=2025-11-01T00:00:00%2B07:00":                        "BC",
		"?end_date=2025-12-01T00:00:00Z":                                 "C",
		"?start_date=2025-12-01T00:00:00Z&end_date=2026-01-15T00:00:00Z": "B",
		"?page_size=1":        "A",
		"?page_size=1&page=2": "B",
		"?page_size=1&page=9": "",
		"?service_request_id=REPORT00000C&status=closed": "C",
	} {
		var out []request
		w := s.get("/open311/v2/requests.json" + query)
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		got := ""
		for _, r := range out {
			got += r.ID[11:]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{
		"status=opened", "status=", "start_date=2026-01-01", "start_date=2026-01-01T00:00:00", "page=0", "page_size=1001",
		"start_date=2025-01-01T00:00:00Z&end_date=2026-01-01T00:00:00Z", "extensions=yes", "nonsense=1",
		"start_date=2026-01-02T00:00:00Z&end_date=2026-01-01T00:00:00Z", "service_request_id=a,,b",
		"status=open&status=closed",
		"service_request_id=" + strings.Repeat("A,", 200) + "A",
	} {
		if w := s.get("/open311/v2/requests.xml?" + query); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// TestPublicAnswersNameNobody sends everything that names a person, and reads all that is public.
func TestPublicAnswersNameNobody(t *testing.T) {
	s := newServer(t, nil)
	secrets := []string{
		"S3CRET-first", "S3CRET-last", "s3cret@example.com", "S3CRET-phone", "S3CRET-device", "S3CRET-account",
		"S3CRET-address", "S3CRET-text", "S3CRET-media", "29B-123.45",
	}
	r := s.report(t, "service_code", "staff-conduct", "lat", "21.0", "long", "105.8",
		"first_name", secrets[0], "last_name",
		secrets[1], "email", secrets[2], "phone", secrets[3], "device_id", secrets[4], "account_id", secrets[5],
		"address_string", secrets[6], "description", secrets[7], "media_url", "https://example.com/"+secrets[8],
		"attribute[bus]", secrets[9])
	noted := *r
	noted.Notes, noted.Assignee = []nhip.ReportNote{{By: "S3CRET", Text: "S3CRET"}}, "S3CRET"
	s.state.SetReport(r.ID, &noted, 2)
	for _, path := range []string{
		"requests.json?extensions=true", "requests.xml?extensions=true", "requests/" + r.ID + ".json?extensions=true",
		"tokens/" + r.ID + ".xml",
	} {
		body := s.get("/open311/v2/" + path).Body.String()
		if !strings.Contains(body, r.ID) {
			t.Errorf("%s: %s", path, body)
		}
		for _, secret := range append(secrets, "S3CRET") {
			if strings.Contains(strings.ToLower(body), strings.ToLower(secret)) {
				t.Errorf("%s: %s is in %s", path, secret, body)
			}
		}
	}
	raw, _ := json.Marshal(r)
	for _, secret := range secrets[:7] {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%s is kept with the report", secret)
		}
	}
}
