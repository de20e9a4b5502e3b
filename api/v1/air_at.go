package v1

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"time"

	"nhip"
	"nhip/api/air"
	"nhip/api/encode"
	"nhip/api/rest"
	"nhip/api/scope"
	geoair "nhip/geo/air"
	"nhip/geo/aqi"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geo"
)

// airAnswer is the air at a place.
type airAnswer struct {
	Time    time.Time           `json:"time"` // end of the hour
	Age     float64             `json:"age_s"`
	State   nhip.State          `json:"state"`
	AQI     *indexEstimate      `json:"aqi"` // null if unknown
	Why     *nhip.LocalizedText `json:"why,omitempty"`
	Advice  *aqi.Advice         `json:"advice,omitempty"`
	Nearest []nearbyStation     `json:"nearest"`
}

// indexEstimate is an estimated index. Low and High are its 10th and 90th percentiles; they are missing if unknown.
type indexEstimate struct {
	Scale    nhip.Scale         `json:"scale"`
	Source   string             `json:"source"`
	Rule     string             `json:"rule"`
	Value    float64            `json:"value"`
	Low      nhip.Opt[float64]  `json:"low,omitzero"`
	High     nhip.Opt[float64]  `json:"high,omitzero"`
	Level    nhip.AQICategory   `json:"level"`
	Dominant nhip.Quantity      `json:"dominant"`
	Sub      []subIndexEstimate `json:"sub_indices"`
}

// subIndexEstimate is the estimate of one average, such as the NowCast of PM2.5.
type subIndexEstimate struct {
	Quantity      nhip.Quantity     `json:"quantity"`
	Average       string            `json:"average"`
	Concentration float64           `json:"concentration"`
	Low           nhip.Opt[float64] `json:"low,omitzero"`
	High          nhip.Opt[float64] `json:"high,omitzero"`
	Unit          string            `json:"unit"`
	Value         float64           `json:"value"`
	Method        string            `json:"method"` // kriging or idw
	Sites         int               `json:"sites"`  // used for the estimate
}

// nearbyStation is a station with its distance from a place.
type nearbyStation struct {
	ID       string             `json:"id"`
	Name     nhip.LocalizedText `json:"name,omitzero"`
	Kind     string             `json:"kind,omitempty"`
	Distance float64            `json:"distance_m"`
	State    nhip.State         `json:"state"`
	AQI      nhip.Opt[float64]  `json:"aqi,omitzero"`
	// it is silent, but usually reports: aqi is what is estimated there from the others and its usual difference from them
	Estimated bool `json:"estimated,omitempty"`

	station *nhip.Station
}

// maxNearby is the number of stations in an answer.
const maxNearby = 3

// blankReasons are the reasons of a missing index.
var blankReasons = map[geoair.Blank]nhip.LocalizedText{
	geoair.BlankNoValues: {
		Vi: "Không trạm quan trắc nào có số liệu đạt chất lượng trong giờ này.",
		En: "No monitor has good values of this hour.",
	},
	geoair.BlankTooFar: {
		Vi: "Không có trạm quan trắc nào đủ gần để ước tính.",
		En: "No monitor with values of this hour is near enough for an estimate.",
	},
	geoair.BlankElsewhere: {
		Vi: "Trạm quan trắc gần đây cách các trạm khác hơn 150 km nên không được dùng để ước tính.",
		En: "The monitors near enough stand more than 150 km from the others and are not used for estimates.",
	},
	geoair.BlankQuantity: {
		Vi: "Các trạm quan trắc gần đây không đo chất mà chỉ số này cần.",
		En: "The monitors near enough do not measure what this index requires.",
	},
	geoair.BlankUncertain: {
		Vi: "Ước tính cho nơi này quá không chắc chắn: trải qua quá nhiều mức của chỉ số.",
		En: "The estimate for this place is too uncertain: it extends over too many levels of the index.",
	},
}

// getAir answers GET /v1/air.
func (h *Handler) getAir(w http.ResponseWriter, r *http.Request) error {
	q := rest.ReadQuery(r, "at", "time", "index")
	place, given := q.Point("at")
	scale := q.Scale("index")
	if !given {
		q.Fail("at", "is required: LAT,LON in degrees, as in 21.0285,105.8542")
	}
	s, err := h.snapshot(r.Context(), q)
	if err != nil {
		return err
	}
	answer := airAnswer{
		Time: s.End, Age: encode.Round(max(0, h.Clock.Now().Sub(s.End).Seconds()), 10), State: s.State(),
		Nearest: nearest(s, place, scale, rest.ScopeOf(r)),
	}
	here, blank := s.Field(scale).At(place)
	if why, isBlank := blankReasons[blank]; isBlank {
		answer.Why = &why
	} else {
		answer.AQI = newIndexEstimate(scale, &here)
		if advice, ok := aqi.AdviceFor(&nhip.AQI{Scale: scale, Category: here.Category}); ok {
			answer.Advice = &advice
		}
	}
	return h.JSON(w, cachePolicy(s), answer)
}

func newIndexEstimate(scale nhip.Scale, here *geoair.PointEstimate) *indexEstimate {
	out := &indexEstimate{
		Scale: scale, Source: aqi.SourceOf(scale), Rule: aqi.RuleHourly, Value: here.Index.Value, Level: here.Category,
		Dominant: here.Dominant,
		Low:      known(here.Index.Low, 100), High: known(here.Index.High, 100),
		Sub: make([]subIndexEstimate, len(here.Averages)),
	}
	for i, p := range here.Averages {
		out.Sub[i] = subIndexEstimate{
			Quantity: p.Average.Quantity, Average: p.Average.Name, Unit: p.Average.Quantity.Unit(),
			Concentration: encode.Round(p.Concentration.Value, 10),
			Low:           known(p.Concentration.Low, 10), High: known(p.Concentration.High, 10), Value: p.Index.Value,
			Method: string(p.Method), Sites: p.Sites,
		}
	}
	return out
}

// known returns v rounded to steps of 1/unit, or nothing if v is NaN.
func known(v, unit float64) nhip.Opt[float64] {
	if math.IsNaN(v) {
		return nhip.Opt[float64]{}
	}
	return nhip.Some(encode.Round(v, unit))
}

// nearest returns the maxNearby fixed stations in a view nearest to a place, the nearest first.
func nearest(s *air.Snapshot, place orb.Point, scale nhip.Scale, view scope.View) []nearbyStation {
	out := []nearbyStation{}
	for i := range s.Stations {
		x := &s.Stations[i]
		p, placed := x.Point()
		if !placed || x.Mobile || !view.Station(x) {
			continue
		}
		out = append(out, nearbyStation{
			ID: x.ID, Name: x.Name.Full(), Kind: x.Kind, Distance: geo.DistanceHaversine(place, p), State: x.State(s.At),
			station: x,
		})
	}
	slices.SortFunc(out, func(a, b nearbyStation) int {
		return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.ID, b.ID))
	})
	out = out[:min(len(out), maxNearby)]
	for i := range out {
		out[i].Distance = math.Round(out[i].Distance)
		if index, _, ok := s.StationIndex(out[i].station, scale); ok {
			out[i].AQI = nhip.Some(index)
		} else if field := s.Field(scale); field.Estimated(out[i].ID) {
			p, _ := out[i].station.Point()
			if there, blank := field.At(p); blank == "" {
				out[i].AQI, out[i].Estimated = nhip.Some(there.Index.Value), true
			}
		}
	}
	return out
}

// airBrief is the current air at a stop.
type airBrief struct {
	Scale    nhip.Scale        `json:"scale"`
	Value    float64           `json:"value"`
	Low      nhip.Opt[float64] `json:"low,omitzero"`
	High     nhip.Opt[float64] `json:"high,omitzero"`
	Level    nhip.AQICategory  `json:"level"`
	Dominant nhip.Quantity     `json:"dominant"`
	Time     time.Time         `json:"time"` // end of the hour
	State    nhip.State        `json:"state"`
}

// airAt returns the current air at a place, or nil if it is unknown.
func (h *Handler) airAt(place orb.Point) *airBrief {
	s := h.Air.Current()
	here, blank := s.Field(nhip.ScaleVNAQI).At(place)
	if blank != "" {
		return nil
	}
	return &airBrief{
		Scale: nhip.ScaleVNAQI, Value: here.Index.Value, Low: known(here.Index.Low, 1), High: known(here.Index.High, 1),
		Level:    here.Category,
		Dominant: here.Dominant, Time: s.End, State: s.State(),
	}
}
