package sim

import "github.com/paulmach/orb"

// grade is how well a monitor measures.
type grade uint8

const (
	lowCost   grade = iota // a sensor in a box on a wall
	reference              // analysers in an air-conditioned hut
)

// fault is what is wrong with a monitor, so that quality control has something to find.
type fault uint8

const (
	sound  fault = iota
	frozen       // particle values repeat the same number all day long
	wet          // humidity is stuck at 99.9 %
	spiky        // now and then one value is ten times too high
	absent       // silent for three hours out of nine
)

// monitor is one air station.
type monitor struct {
	id    string
	name  string
	point orb.Point // WGS84 lon, lat
	grade grade
	fault fault
}

// monitors stand in wards and by landmarks all over the city, placed by hand. Five are faulty.
var monitors = []monitor{
	{"hn-cau-giay", "Cầu Giấy", orb.Point{105.7975, 21.0345}, reference, sound},
	{"hn-hoan-kiem", "Hoàn Kiếm", orb.Point{105.8524, 21.0290}, reference, sound},
	{"hn-nguyen-van-cu", "Nguyễn Văn Cừ", orb.Point{105.8820, 21.0485}, reference, sound},
	{"hn-minh-khai", "Minh Khai, Bắc Từ Liêm", orb.Point{105.7420, 21.0490}, reference, sound},
	{"hn-nhan-chinh", "Nhân Chính", orb.Point{105.7960, 21.0040}, reference, sound},
	{"hn-lang", "Láng", orb.Point{105.8025, 21.0180}, reference, sound},
	{"hn-ha-dong", "Hà Đông", orb.Point{105.7765, 20.9710}, reference, sound},
	{"hn-giai-phong", "Giải Phóng", orb.Point{105.8408, 20.9975}, reference, sound},

	{"hn-ho-tay", "Hồ Tây", orb.Point{105.8200, 21.0560}, lowCost, sound},
	{"hn-ba-dinh", "Ba Đình", orb.Point{105.8330, 21.0355}, lowCost, sound},
	{"hn-kim-lien", "Kim Liên", orb.Point{105.8365, 21.0085}, lowCost, sound},
	{"hn-thanh-xuan", "Thanh Xuân", orb.Point{105.8055, 20.9945}, lowCost, frozen},
	{"hn-dinh-cong", "Định Công", orb.Point{105.8300, 20.9820}, lowCost, sound},
	{"hn-linh-dam", "Linh Đàm", orb.Point{105.8310, 20.9655}, lowCost, wet},
	{"hn-yen-so", "Yên Sở", orb.Point{105.8640, 20.9695}, lowCost, sound},
	{"hn-vinh-tuy", "Vĩnh Tuy", orb.Point{105.8730, 21.0000}, lowCost, sound},
	{"hn-bo-de", "Bồ Đề", orb.Point{105.8720, 21.0365}, lowCost, sound},
	{"hn-viet-hung", "Việt Hưng", orb.Point{105.9005, 21.0580}, lowCost, spiky},
	{"hn-sai-dong", "Sài Đồng", orb.Point{105.9110, 21.0350}, lowCost, sound},
	{"hn-trau-quy", "Trâu Quỳ", orb.Point{105.9340, 21.0190}, lowCost, sound},
	{"hn-duc-giang", "Đức Giang", orb.Point{105.8935, 21.0660}, lowCost, sound},
	{"hn-dong-anh", "Đông Anh", orb.Point{105.8470, 21.1390}, lowCost, sound},
	{"hn-xuan-dinh", "Xuân Đỉnh", orb.Point{105.7900, 21.0690}, lowCost, absent},
	{"hn-co-nhue", "Cổ Nhuế", orb.Point{105.7790, 21.0570}, lowCost, sound},
	{"hn-nhon", "Nhổn", orb.Point{105.7345, 21.0540}, lowCost, sound},
	{"hn-my-dinh", "Mỹ Đình", orb.Point{105.7735, 21.0260}, lowCost, sound},
	{"hn-dai-mo", "Đại Mỗ", orb.Point{105.7600, 20.9980}, lowCost, sound},
	{"hn-me-tri", "Mễ Trì", orb.Point{105.7790, 21.0105}, lowCost, sound},
	{"hn-trung-hoa", "Trung Hoà", orb.Point{105.8000, 21.0120}, lowCost, spiky},
	{"hn-khuong-dinh", "Khương Đình", orb.Point{105.8165, 20.9930}, lowCost, sound},
	{"hn-trieu-khuc", "Triều Khúc", orb.Point{105.7965, 20.9835}, lowCost, sound},
	{"hn-kien-hung", "Kiến Hưng", orb.Point{105.7900, 20.9570}, lowCost, sound},
	{"hn-van-phuc", "Vạn Phúc", orb.Point{105.7715, 20.9800}, lowCost, sound},
	{"hn-yen-nghia", "Yên Nghĩa", orb.Point{105.7480, 20.9515}, lowCost, sound},
	{"hn-van-dien", "Văn Điển", orb.Point{105.8450, 20.9470}, lowCost, sound},
	{"hn-dong-xuan", "Đồng Xuân", orb.Point{105.8490, 21.0385}, lowCost, sound},
	{"hn-ngoc-ha", "Ngọc Hà", orb.Point{105.8250, 21.0385}, lowCost, sound},
	{"hn-thanh-nhan", "Thanh Nhàn", orb.Point{105.8570, 21.0040}, lowCost, sound},
	{"hn-an-khanh", "An Khánh", orb.Point{105.7260, 21.0020}, lowCost, sound},
	{"hn-bat-trang", "Bát Tràng", orb.Point{105.9130, 20.9765}, lowCost, sound},
}
