package v1

import (
	"net/http"
	"time"

	"nhip/api/rest"
)

// hoursBack is how many hours GET /v1/air/hours lists.
const hoursBack = 24

// reportingHour is an hour and how many stations have values of it.
type reportingHour struct {
	Time     time.Time `json:"time"` // end of the hour
	Stations int       `json:"stations"`
}

// listHours answers GET /v1/air/hours: for a slider over the last day that shows which hours are empty.
func (h *Handler) listHours(w http.ResponseWriter, r *http.Request) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	s := h.Air.Current()
	hours := []reportingHour{}
	for back, n := range s.Reporting(hoursBack) {
		hours = append(hours, reportingHour{s.End.Add(-time.Duration(back) * time.Hour), n})
	}
	return h.JSON(w, cachePolicy(s), struct {
		Time  time.Time       `json:"time"`
		Hours []reportingHour `json:"hours"`
	}{s.End, hours})
}
