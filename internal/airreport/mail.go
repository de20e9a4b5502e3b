package airreport

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"text/template"
	"time"

	"nhip"
	"nhip/geo/limits"
)

// Mail is a report as it is mailed: short as text and as HTML, and whole as CSV.
type Mail struct {
	Subject, Text, HTML string
	File                string // name of the CSV
	CSV                 []byte
}

//go:embed mail_*
var mailFiles embed.FS

var (
	mailTexts = template.Must(template.ParseFS(mailFiles, "mail_*.txt"))
	mailPages = htmltemplate.Must(htmltemplate.ParseFS(mailFiles, "mail_*.html"))
)

// mailWords are the texts of mails by language and key.
var mailWords = map[string]map[string]string{
	"vi": {
		"monthly": "Báo cáo tháng", "exceedances": "Vượt quy chuẩn ngày", "network": "Toàn mạng lưới", "area": "Khu vực",
		"station": "Trạm", "stations": "Số trạm", "silent": "Trạm không có số liệu", "quantity": "Thông số",
		"mean": "Trung bình", "max": "Lớn nhất", "lastyear": "Cùng kỳ năm trước", "change": "Thay đổi",
		"capture": "Tỷ lệ dữ liệu", "exceed": "Vượt quy chuẩn", "average": "Thời gian trung bình", "limit": "Giới hạn",
		"number": "Số lần vượt", "none": "Không có", "nodata": "Không có dữ liệu hợp lệ", "made": "Lập lúc",
		"more": "Còn lại xem trong tệp CSV đính kèm", "file": "Số liệu đầy đủ trong tệp CSV đính kèm",
		"schedule": "Lịch gửi", "page": "Báo cáo", "partial": "Tháng chưa kết thúc",
		"level": "đã kiểm tra tự động và được cán bộ rà soát", "simulated": "SỐ LIỆU MÔ PHỎNG",
	},
	"en": {
		"monthly": "Monthly report", "exceedances": "Exceedances of", "network": "Whole network", "area": "Area",
		"station": "Station", "stations": "Stations", "silent": "Stations without data", "quantity": "Quantity",
		"mean": "Mean", "max": "Highest", "lastyear": "Same month last year", "change": "Change",
		"capture": "Data capture", "exceed": "Exceedances of the limits", "average": "Averaging period", "limit": "Limit",
		"number": "Exceedances", "none": "None", "nodata": "No valid data", "made": "Generated",
		"more": "The rest is in the attached CSV", "file": "All numbers are in the attached CSV",
		"schedule": "Schedule", "page": "Report", "partial": "The month is not over",
		"level": "checked automatically and reviewed by staff", "simulated": "SIMULATED DATA",
	},
}

// AverageNames are the averaging times of limits.
var AverageNames = map[limits.Average]nhip.LocalizedText{
	limits.AverageHour: {Vi: "1 giờ", En: "1 hour"},
	limits.Average8h:   {Vi: "8 giờ (trượt)", En: "8 hours (running)"},
	limits.AverageDay:  {Vi: "24 giờ", En: "24 hours"},
	limits.AverageYear: {Vi: "Năm", En: "Year"},
}

// MailOptions say what a mail tells besides the numbers.
type MailOptions struct {
	Lang      string // vi or en
	Schedule  string // name of the schedule
	Station   string // name of the only station; "" for several
	Area      string // the only area
	PublicURL string // of the api, for links; "": none
	Simulated bool
	Now       time.Time // in the time zone of the city
}

// maxListed bounds the exceedances in the text; the CSV has all.
const maxListed = 100

// mailView is a report as the templates show it.
type mailView struct {
	MailOptions
	*Monthly
	Words map[string]string

	Title, About, Made, Link string
	Count                    int // stations
	Listed                   []MonthExceedance
	More                     int
}

// newMailView returns what all mails have.
func newMailView(o *MailOptions) *mailView {
	v := &mailView{MailOptions: *o, Words: mailWords[o.Lang], Made: minute(o.Now, o.Lang)}
	switch {
	case o.Station != "":
		v.About = v.Words["station"] + ": " + o.Station
	case o.Area != "":
		v.About = v.Words["area"] + ": " + o.Area
	default:
		v.About = v.Words["network"]
	}
	return v
}

// Mail returns the report as it is mailed.
func (m *Monthly) Mail(o *MailOptions) (*Mail, error) {
	v := newMailView(o)
	month, err := time.Parse("2006-01", m.Month)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%d/%d", month.Month(), month.Year())
	if o.Lang == "en" {
		name = month.Format("January 2006")
	}
	v.Monthly, v.Count, v.Title = m, m.Stations, v.Words["monthly"]+" "+name
	if o.PublicURL != "" {
		q := url.Values{"format": {"html"}, "lang": {o.Lang}, "month": {m.Month}}
		for name, value := range map[string]string{"station": m.Station, "area": m.Area} {
			if value != "" {
				q.Set(name, value)
			}
		}
		v.Link = strings.TrimSuffix(o.PublicURL, "/") + "/v1/reports/monthly?" + q.Encode()
	}
	for _, e := range m.Exceedances {
		v.list(&e)
	}
	return v.mail("month", "monthly-"+m.Month, m.CSV())
}

// ExceedancesMail returns the comparison of a day with the limits as it is mailed. rows are all of it, csv begins with
// ExceedanceColumns.
func ExceedancesMail(day time.Time, stations int, rows []Exceedance, csv []byte, o *MailOptions) (*Mail, error) {
	v := newMailView(o)
	name := day.Format("02/01/2006")
	if o.Lang == "en" {
		name = day.Format("2 January 2006")
	}
	v.Count, v.Title = stations, v.Words["exceedances"]+" "+name
	for _, e := range rows {
		v.list(&MonthExceedance{e.Station, e.Name, e.Area, e.Exceedance})
	}
	return v.mail("exceedances", "exceedances-"+day.Format(time.DateOnly), csv)
}

// list adds an exceedance to those that the text shows.
func (v *mailView) list(e *MonthExceedance) {
	switch {
	case e.Number == 0:
	case len(v.Listed) < maxListed:
		v.Listed = append(v.Listed, *e)
	default:
		v.More++
	}
}

// executor is what the templates of texts and of pages have in common.
type executor interface {
	ExecuteTemplate(w io.Writer, name string, data any) error
}

func (v *mailView) mail(kind, file string, csv []byte) (*Mail, error) {
	m := &Mail{Subject: fmt.Sprintf("[Nhịp] %s · %s", v.Title, v.About), File: file + ".csv", CSV: csv}
	if v.Simulated {
		m.Subject += " · " + v.Words["simulated"]
	}
	for _, form := range []struct {
		by   executor
		ext  string
		into *string
	}{{mailTexts, ".txt", &m.Text}, {mailPages, ".html", &m.HTML}} {
		var b bytes.Buffer
		if err := form.by.ExecuteTemplate(&b, "mail_"+kind+form.ext, v); err != nil {
			return nil, err
		}
		*form.into = b.String()
	}
	return m, nil
}

// Number formats a number to a tenth: with a decimal comma in Vietnamese.
func (v *mailView) Number(f float64) string {
	text := strconv.FormatFloat(round(f, 10), 'f', -1, 64)
	if v.Lang == "vi" {
		text = strings.Replace(text, ".", ",", 1)
	}
	return text
}

// Optional formats a number that may be unknown.
func (v *mailView) Optional(n nhip.Opt[float64]) string {
	if f, ok := n.Get(); ok && !math.IsNaN(f) {
		return v.Number(f)
	}
	return "–"
}

// QuantityName returns the name of a quantity.
func (v *mailView) QuantityName(q nhip.Quantity) string {
	return cmp.Or(q.Name().In(v.Lang), string(q))
}

// AverageName returns the name of an averaging time.
func (v *mailView) AverageName(a limits.Average) string { return AverageNames[a].In(v.Lang) }

// SilentCount returns how many silent stations there are.
func (v *mailView) SilentCount() int { return len(v.Silent) }

// minute formats a local time for readers in a language, with its offset.
func minute(t time.Time, lang string) string {
	if lang == "en" {
		return t.Format("2 January 2006 15:04 (UTC-07:00)")
	}
	return t.Format("15:04 02/01/2006 (UTC-07:00)")
}
