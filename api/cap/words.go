package cap

import (
	"cmp"
	"strings"

	"nhip"
	"nhip/geo/alert"
)

// languages are the languages of content (RFC 3066).
var languages = map[string]string{"vi": "vi-VN", "en": "en"}

// maxHeadline is the length of a headline that the standard recommends, characters.
const maxHeadline = 160

// place returns the name of the station, with its area.
func (t *told) place(lang string) string {
	s := t.station
	name := cmp.Or(s.Name.In(lang), s.Name.Vi, s.Name.En, s.ID, t.alert.Station)
	if s.Area != "" {
		name += ", " + s.Area
	}
	return name
}

func (t *told) event(lang string) string {
	begin := nhip.LocalizedText{Vi: "Ô nhiễm không khí: ", En: "Air pollution: "}
	if alert.OfMonitor(t.alert.Measure) {
		begin = nhip.LocalizedText{Vi: "Trạm quan trắc: ", En: "Monitoring station: "}
	}
	return begin.In(lang) + alert.MeasureName(t.alert.Measure).In(lang)
}

// grade returns the name of the message's grade.
func (t *told) grade(lang string) string {
	if g := t.message.Change.Grade; g >= 0 && g < len(nhip.GradeNames) {
		return nhip.GradeNames[g].In(lang)
	}
	return nhip.GradeNames[nhip.GradeExceeding].In(lang)
}

func (t *told) headline(lang string) string {
	text := []rune(t.place(lang) + ": " + alert.MeasureName(t.alert.Measure).In(lang) + ", " + t.grade(lang))
	if len(text) > maxHeadline {
		text = append(text[:maxHeadline-1], '…')
	}
	return string(text)
}

// descriptions are the forms of the parts of a description.
var descriptions = struct{ value, threshold, since, lasts, ended nhip.LocalizedText }{
	value:     nhip.LocalizedText{Vi: "$1 lúc $2: $3 ($4).", En: "$1 at $2: $3 ($4)."},
	threshold: nhip.LocalizedText{Vi: " Ngưỡng: $1.", En: " Threshold: $1."},
	since:     nhip.LocalizedText{Vi: " Cảnh báo bắt đầu lúc $1.", En: " The alert began at $1."},
	lasts:     nhip.LocalizedText{Vi: " Cảnh báo vẫn còn hiệu lực lúc $1.", En: " The alert still holds at $1."},
	ended:     nhip.LocalizedText{Vi: " Cảnh báo đã kết thúc.", En: " The alert has ended."},
}

func (t *told) description(lang string) string {
	a, m := t.alert, t.message
	amount := func(v float64) string { return alert.Amount(a.Measure, v, lang) }
	fill := func(form nhip.LocalizedText, values ...string) string {
		var pairs []string
		for i, v := range values {
			pairs = append(pairs, "$"+string(rune('1'+i)), v)
		}
		return strings.NewReplacer(pairs...).Replace(form.In(lang))
	}
	d := &descriptions
	text := fill(d.value, alert.MeasureName(a.Measure).In(lang), alert.LocalMinute(m.Change.Time.In(t.zone), lang),
		amount(m.Change.Value), t.grade(lang))
	if threshold, known := m.Change.Threshold.Get(); known {
		text += fill(d.threshold, amount(threshold))
	}
	text += fill(d.since, alert.LocalMinute(a.Since.In(t.zone), lang))
	switch {
	case m.Change.Grade == 0:
		text += fill(d.ended)
	case m.Renewal:
		text += fill(d.lasts, alert.LocalMinute(m.Sent.In(t.zone), lang))
	}
	return text
}

// instructions are what people should do, by grade.
var instructions = [4]nhip.LocalizedText{
	{},
	{
		Vi: "Theo dõi chất lượng không khí. Người nhạy cảm nên chuẩn bị giảm hoạt động mạnh ngoài trời.",
		En: "Follow the air quality. Sensitive people should be ready to reduce strenuous activity outdoors.",
	},
	{
		Vi: "Người nhạy cảm nên giảm hoạt động mạnh ngoài trời và chuẩn bị khẩu trang lọc bụi mịn.",
		En: "Sensitive people should reduce strenuous activity outdoors and have a mask against fine dust at hand.",
	},
	{
		Vi: "Hạn chế hoạt động mạnh ngoài trời. Người nhạy cảm nên ở trong nhà và đóng cửa sổ; ra ngoài nên đeo khẩu trang " +
			"lọc bụi mịn.",
		En: "Avoid strenuous activity outdoors. Sensitive people should stay indoors with windows closed, and wear a mask " +
			"against fine dust outside.",
	},
}

func (t *told) instruction(lang string) string {
	g := t.message.Change.Grade
	switch {
	case g <= 0 || g >= len(instructions):
		return ""
	case alert.OfMonitor(t.alert.Measure):
		return nhip.LocalizedText{Vi: "Kiểm tra trạm quan trắc.", En: "Inspect the monitoring station."}.In(lang)
	}
	return instructions[g].In(lang)
}
