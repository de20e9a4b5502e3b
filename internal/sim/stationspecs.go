package sim

import "github.com/paulmach/orb"

// grade is the accuracy class of a monitor.
type grade uint8

const (
	lowCost   grade = iota // a low-cost sensor on a wall
	reference              // analysers in an air-conditioned container
)

// fault is a defect of a monitor, for quality control to detect.
type fault uint8

const (
	noFault      fault = iota
	frozen             // particle values stay the same all day
	saturated          // humidity is always 99.9 %
	spiky              // occasional values are ten times too high
	intermittent       // no reports for three hours out of nine
)

// stationSpec describes one air station and its monitor.
type stationSpec struct {
	id    string
	name  string
	point orb.Point // WGS84 lon, lat
	grade grade
	fault fault
}

// NamedStation is what a city knows of a simulated station and the station does not send.
type NamedStation struct {
	ID, Name  string
	Reference bool // an analyser, no low-cost sensor
}

// NamedStations returns the stations that have names.
func NamedStations() []NamedStation {
	list := make([]NamedStation, len(stationSpecs))
	for i, s := range stationSpecs {
		list[i] = NamedStation{ID: s.id, Name: s.name, Reference: s.grade == reference}
	}
	return list
}

// stationSpecs are stations in wards and at landmarks all over the city, placed by hand. Five have faulty monitors.
var stationSpecs = []stationSpec{
	{"hn-cau-giay", "Cầu Giấy", orb.Point{105.7975, 21.0345}, reference, noFault},
	{"hn-hoan-kiem", "Hoàn Kiếm", orb.Point{105.8524, 21.0290}, reference, noFault},
	{"hn-nguyen-van-cu", "Nguyễn Văn Cừ", orb.Point{105.8820, 21.0485}, reference, noFault},
	{"hn-minh-khai", "Minh Khai, Bắc Từ Liêm", orb.Point{105.7420, 21.0490}, reference, noFault},
	{"hn-nhan-chinh", "Nhân Chính", orb.Point{105.7960, 21.0040}, reference, noFault},
	{"hn-lang", "Láng", orb.Point{105.8025, 21.0180}, reference, noFault},
	{"hn-ha-dong", "Hà Đông", orb.Point{105.7765, 20.9710}, reference, noFault},
	{"hn-giai-phong", "Giải Phóng", orb.Point{105.8408, 20.9975}, reference, noFault},

	{"hn-ho-tay", "Hồ Tây", orb.Point{105.8200, 21.0560}, lowCost, noFault},
	{"hn-ba-dinh", "Ba Đình", orb.Point{105.8330, 21.0355}, lowCost, noFault},
	{"hn-kim-lien", "Kim Liên", orb.Point{105.8365, 21.0085}, lowCost, noFault},
	{"hn-thanh-xuan", "Thanh Xuân", orb.Point{105.8055, 20.9945}, lowCost, frozen},
	{"hn-dinh-cong", "Định Công", orb.Point{105.8300, 20.9820}, lowCost, noFault},
	{"hn-linh-dam", "Linh Đàm", orb.Point{105.8310, 20.9655}, lowCost, saturated},
	{"hn-yen-so", "Yên Sở", orb.Point{105.8640, 20.9695}, lowCost, noFault},
	{"hn-vinh-tuy", "Vĩnh Tuy", orb.Point{105.8730, 21.0000}, lowCost, noFault},
	{"hn-bo-de", "Bồ Đề", orb.Point{105.8720, 21.0365}, lowCost, noFault},
	{"hn-viet-hung", "Việt Hưng", orb.Point{105.9005, 21.0580}, lowCost, spiky},
	{"hn-sai-dong", "Sài Đồng", orb.Point{105.9110, 21.0350}, lowCost, noFault},
	{"hn-trau-quy", "Trâu Quỳ", orb.Point{105.9340, 21.0190}, lowCost, noFault},
	{"hn-duc-giang", "Đức Giang", orb.Point{105.8935, 21.0660}, lowCost, noFault},
	{"hn-dong-anh", "Đông Anh", orb.Point{105.8470, 21.1390}, lowCost, noFault},
	{"hn-xuan-dinh", "Xuân Đỉnh", orb.Point{105.7900, 21.0690}, lowCost, intermittent},
	{"hn-co-nhue", "Cổ Nhuế", orb.Point{105.7790, 21.0570}, lowCost, noFault},
	{"hn-nhon", "Nhổn", orb.Point{105.7345, 21.0540}, lowCost, noFault},
	{"hn-my-dinh", "Mỹ Đình", orb.Point{105.7735, 21.0260}, lowCost, noFault},
	{"hn-dai-mo", "Đại Mỗ", orb.Point{105.7600, 20.9980}, lowCost, noFault},
	{"hn-me-tri", "Mễ Trì", orb.Point{105.7790, 21.0105}, lowCost, noFault},
	{"hn-trung-hoa", "Trung Hoà", orb.Point{105.8000, 21.0120}, lowCost, spiky},
	{"hn-khuong-dinh", "Khương Đình", orb.Point{105.8165, 20.9930}, lowCost, noFault},
	{"hn-trieu-khuc", "Triều Khúc", orb.Point{105.7965, 20.9835}, lowCost, noFault},
	{"hn-kien-hung", "Kiến Hưng", orb.Point{105.7900, 20.9570}, lowCost, noFault},
	{"hn-van-phuc", "Vạn Phúc", orb.Point{105.7715, 20.9800}, lowCost, noFault},
	{"hn-yen-nghia", "Yên Nghĩa", orb.Point{105.7480, 20.9515}, lowCost, noFault},
	{"hn-van-dien", "Văn Điển", orb.Point{105.8450, 20.9470}, lowCost, noFault},
	{"hn-dong-xuan", "Đồng Xuân", orb.Point{105.8490, 21.0385}, lowCost, noFault},
	{"hn-ngoc-ha", "Ngọc Hà", orb.Point{105.8250, 21.0385}, lowCost, noFault},
	{"hn-thanh-nhan", "Thanh Nhàn", orb.Point{105.8570, 21.0040}, lowCost, noFault},
	{"hn-an-khanh", "An Khánh", orb.Point{105.7260, 21.0020}, lowCost, noFault},
	{"hn-bat-trang", "Bát Tràng", orb.Point{105.9130, 20.9765}, lowCost, noFault},
}
