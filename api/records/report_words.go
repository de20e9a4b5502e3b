package records

import (
	"fmt"
	"time"

	"nhip"
)

// reportWords are the texts of the report by language and key.
var reportWords = map[string]map[string]string{
	"vi": {
		"title": "Báo cáo tháng", "station": "Trạm", "area": "Khu vực", "values": "Thống kê", "quantity": "Thông số",
		"mean": "Trung bình",
		"max":  "Lớn nhất", "min": "Nhỏ nhất", "p98": "Phân vị 98", "capture": "Tỷ lệ dữ liệu", "hours": "Số giờ hợp lệ",
		"calendar": "Chỉ số VN_AQI theo ngày",
		"diurnal":  "Theo giờ trong ngày", "weekdays": "Theo ngày trong tuần", "exceed": "Vượt quy chuẩn",
		"limit": "Giới hạn", "number": "Số lần vượt",
		"longest": "Dài nhất (giờ)", "none": "Không có", "notes": "Ghi chú của cán bộ", "made": "Lập lúc",
		"nodata":  "Không có dữ liệu hợp lệ",
		"average": "Thời gian trung bình", "by": "Người quyết định", "why": "Lý do",
		"evaluated": "Số giá trị đánh giá", "from": "Từ", "to": "Đến", "level": "Mức dữ liệu", "zone": "Múi giờ",
		"decision": "Quyết định", "all": "Tất cả thông số", "highest": "lớn nhất",
		"network": "Toàn mạng lưới", "stations": "Trạm", "complete": "Đủ số liệu", "lastyear": "Cùng kỳ năm trước",
		"change": "Thay đổi", "silent": "Trạm không có số liệu", "partial": "Tháng chưa kết thúc; số liệu đến",
		"below": "chưa đủ 75 % số liệu", "worst": "chỉ số cao nhất trong các trạm", "drafted": "Người lập",
		"approved": "Người duyệt",
	},
	"en": {
		"title": "Monthly report", "station": "Station", "area": "Area", "values": "Statistics", "quantity": "Quantity",
		"mean": "Mean",
		"max":  "Highest", "min": "Lowest", "p98": "98th percentile", "capture": "Data capture", "hours": "Complete hours",
		"calendar": "Daily VN_AQI",
		"diurnal":  "By hour of the day", "weekdays": "By day of the week", "exceed": "Exceedances of the limits",
		"limit": "Limit", "number": "Exceedances",
		"longest": "Longest (hours)", "none": "None", "notes": "Staff remarks", "made": "Generated",
		"nodata":  "No valid data",
		"average": "Averaging period", "by": "Decided by", "why": "Reason",
		"evaluated": "Means evaluated", "from": "From", "to": "To", "level": "Data", "zone": "Time zone",
		"decision": "Decision", "all": "All quantities", "highest": "highest",
		"network": "Whole network", "stations": "Stations", "complete": "Complete", "lastyear": "Same month last year",
		"change": "Change", "silent": "Stations without data", "partial": "The month is not over; data until",
		"below": "below 75 % of data", "worst": "highest index of the stations", "drafted": "Drafted by",
		"approved": "Approved by",
	},
}

// weekdayNames are the days of a week from Monday.
var weekdayNames = [7]nhip.LocalizedText{
	{Vi: "Thứ Hai", En: "Monday"},
	{Vi: "Thứ Ba", En: "Tuesday"},
	{Vi: "Thứ Tư", En: "Wednesday"},
	{Vi: "Thứ Năm", En: "Thursday"},
	{Vi: "Thứ Sáu", En: "Friday"},
	{Vi: "Thứ Bảy", En: "Saturday"},
	{Vi: "Chủ nhật", En: "Sunday"},
}

// qualityNames say how the values of a level were checked.
var qualityNames = map[nhip.Quality]nhip.LocalizedText{
	nhip.QualityRaw:       {Vi: "giá trị gốc của thiết bị", En: "raw, as the device sent it"},
	nhip.QualityAutomatic: {Vi: "đã kiểm tra tự động", En: "checked automatically"},
	nhip.QualityReviewed: {
		Vi: "đã kiểm tra tự động và được cán bộ rà soát", En: "checked automatically and reviewed by staff",
	},
}

// actionNames are the decisions of reviews.
var actionNames = map[nhip.ReviewAction]nhip.LocalizedText{
	nhip.ActionExclude:   {Vi: "Loại bỏ", En: "Excluded"},
	nhip.ActionReinstate: {Vi: "Khôi phục", En: "Restored"},
	nhip.ActionUndo:      {Vi: "Hoàn tác", En: "Undone"},
	nhip.ActionAnnotate:  {Vi: "Ghi chú", En: "Remark"},
	nhip.ActionBaseline:  {Vi: "Xác nhận mức chuẩn", En: "Baseline accepted"},
}

// monthName returns a month in words: "tháng 3/2018" without the first word, or "March 2018".
func monthName(month time.Time, lang string) string {
	if lang == "en" {
		return month.Format("January 2006")
	}
	return fmt.Sprintf("%d/%d", month.Month(), month.Year())
}

// localMinute formats a time for readers in a language.
func localMinute(t time.Time, lang string) string {
	if lang == "en" {
		return t.Format("2 January 2006 15:04")
	}
	return t.Format("15:04 02/01/2006")
}

// zoneName returns a time zone with its offset at a time: "Asia/Ho_Chi_Minh (UTC+07:00)".
func zoneName(t time.Time) string {
	offset := "UTC" + t.Format("-07:00")
	if name := t.Location().String(); name != "" && name != "UTC" {
		return name + " (" + offset + ")"
	}
	return offset
}
