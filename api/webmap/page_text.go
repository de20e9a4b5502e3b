package webmap

import (
	"net/http"
	"strings"
)

// pageText has the texts that the server writes into a page. They are those of the app.
type pageText struct {
	Search, Air, Missing, MissingHint         string
	around, atPlace                           string
	asOf, viewing                             string
	walk, minutes, arriving, soon             string
	timetable, trip, lost, lostAgo            string
	noReport, notComing, canceled, skipped    string
	every                                     string
	summary, noneKnown, sensor, suspect, none string
}

var pageWords = map[string]pageText{
	vietnamese: {
		Search: "Tìm tuyến, điểm dừng, nơi…", Air: "Không khí", Missing: "Không tìm thấy",
		MissingHint: "Địa chỉ này không còn hoặc chưa từng có. Hãy tìm tuyến, điểm dừng hoặc nơi bạn cần.",
		around:      "Quanh Hồ Gươm", atPlace: "Quanh nơi đã chọn",
		asOf: "lúc %s", viewing: "Đang xem %s",
		walk: "đi bộ %d phút", minutes: "phút", arriving: "Đang tới", soon: "Dưới 2 phút",
		timetable: "giờ chạy", trip: "chuyến %s", lost: "Mất tín hiệu", lostAgo: "%d phút trước",
		noReport: "Chưa có xe báo", notComing: "Chuyến %s có thể không chạy", canceled: "Đã hủy", skipped: "Không dừng ở đây",
		every:   "%d phút một chuyến",
		summary: "%d/%d trạm · cao nhất %s", noneKnown: "0/%d trạm có số liệu của giờ này",
		sensor: "cảm biến", suspect: "đang kiểm tra", none: "chưa đủ số liệu để tính chỉ số",
	},
	english: {
		Search: "Find a line, a stop, a place…", Air: "Air", Missing: "Not found",
		MissingHint: "There is nothing at this address, or not any more. Search for a line, a stop or a place.",
		around:      "Around Hoàn Kiếm Lake", atPlace: "Around the chosen place",
		asOf: "at %s", viewing: "Viewing %s",
		walk: "%d min walk", minutes: "min", arriving: "Arriving", soon: "Under 2 min",
		timetable: "timetable", trip: "trip of %s", lost: "No signal", lostAgo: "%d min ago",
		noReport: "No bus reporting", notComing: "The %s may not run", canceled: "Canceled", skipped: "Does not stop here",
		every:   "every %d min",
		summary: "%d of %d stations · highest %s", noneKnown: "0 of %d stations have values of this hour",
		sensor: "sensor", suspect: "under review", none: "not enough values for an index",
	},
}

// pageLanguage returns the language of a page: as its address says, or Vietnamese unless the browser prefers English.
func pageLanguage(r *http.Request) string {
	switch lang := r.URL.Query().Get("lang"); lang {
	case vietnamese, english:
		return lang
	}
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		switch tag = strings.ToLower(strings.TrimSpace(tag)); {
		case strings.HasPrefix(tag, english):
			return english
		case strings.HasPrefix(tag, vietnamese):
			return vietnamese
		}
	}
	return vietnamese
}
