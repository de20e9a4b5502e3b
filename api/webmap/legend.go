package webmap

import (
	"math"
	"net/http"

	"nhip"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/geo/aqi"
)

// legendClass is a category of a scale. From and To are the bounds of the published index, both included.
type legendClass struct {
	nhip.AQICategory
	From   float64           `json:"from"`
	To     nhip.Opt[float64] `json:"to,omitzero"` // none for the last category
	Advice *aqi.Advice       `json:"advice,omitempty"`
}

// getLegend answers GET /v1/legend.
func (h *Handler) getLegend(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "index")
	scale := q.Scale("index")
	if q.Err != nil {
		return q.Err
	}
	answer := struct {
		Scale      nhip.Scale         `json:"scale"`
		Source     string             `json:"source"`
		Quantities []nhip.Quantity    `json:"quantities"` // that tiles can show
		Reach      float64            `json:"reach_m"`
		Unknown    nhip.LocalizedText `json:"unknown"` // meaning of no color
		Pale       nhip.LocalizedText `json:"pale"`    // meaning of a pale color
		Classes    []legendClass      `json:"classes"`
	}{
		Scale: scale, Source: aqi.SourceOf(scale), Reach: h.Config.AirReach,
		Unknown: nhip.LocalizedText{Vi: "Không có trạm quan trắc nào đủ gần.", En: "No monitor is near enough."},
		Pale: nhip.LocalizedText{
			Vi: "Màu càng nhạt, ước tính càng kém chắc chắn.", En: "The paler the color, the less certain the estimate.",
		},
	}
	for _, av := range aqi.Averages(scale) {
		if n := len(answer.Quantities); n == 0 || answer.Quantities[n-1] != av.Quantity {
			answer.Quantities = append(answer.Quantities, av.Quantity)
		}
	}
	step := 1.0 // of the published index
	if scale == nhip.ScaleWHO {
		step = 0.01
	}
	from := 0.0
	for _, c := range aqi.Categories(scale) {
		class := legendClass{AQICategory: c.AQICategory, From: from}
		if !math.IsInf(c.To, 1) {
			class.To, from = nhip.Some(c.To), encode.Round(c.To+step, 100)
		}
		if advice, ok := aqi.AdviceFor(&nhip.AQI{Scale: scale, Category: c.AQICategory}); ok {
			class.Advice = &advice
		}
		answer.Classes = append(answer.Classes, class)
	}
	return h.JSON(w, rest.CacheDay, answer)
}
