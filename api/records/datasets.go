package records

import (
	"net/http"
	"time"

	"nhip"
	"nhip/api/catalog"
	"nhip/api/rest"
)

// dataset is what can be had of one kind of data, in the terms of DCAT.
type dataset struct {
	ID          string             `json:"id"`
	Title       nhip.LocalizedText `json:"title"`
	Description nhip.LocalizedText `json:"description"`
	License     string             `json:"license,omitempty"`
	LicenseURL  string             `json:"license_url,omitempty"`
	Source      string             `json:"source,omitempty"`
	Temporal    *temporal          `json:"temporal,omitempty"`
	Files       []distribution     `json:"distributions"`
}

// temporal is the time span of a dataset.
type temporal struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// distribution is a form of a dataset. An address may be a template (RFC 6570).
type distribution struct {
	Format    string `json:"format"`
	MediaType string `json:"media_type"`
	URL       string `json:"url"`
	Templated bool   `json:"templated,omitempty"`
}

// formats are the formats of a history, as format= names them, with their media types.
var formats = [...][2]string{{"csv", rest.FormatCSV}, {"parquet", rest.FormatParquet}, {"json", rest.FormatJSON}}

// listDatasets answers GET /v1/datasets.
func (h *Handler) listDatasets(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	return h.withSlot(r, "", nhip.QualityReviewed, rest.FormatJSON, func() error { return h.sendDatasets(w, r) })
}

func (h *Handler) sendDatasets(w http.ResponseWriter, r *http.Request) error {
	entries, err := h.Stations.Entries(r.Context())
	if err != nil {
		return err
	}
	buses, err := h.Stations.BusSpans(r.Context())
	if err != nil {
		return err
	}
	var air catalog.Span
	for _, e := range entries {
		if e.First.IsZero() || !rest.ScopeOf(r).Station(e.Station) {
			continue
		}
		if air.First.IsZero() || e.First.Before(air.First) {
			air.First = e.First
		}
		if e.Last.After(air.Last) {
			air.Last = e.Last
		}
	}
	return h.JSON(w, rest.Revalidate, struct {
		Datasets []dataset `json:"datasets"`
	}{h.datasets(h.BaseURL(r), air, buses)})
}

// datasets returns all datasets at the address of the api.
func (h *Handler) datasets(base string, air catalog.Span, buses catalog.BusSpans) []dataset {
	all := []dataset{{
		ID:    "readings",
		Title: nhip.LocalizedText{Vi: "Quan trắc chất lượng không khí", En: "Air quality measurements"},
		Description: nhip.LocalizedText{
			Vi: "Giá trị đo và trung bình giờ, ngày, tháng của các trạm, kèm cờ chất lượng và chỉ số thành phần.",
			En: "Readings and means of hours, days and months of the stations, with quality flags and sub-indices.",
		},
		Temporal: temporalOf(air), Files: files(base, "/v1/readings", "{?stations,quantities,levels,period,from,to}"),
	}, {
		ID:    "exceedances",
		Title: nhip.LocalizedText{Vi: "Vượt quy chuẩn", En: "Exceedances of limits"},
		Description: nhip.LocalizedText{
			Vi: "Số giờ và ngày vượt giới hạn của QCVN 05:2023/BTNMT theo trạm và thông số.",
			En: "Hours and days beyond the limits of QCVN 05:2023/BTNMT, by station and quantity.",
		},
		Temporal: temporalOf(air), Files: files(base, "/v1/exceedances", "{?station,area,quantity,from,to}"),
	}, {
		ID:    "arrivals",
		Title: nhip.LocalizedText{Vi: "Xe buýt đến điểm dừng", En: "Arrivals of buses at stops"},
		Description: nhip.LocalizedText{
			Vi: "Mỗi lần xe đến một điểm dừng, kèm chuyến và độ trễ (giây), theo ngày và đơn vị vận hành.",
			En: "Each arrival of a bus at a stop with its trip and delay (seconds), by day and agency.",
		},
		Temporal: temporalOf(buses.Arrivals), Files: files(base, "/v1/arrivals/{date}", "{?agency}"),
	}, {
		ID:    "positions",
		Title: nhip.LocalizedText{Vi: "Vị trí xe buýt", En: "Positions of buses"},
		Description: nhip.LocalizedText{
			Vi: "Mỗi vị trí mà xe đã gửi, theo ngày và đơn vị vận hành.",
			En: "Each position that a bus reported, by day and agency.",
		},
		Temporal: temporalOf(buses.Positions), Files: files(base, "/v1/positions/{date}", "{?agency}"),
	}, {
		ID:    "tides",
		Title: nhip.LocalizedText{Vi: "Xe buýt theo bảng TIDES", En: "Buses as tables of TIDES"},
		Description: nhip.LocalizedText{
			Vi: "Vị trí, lượt ghé điểm dừng và chuyến đã chạy của mỗi ngày vận hành, theo Transit ITS Data Exchange " +
				"Specification.",
			En: "Positions, stop visits and performed trips of each service date, by the Transit ITS Data Exchange " +
				"Specification.",
		},
		Temporal: temporalOf(buses.Arrivals), Files: []distribution{
			{"csv", rest.FormatCSV, base + "/v1/tides/{date}/{table}.csv{?agency}", true},
			{"parquet", rest.FormatParquet, base + "/v1/tides/{date}/{table}.parquet{?agency}", true},
		},
	}}
	all[1].Files = []distribution{all[1].Files[0], all[1].Files[2]} // not as Parquet
	for i := range all {
		all[i].License, all[i].LicenseURL, all[i].Source = h.License.Name, h.License.URL, h.License.Source
	}
	return all
}

// files returns the forms of a dataset at a path.
func files(base, path, more string) []distribution {
	out := make([]distribution, len(formats))
	for i, f := range formats {
		// {&…} continues a query (RFC 6570).
		out[i] = distribution{f[0], f[1], base + path + "?format=" + f[0] + "{&" + more[2:], true}
	}
	return out
}

func temporalOf(s catalog.Span) *temporal {
	if s.First.IsZero() {
		return nil
	}
	return &temporal{s.First, s.Last}
}
