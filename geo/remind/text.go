package remind

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"nhip"
)

// Bounds of texts, in characters: a notification must fit into nhip.MaxNotification bytes.
const (
	maxTitle = 60
	maxBody  = 150
	maxName  = 60 // of a stop, a line or a destination
)

// texts returns the title and the body of a notification for a lock screen. A body that is set already is kept.
func (c *City) texts(r *nhip.Reminder, n *nhip.ReminderNotification) (title, body string) {
	var t, b nhip.LocalizedText
	switch {
	case n.State == nhip.ReminderEnded:
		t, b = endedTexts(n)
	case r.Kind == nhip.ReminderGetOff:
		t, b = getOffTexts(n)
	case r.Kind == nhip.ReminderLine:
		t = nhip.LocalizedText{Vi: "Tuyến " + n.Line + ": có thông báo", En: "Line " + n.Line + ": service alert"}
		b = nhip.LocalizedText{Vi: "Xem thông báo của tuyến.", En: "See the alerts of the line."}
	case r.Kind == nhip.ReminderAir:
		t, b = airTexts(r, n)
	default:
		t, b = c.busTexts(r, n)
	}
	body = n.Body
	if body == "" {
		body = b.In(r.Lang)
	}
	return clip(t.In(r.Lang), maxTitle), clip(body, maxBody)
}

func endedTexts(n *nhip.ReminderNotification) (title, body nhip.LocalizedText) {
	title = nhip.LocalizedText{Vi: "Lời nhắc đã kết thúc", En: "The reminder has ended"}
	if n.Reason == nhip.ReminderReasonGone {
		return title, nhip.LocalizedText{Vi: "Xe không còn gửi vị trí.", En: "The bus does not report any more."}
	}
	return title, nhip.LocalizedText{
		Vi: "Xe không còn đến " + n.StopName + ".", En: "The bus does not come to " + n.StopName + " any more.",
	}
}

func (c *City) busTexts(r *nhip.Reminder, n *nhip.ReminderNotification) (title, body nhip.LocalizedText) {
	line := nhip.LocalizedText{Vi: "Tuyến " + n.Line, En: "Line " + n.Line}
	if n.Headsign != "" {
		line = nhip.LocalizedText{Vi: line.Vi + " đi " + n.Headsign, En: line.En + " to " + n.Headsign}
	}
	if n.Vehicle == "" || n.Early.IsZero() {
		return line, nhip.LocalizedText{Vi: "Chưa có xe báo.", En: "No bus is reporting."}
	}
	in := c.span(n.Early, n.Late, n.Expected)
	body = nhip.LocalizedText{Vi: n.StopName + ": " + in.Vi, En: n.StopName + ": " + in.En}
	if r.Kind != nhip.ReminderLeave {
		return line, body
	}
	walk := int(math.Ceil(float64(r.Walk) / 60))
	body.Vi, body.En = body.Vi+fmt.Sprintf(", đi bộ %d phút", walk), body.En+fmt.Sprintf(", %d min walk", walk)
	if n.State == nhip.ReminderFired {
		return nhip.LocalizedText{Vi: "Đi ngay · " + line.Vi, En: "Leave now · " + line.En}, body
	}
	return line, body
}

// span returns a range of times as riders read it: minutes, or the middle where the range is wide.
func (c *City) span(early, late, expected time.Time) nhip.LocalizedText {
	from, to := minutesUntil(early, c.Now), int(math.Ceil(max(late.Sub(c.Now).Minutes(), 0)))
	switch {
	case to <= 1:
		return nhip.LocalizedText{Vi: "đang tới", En: "arriving"}
	case to <= 2:
		return nhip.LocalizedText{Vi: "dưới 2 phút", En: "under 2 min"}
	case to-from <= 8 && to <= 30:
		return nhip.LocalizedText{Vi: fmt.Sprintf("%d–%d phút", from, to), En: fmt.Sprintf("%d–%d min", from, to)}
	case to <= 30:
		m := int(math.Round(max(expected.Sub(c.Now).Minutes(), 0)))
		return nhip.LocalizedText{Vi: fmt.Sprintf("≈ %d phút", m), En: fmt.Sprintf("≈ %d min", m)}
	}
	zone := c.Zone
	if zone == nil {
		zone = time.UTC
	}
	at := "≈ " + expected.In(zone).Format("15:04")
	return nhip.LocalizedText{Vi: at, En: at}
}

func getOffTexts(n *nhip.ReminderNotification) (title, body nhip.LocalizedText) {
	title = nhip.LocalizedText{Vi: "Chuẩn bị xuống xe", En: "Get off soon"}
	if n.Reason == nhip.ReminderReasonPassed {
		title = nhip.LocalizedText{Vi: "Xe đã qua điểm dừng", En: "The bus has passed the stop"}
		return title, nhip.LocalizedText{Vi: n.StopName, En: n.StopName}
	}
	switch left := n.Left.Or(0); left {
	case 0, 1:
		body = nhip.LocalizedText{Vi: n.StopName + " là điểm dừng kế tiếp.", En: n.StopName + " is the next stop."}
	default:
		body = nhip.LocalizedText{
			Vi: fmt.Sprintf("%s, còn %d điểm dừng.", n.StopName, left), En: fmt.Sprintf("%s in %d stops.", n.StopName, left),
		}
	}
	return title, body
}

// scaleNames are the scales as riders know them.
var scaleNames = map[nhip.Scale]string{nhip.ScaleVNAQI: "VN_AQI", nhip.ScaleUSEPA: "US AQI"}

func airTexts(r *nhip.Reminder, n *nhip.ReminderNotification) (title, body nhip.LocalizedText) {
	name, unit := scaleNames[r.Scale], ""
	if r.Quantity != "" {
		name, unit = strings.ToUpper(string(r.Quantity)), " "+r.Quantity.Unit()
		name = strings.Replace(name, "PM25", "PM2.5", 1)
	}
	value := strconv.FormatFloat(math.Round(10*n.Value.Or(0))/10, 'f', -1, 64) + unit
	above := strconv.FormatFloat(r.Above, 'f', -1, 64) + unit
	title = nhip.LocalizedText{Vi: name + " " + value, En: name + " " + value}
	place := nhip.LocalizedText{Vi: n.StopName, En: n.StopName}
	if r.Place != nil {
		place = nhip.LocalizedText{Vi: "Nơi đã chọn", En: "The chosen place"}
	}
	return title, nhip.LocalizedText{Vi: place.Vi + ": trên mức " + above, En: place.En + ": above " + above}
}

// textOf returns the text in a language, or else one without a language, or else the first.
func textOf(all []nhip.Translation, lang string) string {
	best := ""
	for i, t := range all {
		switch {
		case strings.HasPrefix(strings.ToLower(t.Language), lang):
			return t.Text
		case i == 0 || t.Language == "":
			best = t.Text
		}
	}
	return best
}

// clip shortens a text to a number of characters, on one line.
func clip(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
