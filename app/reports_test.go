package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"nhip/api/apitest"
	"nhip/app/apptest"
	"nhip/internal/awaittest"
)

// formToken returns a token for one report.
func formToken(t *testing.T, c *apitest.Client) string {
	t.Helper()
	var form struct {
		Token string `json:"form_token"`
	}
	apptest.Decode(t, c.Get(t, "/open311/v2/form"), &form)
	return form.Token
}

// createdReport returns the id in an answer to a report.
func createdReport(t *testing.T, status int, body []byte) string {
	t.Helper()
	var out []struct {
		ID string `json:"service_request_id"`
	}
	if err := json.Unmarshal(body, &out); err != nil || status != http.StatusCreated || len(out) != 1 {
		t.Fatalf("report: %d %s", status, body)
	}
	return out[0].ID
}

// awaitReports waits until an api has all reports.
func awaitReports(t *testing.T, c *apitest.Client) {
	t.Helper()
	awaittest.True(t, "the reports are complete", func() bool {
		return c.Get(t, "/open311/v2/requests.json").Status == http.StatusOK
	})
}

// sendReports sends a report as JSON and one with a photo, works on the first as staff, and returns their ids.
func sendReports(t *testing.T, p *apptest.Platform) (answered, pictured string) {
	t.Helper()
	c, operator := p.API(t), []string{"Authorization", "Bearer " + p.Token(t)}
	awaitReports(t, c)
	a := c.Post(t, "/open311/v2/requests.json", fmt.Sprintf(
		`{"service_code":"smoke","lat":21.031,"long":105.85,"phone":"0912345678","description":"khói","form_token":%q}`,
		formToken(t, c)))
	answered = createdReport(t, a.Status, a.Body)
	shown := func() bool { return c.Get(t, "/v1/queue/"+answered, operator...).Status == http.StatusOK }
	awaittest.True(t, "the report is in the queue", shown)
	a = c.Post(t, "/v1/queue/"+answered,
		`{"version":1,"answer":"Đã xử lý.","status":"closed","note":"gọi","public_text":true}`, operator...)
	if a.Status != http.StatusOK {
		t.Errorf("change: %d %s", a.Status, a.Body)
	}
	awaittest.True(t, "an outdated change is refused", func() bool {
		return c.Post(t, "/v1/queue/"+answered, `{"version":1,"status":"open"}`, operator...).Status == http.StatusConflict
	})
	return answered, sendPhoto(t, p, c)
}

// sendPhoto sends a report with a photo and returns its id.
func sendPhoto(t *testing.T, p *apptest.Platform, c *apitest.Client) string {
	t.Helper()
	var body, picture bytes.Buffer
	noise := image.NewGray(image.Rect(0, 0, 400, 400))
	for i := range noise.Pix {
		noise.Pix[i] = byte(i * i >> 3)
	}
	m := multipart.NewWriter(&body)
	err := png.Encode(&picture, noise)
	for name, value := range map[string]string{
		"service_code": "crowding", "attribute[bus]": "near", "form_token": formToken(t, c),
	} {
		if err == nil {
			err = m.WriteField(name, value)
		}
	}
	part, partErr := m.CreateFormFile("media", "a.png")
	if err == nil && partErr == nil {
		_, err = part.Write(picture.Bytes())
	}
	if err != nil || partErr != nil || m.Close() != nil {
		t.Fatal(err, partErr)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.HTTP+"/open311/v2/requests.json", &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", m.FormDataContentType())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return createdReport(t, resp.StatusCode, raw)
}

// checkReports checks the reports of sendReports.
func checkReports(t *testing.T, p *apptest.Platform, answered, pictured string) {
	t.Helper()
	c, operator := p.API(t), []string{"Authorization", "Bearer " + p.Token(t)}
	awaitReports(t, c)
	var queue struct {
		Reports []struct {
			ID, Status, Answer string
			Version            int
			Known              struct{ Bus struct{ Route string } }
		}
		Total int
	}
	awaittest.True(t, "both reports are in the queue", func() bool {
		apptest.Decode(t, c.Get(t, "/v1/queue", operator...), &queue)
		return queue.Total == 2 && queue.Reports[1].Version == 2
	})
	if first, second := queue.Reports[1], queue.Reports[0]; first.ID != answered || first.Status != "closed" ||
		first.Answer != "Đã xử lý." || second.ID != pictured || second.Known.Bus.Route != "32" {
		t.Errorf("queue %+v", queue)
	}
	a := c.Get(t, "/v1/queue/"+answered, operator...)
	if !strings.Contains(string(a.Body), `"phone":"0912345678"`) || !strings.Contains(string(a.Body), `"text":"gọi"`) {
		t.Errorf("%s", a.Body)
	}
	a = c.Get(t, "/open311/v2/requests/"+answered+".json?extensions=true")
	if !strings.Contains(string(a.Body), `"description":"khói"`) || strings.Contains(string(a.Body), "0912345678") {
		t.Errorf("%s", a.Body)
	}
	if a = c.Get(t, "/open311/v2/requests.xml"); !strings.Contains(string(a.Body), answered) {
		t.Errorf("%s", a.Body)
	}
	a = c.Get(t, "/v1/queue/"+pictured+"/photo", operator...)
	if a.Status != http.StatusOK || len(a.Body) < 33<<10 || !bytes.HasPrefix(a.Body, []byte("\xff\xd8\xff")) {
		t.Errorf("photo: %d, %d bytes", a.Status, len(a.Body))
	}
}
