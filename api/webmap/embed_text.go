package webmap

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"nhip"
	"nhip/geo/aqi"
)

// The languages of pages.
const (
	vietnamese = "vi"
	english    = "en"
)

// embedText has the texts of the embedded map in a language.
type embedText struct {
	title, hourly, none, summary, field, areas, source, open, simulated, stamp string
}

var embedWords = map[string]embedText{
	vietnamese: {
		title: "Chất lượng không khí", hourly: "VN_AQI giờ",
		none:      "0/%d trạm có số liệu của giờ này",
		summary:   "%d/%d trạm · cao nhất %s. %s Hình thoi là cảm biến.",
		field:     "Màu giữa các trạm là ước tính: càng nhạt càng kém chắc chắn.",
		areas:     "Màu của khu vực là ước tính từ các trạm.",
		source:    "Thang: %s. Nguồn: %s",
		open:      "Mở bản đồ",
		simulated: "Mô phỏng", stamp: "MÔ PHỎNG",
	},
	english: {
		title: "Air quality", hourly: "Hourly VN_AQI",
		none:      "0 of %d stations have values of this hour",
		summary:   "%d of %d stations · highest %s. %s Diamonds are sensors.",
		field:     "Colors between stations are estimated: paler = less certain.",
		areas:     "Colors of areas are estimated from the stations.",
		source:    "Scale: %s. Source: %s",
		open:      "Open the map",
		simulated: "Simulated", stamp: "SIMULATED",
	},
}

// embedScale names what the numbers are.
func embedScale(q *embedQuery, words *embedText) string {
	name := map[nhip.Scale]string{
		nhip.ScaleVNAQI: words.hourly, nhip.ScaleUSEPA: "US AQI", nhip.ScaleWHO: "WHO (×)",
	}[q.scale]
	if q.quantity != "" {
		name += ", " + quantityName(q.quantity)
	}
	return name
}

// sourceOf returns the regulation of a scale.
func sourceOf(scale nhip.Scale, lang string) string {
	if scale == nhip.ScaleVNAQI && lang == vietnamese {
		return "Quyết định 1459/QĐ-TCMT ngày 12/11/2019"
	}
	return aqi.SourceOf(scale)
}

// quantityName returns the name of a quantity with a sub-index as riders know it.
func quantityName(q nhip.Quantity) string {
	name, known := map[nhip.Quantity]string{
		nhip.PM25: "PM2.5", nhip.PM10: "PM10", nhip.O3: "O₃", nhip.NO2: "NO₂", nhip.SO2: "SO₂", nhip.CO: "CO",
	}[q]
	if !known {
		return string(q)
	}
	return name
}

// indexText formats an index: a whole number, but a ratio to the guidelines of WHO.
func indexText(value float64, scale nhip.Scale) string {
	if scale == nhip.ScaleWHO {
		return strconv.FormatFloat(math.Round(10*value)/10, 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(value), 'f', 0, 64)
}

// embedClasses returns the legend.
func embedClasses(q *embedQuery) []embedClass {
	var out []embedClass
	from, step := 0.0, 1.0
	if q.scale == nhip.ScaleWHO {
		step = 0.01
	}
	for _, c := range aqi.Categories(q.scale) {
		span := fmt.Sprintf("%v–%v", from, c.To)
		if math.IsInf(c.To, 1) {
			span = fmt.Sprintf("≥ %v", from)
		}
		out = append(out, embedClass{c.Name.In(q.lang), c.Color, span})
		from = math.Round(100*(c.To+step)) / 100
	}
	return out
}

// localTime formats an hour in the city's time zone.
func (h *Handler) localTime(t time.Time, lang string) string {
	if h.Config.Zone != nil {
		t = t.In(h.Config.Zone)
	}
	if lang == english {
		return t.Format("15:04, 2 January 2006")
	}
	return t.Format("15:04, 02/01/2006")
}
